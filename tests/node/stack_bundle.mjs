// Bundles one published version of Stack's SDK for a page, as an application's build would, and reports the script.
import { build } from "esbuild";
import { received, report } from "./report.mjs";

const { sdk } = received();
const built = await build({
  stdin: {
    contents: `import { StackClientApp } from "${sdk}"; window.StackClientApp = StackClientApp;`,
    resolveDir: import.meta.dirname,
  },
  bundle: true,
  write: false,
  format: "iife",
  platform: "browser",
  minify: true,
  logLevel: "error",
});
report(built.outputFiles[0].text);
