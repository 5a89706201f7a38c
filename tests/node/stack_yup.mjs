// Validates values with the library that the original uses, so that our messages can be held against its own.
import { createRequire } from "node:module";
import { received, report } from "./report.mjs";

const require = createRequire(import.meta.url);
const shared = require.resolve("@stackframe/stack-shared/dist/schema-fields");
const { emailSchema, signInEmailSchema, urlSchema, yupArray, yupBoolean, yupNumber, yupObject, yupString } =
  require(shared);

const shape = {
  text: yupString().optional(),
  short: yupString().max(5).optional(),
  filled: yupString().nonEmpty().optional(),
  nullable: yupString().nullable().optional(),
  id: yupString().uuid().optional(),
  url: urlSchema.optional(),
  email: emailSchema.optional(),
  login: signInEmailSchema.optional(),
  flag: yupBoolean().optional(),
  number: yupNumber().integer().min(1).max(10).optional(),
  choice: yupString().oneOf(["a", "b"]).optional(),
  rows: yupArray(yupObject({ name: yupString().defined() }).defined()).optional(),
  nested: yupObject({ name: yupString().defined(), other: yupString().optional() }).optional(),
};
const schema = yupObject({ body: yupObject({ ...shape, must: yupString().defined() }).defined() });

const told = [];
for (const body of received()) {
  try {
    await schema.validate(
      { body },
      { abortEarly: false, context: { noUnknownPathPrefixes: ["body"] } },
    );
    told.push([]);
  } catch (error) {
    told.push(error.errors);
  }
}
report(told);
