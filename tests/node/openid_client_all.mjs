// Meets one provider after another with openid-client, each by its addresses alone: sign in, second use, refresh, refusal.
import * as oidc from "openid-client";
import { received, report, thrown } from "./report.mjs";

const asked = received();

/** Do one thing and tell what it gave, or what openid-client had against it. */
async function tried(act) {
  try {
    return { ok: true, value: await act() };
  } catch (error) {
    return { ok: false, error: { ...thrown(error), why: error?.cause?.message }, oauth: error?.error ?? error?.cause?.error ?? null };
  }
}

function configured(one, secret) {
  const auth = one.auth === "basic" ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret);
  const config = new oidc.Configuration(one.metadata, "the-client", { id_token_signed_response_alg: one.alg }, auth);
  oidc.allowInsecureRequests(config);
  oidc.enableNonRepudiationChecks(config);
  return config;
}

/** Go there as a persona; what the provider sends back, and what the client keeps to check it by. */
async function travelled(config, one, persona) {
  const kept = { expectedState: oidc.randomState() };
  const params = { redirect_uri: asked.redirect_uri, scope: one.scope, state: kept.expectedState, login_hint: persona };
  if (one.nonce) params.nonce = kept.expectedNonce = oidc.randomNonce();
  if (one.pkce) {
    kept.pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    params.code_challenge = await oidc.calculatePKCECodeChallenge(kept.pkceCodeVerifier);
    params.code_challenge_method = "S256";
  }
  const url = oidc.buildAuthorizationUrl(config, { ...params, ...one.params });
  // one provider takes a blank in no other spelling
  url.search = url.search.replaceAll("+", "%20");
  const answer = await fetch(url, { redirect: "manual" });
  const location = answer.headers.get("location");
  // one provider puts a fragment of its own behind the answer
  if (location) return { kept, back: () => new URL(location.replace("#_=_", "")) };
  const form = new URLSearchParams();
  for (const [, name, value] of (await answer.text()).matchAll(/name="([^"]+)" value="([^"]*)"/g)) {
    form.set(name, value.replaceAll("&#34;", '"').replaceAll("&amp;", "&"));
  }
  return { kept, back: () => new Request(asked.redirect_uri, { method: "POST", body: form }) };
}

async function met(one) {
  const config = configured(one, one.secret);
  const trip = await travelled(config, one, "ada");
  const tokens = await oidc.authorizationCodeGrant(config, trip.back(), trip.kept);
  const claims = tokens.claims() ?? null;
  const read = async (token) => (await oidc.fetchProtectedResource(config, token, new URL(one.userinfo), "GET")).json();
  const user = one.userinfo ? await read(tokens.access_token) : null;
  const again = await tried(() => oidc.authorizationCodeGrant(config, trip.back(), trip.kept));
  const no = await travelled(config, one, "deny");
  const denied = await tried(() => oidc.authorizationCodeGrant(config, no.back(), no.kept));
  let forged = null;
  if (one.nonce) {
    const other = await travelled(config, one, "ada");
    forged = await tried(() => oidc.authorizationCodeGrant(config, other.back(), { ...other.kept, expectedNonce: "another" }));
  }
  const second = await travelled(config, one, "ada");
  const honest = await oidc.authorizationCodeGrant(config, second.back(), second.kept);
  const more = one.refresh_redirect ? { redirect_uri: asked.redirect_uri } : {};
  const refreshed = honest.refresh_token && one.refreshes
    ? await tried(async () => (await oidc.refreshTokenGrant(config, honest.refresh_token, more)).access_token !== honest.access_token)
    : null;
  return { claims, user, again, denied, forged, refreshed };
}

async function main() {
  const found = {};
  for (const one of asked.providers) found[one.name] = await tried(() => met(one));
  return found;
}

main().then(report, (error) => report({ failed: thrown(error) }));
