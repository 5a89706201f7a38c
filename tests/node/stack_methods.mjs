// Lists every method that one published version of Stack's SDK offers on its apps and on what they give out.
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
const user = await server.createUser({ displayName: "Ada", primaryEmail: given.email });
const team = await server.createTeam({ displayName: "One", creatorUserId: user.id });
const linked = await server.createOAuthProvider({
  userId: user.id,
  accountId: given.email,
  providerConfigId: "google",
  email: given.email,
  allowSignIn: true,
  allowConnectedAccounts: true,
});
const session = await user.createSession({});
const me = await new StackClientApp({ ...common, tokenStore: await session.getTokens() }).getUser();
const key = await admin.createInternalApiKey({
  description: "",
  expiresAt: new Date(Date.now() + 3_600_000),
  hasPublishableClientKey: true,
  hasSecretServerKey: false,
  hasSuperSecretAdminKey: false,
});
report({
  client: methods(new StackClientApp(common)),
  server: methods(server),
  admin: methods(admin),
  serverUser: methods(user),
  clientUser: methods(me),
  session: methods(session),
  serverTeam: methods(team),
  clientTeam: methods(await me.getTeam(team.id)),
  project: methods(await admin.getProject()),
  key: methods(key),
  serverChannel: methods((await user.listContactChannels())[0]),
  clientChannel: methods((await me.listContactChannels())[0]),
  linkedAccount: methods(linked.data),
  connectedAccount: methods((await me.listConnectedAccounts())[0]),
});
