// The known errors as the SDK itself spells them: status, words, details. The test sends each one's arguments.
import { createRequire } from "node:module";
import { received, report } from "./report.mjs";

const require = createRequire(import.meta.url);
const { KnownErrors } = require(require.resolve("@stackframe/stack-shared/dist/known-errors"));

const byCode = new Map();
for (const one of Object.values(KnownErrors)) byCode.set(one.errorCode, one);

const told = {};
for (const [name, code, args] of received()) {
  const kind = byCode.get(code);
  if (!kind) continue;
  const error = new kind(...args.map((arg) => (arg && arg.date ? new Date(arg.date) : arg ?? undefined)));
  told[name] = { status: error.statusCode, text: error.humanReadableMessage, details: error.details ?? null };
}
report(told);
