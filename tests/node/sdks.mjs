// Loads every SDK under test and reports what each exports.
import * as stytch from "stytch";
import * as hexclave from "stack-js-hexclave";
import * as stack from "stack-js-stack";
import { report } from "./report.mjs";

report({
  node: process.versions.node,
  stytch: Object.keys(stytch).sort(),
  "stack-js-hexclave": Object.keys(hexclave).sort(),
  "stack-js-stack": Object.keys(stack).sort(),
});
