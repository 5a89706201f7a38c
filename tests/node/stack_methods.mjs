// Lists every method that one published version of Stack's SDK offers on its apps and its users.
import { received, report } from "./report.mjs";

const given = received();
const { StackAdminApp, StackClientApp, StackServerApp } = await import(given.sdk);
const common = {
  baseUrl: given.baseUrl,
  projectId: given.projectId,
  publishableClientKey: given.clientKey,
  noAutomaticPrefetch: true,
  tokenStore: "memory",
  redirectMethod: "none",
};

function methods(object) {
  const names = new Set();
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name === "constructor" || name.startsWith("_") || name.startsWith("use")) continue;
      try {
        if (typeof object[name] === "function") names.add(name);
      } catch {
        // a getter that needs a browser
      }
    }
  }
  return [...names].sort();
}

const server = new StackServerApp({ ...common, secretServerKey: given.serverKey });
const admin = new StackAdminApp({ ...common, secretServerKey: given.serverKey, superSecretAdminKey: given.adminKey });
const user = await server.createUser({ displayName: "Ada" });
const session = await user.createSession({});
const me = await new StackClientApp({ ...common, tokenStore: await session.getTokens() }).getUser();
report({
  client: methods(new StackClientApp(common)),
  server: methods(server),
  admin: methods(admin),
  serverUser: methods(user),
  clientUser: methods(me),
});
