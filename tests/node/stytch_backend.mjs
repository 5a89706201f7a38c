// The vendor's Node SDK against a running server: every method of the dialect's scope once.
import * as stytch from "stytch";
import { received, report, thrown } from "./report.mjs";

const { base_url, project_id, secret, trips, email } = received();
console.warn = () => {}; // the SDK warns of a base URL of one's own, once
const client = new stytch.Client({ project_id, secret, env: base_url });

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return thrown(error);
  }
  return null;
}

const created = await client.users.create({ email, name: { first_name: "N" } });
const got = await client.users.get({ user_id: created.user_id });
const updated = await client.users.update({
  user_id: created.user_id,
  name: { last_name: "O" },
  untrusted_metadata: { a: 1 },
});
const searched = await client.users.search({
  limit: 10,
  query: { operator: "AND", operands: [{ filter_name: "email_address", filter_value: [email] }] },
});
const attached = await client.oauth.attach({ provider: "github", user_id: created.user_id });

const signedIn = await client.oauth.authenticate({
  token: trips[0],
  session_duration_minutes: 60,
  session_custom_claims: { plan: "gold" },
});
const again = await refusal(() => client.oauth.authenticate({ token: trips[0] }));
const checked = await client.sessions.authenticate({ session_token: signedIn.session_token });
const local = await client.sessions.authenticateJwtLocal({ session_jwt: signedIn.session_jwt });
const remote = await client.sessions.authenticateJwt({ session_jwt: signedIn.session_jwt });
const listed = await client.sessions.get({ user_id: signedIn.user_id });
const keys = await client.sessions.getJWKS({ project_id });
const revoked = await client.sessions.revoke({ session_token: signedIn.session_token });
const over = await refusal(() =>
  client.sessions.authenticate({ session_token: signedIn.session_token }),
);
const unlinked = await refusal(() =>
  client.users.deleteOAuthRegistration({
    oauth_user_registration_id: "oauth-user-test-11111111-1111-4111-8111-111111111111",
  }),
);
const apps = await client.users.connectedApps({ user_id: created.user_id });
const deleted = await client.users.delete({ user_id: created.user_id });
const missing = await refusal(() => client.users.get({ user_id: created.user_id }));

report({
  created,
  got,
  updated,
  searched,
  attached,
  signedIn,
  again,
  checked,
  local,
  remote: Object.keys(remote),
  listed,
  keys,
  revoked,
  over,
  unlinked,
  apps,
  deleted,
  missing,
});
