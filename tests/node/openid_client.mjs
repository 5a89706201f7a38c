// Signs in at an OpenID Connect issuer with openid-client: discovery, PKCE, nonce, refresh, userinfo, revocation.
import * as oidc from "openid-client";
import { received, report, thrown } from "./report.mjs";

const asked = received();

/** Do one thing and tell whether it came off, or what openid-client had against it. */
async function tried(act) {
  try {
    return { ok: true, value: await act() };
  } catch (error) {
    return { ok: false, error: { name: error?.name, code: error?.code, oauth: error?.error ?? error?.cause?.error ?? null } };
  }
}

async function discovered() {
  return oidc.discovery(new URL(asked.issuer), asked.client_id, undefined, oidc.ClientSecretBasic(asked.secret), {
    // Over TLS it would trust the connection; here it shall check every signature too.
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
  });
}

async function started(config, persona) {
  const kept = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
  };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: asked.redirect_uri,
    scope: asked.scope,
    state: kept.expectedState,
    nonce: kept.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(kept.pkceCodeVerifier),
    code_challenge_method: "S256",
    login_hint: persona,
  });
  const answer = await fetch(url, { redirect: "manual" });
  return { kept, back: new URL(answer.headers.get("location")) };
}

async function main() {
  const config = await discovered();
  const trip = await started(config, asked.persona);
  const tokens = await oidc.authorizationCodeGrant(config, trip.back, trip.kept);
  const claims = tokens.claims();
  const user = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  const again = await tried(() => oidc.authorizationCodeGrant(config, trip.back, trip.kept));

  const second = await started(config, asked.persona);
  const refused = {};
  for (const [name, change] of Object.entries({
    verifier: { pkceCodeVerifier: oidc.randomPKCECodeVerifier() },
    state: { expectedState: "another" },
    nonce: { expectedNonce: "another" },
  })) {
    const fresh = name === "nonce" ? await started(config, asked.persona) : second;
    refused[name] = await tried(() => oidc.authorizationCodeGrant(config, fresh.back, { ...fresh.kept, ...change }));
  }
  const foreign = new URL(second.back);
  foreign.searchParams.set("iss", "https://another.example");
  refused.iss = await tried(() => oidc.authorizationCodeGrant(config, foreign, second.kept));
  const silent = new URL(second.back);
  silent.searchParams.delete("iss");
  refused.no_iss = await tried(() => oidc.authorizationCodeGrant(config, silent, second.kept));
  const honest = await oidc.authorizationCodeGrant(config, second.back, second.kept);

  const no = await started(config, "deny");
  refused.denied = await tried(() => oidc.authorizationCodeGrant(config, no.back, no.kept));

  const fresh = await oidc.refreshTokenGrant(config, honest.refresh_token);
  refused.refresh = await tried(() => oidc.refreshTokenGrant(config, honest.refresh_token));
  const third = await started(config, asked.persona);
  const last = await oidc.authorizationCodeGrant(config, third.back, third.kept);
  await oidc.tokenRevocation(config, last.access_token);
  refused.revoked = await tried(() => oidc.fetchUserInfo(config, last.access_token, claims.sub));
  return { claims, user, again, refused, refreshed: Boolean(fresh.access_token) };
}

main().then(report, (error) => report({ failed: thrown(error) }));
