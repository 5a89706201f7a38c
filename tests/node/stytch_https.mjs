// The vendor's Node SDK by its documented option, which takes https alone.
import * as stytch from "stytch";
import { received, report } from "./report.mjs";

const { base_url, plain_url, project_id, secret, public_token, person } = received();
const landing = "http://localhost:3000/";

async function browse(provider, ticket) {
  const query = new URLSearchParams({ public_token, provider_login_hint: person });
  if (ticket) query.set("oauth_attach_token", ticket);
  let url = `${base_url}/v1/public/oauth/${provider}/start?${query}`;
  const jar = new Map();
  while (!url.startsWith(landing)) {
    const cookie = [...jar].map((pair) => pair.join("=")).join("; ");
    const answer = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(";")[0].split(/=(.*)/s);
      jar.set(name, value);
    }
    url = answer.headers.get("location");
  }
  return { token: new URL(url).searchParams.get("token"), cookies: [...jar.keys()] };
}

let refused = "";
try {
  new stytch.Client({ project_id, secret, custom_base_url: plain_url });
} catch (error) {
  refused = error.message;
}

const client = new stytch.Client({ project_id, secret, custom_base_url: base_url });
const first = await browse("google");
const signedIn = await client.oauth.authenticate({ token: first.token, session_duration_minutes: 60 });
const { session_token } = signedIn;
const { oauth_attach_token } = await client.oauth.attach({ provider: "github", session_token });
const second = await browse("github", oauth_attach_token);
const linked = await client.oauth.authenticate({ token: second.token, session_token });
const local = await client.sessions.authenticateJwtLocal({ session_jwt: linked.session_jwt });

report({
  refused,
  cookies: first.cookies,
  same: linked.user_id === signedIn.user_id,
  providers: linked.user.providers.map((each) => each.provider_type),
  local: local.session_id === signedIn.session.session_id,
});
