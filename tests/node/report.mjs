// How a script under Node takes its input from the test that runs it, and hands one value back.
import { readFileSync } from "node:fs";

/** The JSON value that the test sent on standard input. */
export function received() {
  return JSON.parse(readFileSync(0, "utf8") || "null");
}

/** Hand one JSON value back and end; SDKs keep timers open, so the process is ended here. */
export function report(value) {
  process.stdout.write("\n::result::" + JSON.stringify(value ?? null) + "\n", () => process.exit(0));
}

/** What an SDK threw, as plain data: its class, its message and the fields that it carries. */
export function thrown(error) {
  return { name: error?.constructor?.name, message: String(error?.message ?? error), ...error };
}
