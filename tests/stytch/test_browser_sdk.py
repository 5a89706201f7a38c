"""The vendor's real browser bundle in headless Chromium: sign in, link, read, unlink, sign out."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests import chromium, node_run
from tests.stytch.rig import LOGIN_URL, Rig
from tests.stytch.test_users import phone

BUNDLE = node_run.FOLDER / "node_modules/@stytch/vanilla-js/dist/iife/index.headless.js"
APPLICATION = "http://localhost:3000"
ABSENT = "11111111-1111-4111-8111-111111111111"

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>app</title>
<script src="/stytch.js"></script></head><body><script>
const api = "{base_url}";
window.client = new stytch.StytchHeadlessClient("{public_token}", {options});
// What a call gives or throws, as plain data.
window.ask = async (call) => {{
  try {{
    return {{ok: await call(window.client)}};
  }} catch (error) {{
    return {{error: error.error_type || String(error)}};
  }}
}};
</script></body></html>"""


# The SDK's options for a server that speaks plain http: strings that it uses as they are.
PLAIN = "{endpoints: {testAPIURL: api, liveAPIURL: api, dfpBackendURL: api, clientsideServicesIframeURL: api}}"


@contextmanager
def application(rig: Rig, options: str = PLAIN) -> Iterator[str]:
    """The application's own web server, on loopback: its address. Chromium takes it for `localhost:3000`."""
    html = PAGE.format(base_url=rig.base_url, public_token=rig.public_token, options=options).encode()

    class Served(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script = self.path == "/stytch.js"
            body = BUNDLE.read_bytes() if script else html
            self.send_response(200)
            self.send_header("content-type", "text/javascript" if script else "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def opened(rig: Rig) -> AsyncIterator[chromium.Page]:
    """The application's page in a fresh browser, with the SDK started."""
    with application(rig) as address:
        async with chromium.launched({"localhost:3000": address}) as browser, chromium.new_page(browser) as page:
            async with page.expect_response(lambda reply: "/projects/bootstrap/" in reply.url):
                await page.goto(APPLICATION)
            await page.wait_for_function("window.client !== undefined")
            yield page


async def ask(page: chromium.Page, call: str) -> Any:
    return await page.evaluate(f"async () => ask(async (client) => {call})")


async def travel(page: chromium.Page, provider: str, persona: str, more: str = "") -> Any:
    """Start at a provider from the page and come back with what the SDK's redeem says."""
    start = (
        f"client.oauth.{provider}.start({{login_redirect_url: '{LOGIN_URL}', signup_redirect_url: '{LOGIN_URL}',"
        f" provider_params: {{login_hint: '{persona}'}}, {more}}})"
    )
    async with page.expect_navigation(url=f"{LOGIN_URL}**"):
        await page.evaluate(f"() => {{ const client = window.client; {start}; }}")
    await page.wait_for_function("window.client !== undefined")
    return await ask(
        page,
        "client.oauth.authenticate(new URL(location.href).searchParams.get('token'), {session_duration_minutes: 60})",
    )


@pytest.mark.browser
async def test_a_page_signs_in_links_reads_unlinks_and_signs_out(dev: Rig) -> None:
    person = dev.persona(given_name="Ida")
    async with opened(dev) as page:
        starts: list[str] = []
        page.on("request", lambda sent: starts.append(sent.url) if "/start?" in sent.url else None)
        assert await ask(page, "client.user.getSync()") == {"ok": None}
        assert await ask(page, "client.oauth.attach('github')") == {"error": "user_unauthenticated"}

        made = (await travel(page, "google", person.id))["ok"]
        assert "code_challenge=" in starts[0]
        assert made["user"]["name"]["first_name"] == "Ida"
        assert made["session"]["authentication_factors"][0]["delivery_method"] == "oauth_google"
        cookies = {each["name"] for each in await page.context.cookies(APPLICATION)}
        assert {"stytch_session", "stytch_session_jwt"} <= cookies

        ticket = (await ask(page, "client.oauth.attach('github')"))["ok"]["oauth_attach_token"]
        linked = await travel(page, "github", dev.persona().id, f"oauth_attach_token: '{ticket}'")
        assert linked["ok"]["user_id"] == made["user_id"]
        assert linked["ok"]["session_token"] == made["session_token"]

        me = (await ask(page, "client.user.get()"))["ok"]
        assert [each["provider_type"] for each in me["providers"]] == ["Google", "Github"]
        changed = await ask(page, "client.user.update({untrusted_metadata: {theme: 'dark'}})")
        assert changed["ok"]["user"]["untrusted_metadata"] == {"theme": "dark"}
        refused = await ask(page, "client.user.update({trusted_metadata: {admin: true}})")
        assert refused == {"error": "cannot_update_trusted_metadata"}

        registration = linked["ok"]["oauth_user_registration_id"]
        left = await ask(page, f"client.user.deleteOAuthRegistration('{registration}')")
        assert [each["provider_type"] for each in left["ok"]["user"]["providers"]] == ["Google"]
        kept = await ask(page, "client.session.authenticate({session_duration_minutes: 90})")
        assert kept["ok"]["session"]["session_id"] == made["session"]["session_id"]

        assert (await ask(page, "client.session.revoke()"))["ok"]["status_code"] == 200
        assert await ask(page, "client.session.getSync()") == {"ok": None}
        again = await ask(page, "client.user.get()")
        assert again == {"ok": None} or "error" in again
    assert dev.client.sessions.get(made["user_id"]).sessions == []


@pytest.mark.browser
async def test_a_page_of_another_origin_gets_nothing(dev: Rig) -> None:
    elsewhere = "http://localhost:3001"
    with application(dev) as address:
        async with chromium.launched({"localhost:3001": address}) as browser, chromium.new_page(browser) as page:
            await page.goto(f"{elsewhere}/")
            said = await page.evaluate(
                f"""async () => fetch("{dev.base_url}/sdk/v1/users/me", {{
                    credentials: "include", headers: {{authorization: "Basic eDp5"}}}})
                    .then((reply) => reply.status, (error) => error.name)"""
            )
            assert said == "TypeError"


LIST = """async () => {
  const names = {};
  for (const part of ["oauth", "session", "user"]) {
    const found = new Set();
    for (let at = window.client[part]; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
      for (const name of Object.getOwnPropertyNames(at))
        if (name !== "constructor" && !name.startsWith("_")) found.add(name);
    names[part] = [...found].sort();
  }
  return names;
}"""


# What the tests of this file call; `start` of each provider is one function.
DRIVEN = {
    "oauth": "attach authenticate github google",
    "session": "attest authenticate exchangeAccessToken getInfo getSync getTokens onChange revoke updateSession",
    "user": (
        "deleteBiometricRegistration deleteCryptoWallet deleteEmail deleteOAuthRegistration deletePhoneNumber "
        "deleteTOTP deleteWebauthnRegistration get getConnectedApps getInfo getSync onChange revokedConnectedApp update"
    ),
}
LEFT_OUT = {
    "the same as google and github": (
        "amazon apple bitbucket coinbase discord facebook figma gitlab linkedin microsoft salesforce slack snapchat "
        "tiktok twitch twitter yahoo"
    ),
    "inner parts of start": "getBaseApiUrl navigate startOAuthFlow",
    "comes from the vendor's own frame alone": "googleOneTap startOneTap",
}


@pytest.mark.browser
async def test_every_method_of_the_browser_sdk_is_driven_or_named(dev: Rig) -> None:
    left_out = set(" ".join(LEFT_OUT.values()).split())
    async with opened(dev) as page:
        exported = await page.evaluate(LIST)
    for part, names in exported.items():
        assert set(names) == set(DRIVEN[part].split()) | (left_out if part == "oauth" else set()), part


@pytest.mark.browser
async def test_what_else_a_page_can_ask_of_oneself(dev: Rig) -> None:
    user = dev.client.users.create(email=dev.persona().email, phone_number=phone())
    ticket = dev.client.oauth.attach("google", user_id=user.user_id).oauth_attach_token
    async with opened(dev) as page:
        made = (await travel(page, "google", dev.persona().id, f"oauth_attach_token: '{ticket}'"))["ok"]
        assert made["user_id"] == user.user_id
        assert (await ask(page, "client.session.getInfo()"))["ok"]["session"]["user_id"] == user.user_id
        tokens = (await ask(page, "client.session.getTokens()"))["ok"]
        assert (tokens["session_token"], tokens["session_jwt"]) == (made["session_token"], made["session_jwt"])
        assert (await ask(page, "client.user.getInfo()"))["ok"]["user"]["user_id"] == user.user_id
        assert (await ask(page, "client.user.getConnectedApps()"))["ok"]["connected_apps"] == []
        heard = (
            "new Promise((heard) => { client.user.onChange(heard); client.session.onChange(() => null);"
            " client.user.update({name: {first_name: 'Neo'}}); })"
        )
        assert (await ask(page, heard))["ok"]["name"]["first_name"] == "Neo"
        for call, error in (
            ("client.user.revokedConnectedApp('x')", "connected_app_not_found"),
            (f"client.user.deleteTOTP('totp-test-{ABSENT}')", "totp_not_found"),
            (f"client.user.deleteCryptoWallet('crypto-wallet-test-{ABSENT}')", "crypto_wallet_not_found"),
            (
                f"client.user.deleteWebauthnRegistration('webauthn-registration-test-{ABSENT}')",
                "webauthn_registration_not_found",
            ),
            (
                f"client.user.deleteBiometricRegistration('biometric-registration-test-{ABSENT}')",
                "biometric_registration_not_found",
            ),
            ("client.session.attest({profile_id: 'x', token: 'x'})", "product_not_configured"),
            (
                "client.session.exchangeAccessToken({access_token: 'x', session_duration_minutes: 5})",
                "product_not_configured",
            ),
        ):
            assert await ask(page, call) == {"error": error}, call
        emails = (await ask(page, f"client.user.deleteEmail('{user.email_id}')"))["ok"]["user"]["emails"]
        assert user.email_id not in [each["email_id"] for each in emails]
        left = await ask(page, f"client.user.deletePhoneNumber('{user.phone_id}')")
        assert left["ok"]["user"]["phone_numbers"] == []
        # the tokens of a session that the application's own backend opened
        other = dev.sign_in("github", dev.persona())
        given = f"{{session_token: '{other.session_token}', session_jwt: '{other.session_jwt}'}}"
        await ask(page, f"client.session.updateSession({given})")
        assert (await ask(page, "client.session.authenticate()"))["ok"]["session"]["user_id"] == other.user_id
