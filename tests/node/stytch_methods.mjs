// Calls every method of the vendor's Node SDK that is in scope, and lists what the SDK exports.
import { randomUUID } from "node:crypto";
import * as stytch from "stytch";
import { received, report } from "./report.mjs";

const { base_url, project_id, secret, emails, phone, trips, migrated } = received();
console.warn = () => {}; // the SDK warns of a base URL of one's own, once
const client = new stytch.Client({ project_id, secret, env: base_url });
const inScope = ["oauth", "users", "sessions", "passwords"];
const called = new Set();
const unexpected = [];

function expect(what, holds) {
  if (!holds) unexpected.push(what);
}

async function ask(name, given) {
  called.add(name);
  const [product, method] = name.split(".");
  return client[product][method](given);
}

async function refused(name, given, type) {
  try {
    await ask(name, given);
    unexpected.push(`${name} was not refused`);
  } catch (error) {
    expect(`${name}: ${error.error_type}`, error.error_type === type);
  }
}

const made = await ask("users.create", { email: emails[0], external_id: `x${randomUUID()}` });
const user = { user_id: made.user_id };
expect("get", (await ask("users.get", user)).emails[0].email === emails[0]);
const updated = await ask("users.update", { ...user, name: { first_name: "U" } });
expect("update", updated.user.name.first_name === "U");
const query = { operator: "AND", operands: [{ filter_name: "email_address", filter_value: [emails[0]] }] };
expect("search", (await ask("users.search", { query })).results_metadata.total === 1);
const pages = await ask("users.searchAll", { query, limit: 1 });
do {
  for (const found of await pages.next()) expect("searchAll", found.user_id === made.user_id);
} while (pages.hasNext());
expect("deleteExternalId", (await ask("users.deleteExternalId", user)).user.external_id === null);
const exchanged = await ask("users.exchangePrimaryFactor", { ...user, email_address: emails[1] });
expect("exchange", exchanged.user.emails[0].email === emails[1]);
expect("apps", (await ask("users.connectedApps", user)).connected_apps.length === 0);
await refused("users.revoke", { ...user, connected_app_id: "x" }, "connected_app_not_found");
expect("attach", (await ask("oauth.attach", { provider: "github", ...user })).oauth_attach_token.length === 44);

const here = await ask("oauth.authenticate", { token: trips[0], session_duration_minutes: 60 });
const registration = { oauth_user_registration_id: here.oauth_user_registration_id };
const shown = await ask("sessions.authenticate", { session_token: here.session_token });
const session_jwt = shown.session_jwt;
const id = shown.session.session_id;
expect("local", (await ask("sessions.authenticateJwtLocal", { session_jwt })).session_id === id);
expect("jwt", (await ask("sessions.authenticateJwt", { session_jwt })).session.session_id === id);
expect("sessions", (await ask("sessions.get", { user_id: here.user_id })).sessions.length === 1);
expect("jwks", (await ask("sessions.getJWKS", { project_id })).keys[0].alg === "RS256");
await ask("users.deleteOAuthRegistration", registration);
await refused("sessions.revoke", { session_id: id }, "session_not_found"); // it rested on that account
expect("migrate", (await ask("sessions.migrate", { session_token: migrated })).user_id.startsWith("user-test-"));
await refused("sessions.attest", { profile_id: "x", token: "x" }, "product_not_configured");
await refused("sessions.exchangeAccessToken", { access_token: "x" }, "product_not_configured");

const account = { email: emails[2], password: "correct horse" };
const owner = await ask("passwords.create", account);
expect("password", (await ask("passwords.authenticate", account)).user_id === owner.user_id);
const bare = await ask("users.deletePassword", { password_id: owner.user.password.password_id });
expect("deletePassword", bare.user.password === null);
const reached = await ask("users.create", { email: emails[3], phone_number: phone });
const mailed = await ask("users.deletePhoneNumber", { phone_id: reached.phone_id });
expect("deletePhoneNumber", mailed.user.phone_numbers.length === 0);
await refused("users.deleteEmail", { email_id: reached.email_id }, "cannot_delete_last_primary_factor");
for (const [method, name, kind] of [
  ["deleteTOTP", "totp", "totp"],
  ["deleteCryptoWallet", "crypto_wallet", "crypto-wallet"],
  ["deleteWebAuthnRegistration", "webauthn_registration", "webauthn-registration"],
  ["deleteBiometricRegistration", "biometric_registration", "biometric-registration"],
])
  await refused(`users.${method}`, { [`${name}_id`]: `${kind}-test-${randomUUID()}` }, `${name}_not_found`);
expect("delete", (await ask("users.delete", user)).user_id === made.user_id);

const exported = inScope.flatMap((product) =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(client[product]))
    .filter((name) => name !== "constructor")
    .map((name) => `${product}.${name}`),
);
const products = Object.keys(client).filter((name) => !["fetchConfig", "jwtConfig", "baseURL"].includes(name));
report({ called: [...called], exported, products, unexpected });
