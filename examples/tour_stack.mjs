// Sign Grace in with Google, link GitHub to the same user, and read a GitHub token, with Stack Auth's own SDK.
//
//     node tour_stack.mjs dev.json        # dev.json: what `oneself dev --json` printed

import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { StackServerApp } from "@stackframe/js";

const server = JSON.parse(readFileSync(process.argv[2], "utf8"));
const keys = server.project.stack;
const redirectUri = "http://localhost:3000/handler/oauth-callback";

function app(tokenStore) {
  return new StackServerApp({
    baseUrl: server.base_url,
    projectId: keys.project_id,
    publishableClientKey: keys.publishable_client_key,
    secretServerKey: keys.secret_server_key,
    tokenStore,
  });
}

// What a person does in a browser: start, say yes at the provider, come back to the application with a code.
async function browse(provider, persona, link = {}) {
  await fetch(`${server.emulator_url}/_control/picks`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ provider, persona }),
  });
  const verifier = randomBytes(32).toString("base64url");
  const form = {
    client_id: keys.project_id,
    client_secret: keys.publishable_client_key,
    redirect_uri: redirectUri,
    scope: "legacy",
    state: "any",
    grant_type: "authorization_code",
    response_type: "code",
    code_challenge_method: "S256",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    ...link,
  };
  let url = `${server.base_url}/api/v1/auth/oauth/authorize/${provider}?${new URLSearchParams(form)}`;
  let cookie = "";
  while (!url.startsWith(redirectUri)) {
    const answer = await fetch(url, { redirect: "manual", headers: { cookie } });
    cookie = answer.headers.getSetCookie().map((text) => text.split(";")[0]).join("; ") || cookie;
    if (!answer.headers.has("location")) throw new Error(await answer.text());
    url = new URL(answer.headers.get("location"), url).href;
  }
  const code = new URL(url).searchParams.get("code");
  const body = new URLSearchParams({ ...form, code, code_verifier: verifier });
  const answer = await fetch(`${server.base_url}/api/v1/auth/oauth/token`, { method: "POST", body });
  const tokens = await answer.json();
  return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
}

const session = await browse("google", "grace");
const user = await app(session).getUser();
console.log("signed in", user.primaryEmail);

const again = await browse("github", "grace", {
  type: "link",
  token: session.accessToken,
});
const linked = await app(again).getUser();
console.log("the same user:", linked.id === user.id);
const accounts = await linked.listOAuthProviders();
console.log("accounts:", accounts.map((account) => account.type).join(", "));

const github = await linked.getConnectedAccount("github");
const { accessToken } = await github.getAccessToken();
console.log("a token of GitHub's:", accessToken.slice(0, 4) + "...");
