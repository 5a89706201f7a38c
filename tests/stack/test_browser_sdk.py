"""Stack's own SDK in a real browser, in two published versions: sign in, link, read a token, unlink, sign out."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests import chromium, node_run
from tests.stack.test_sdk import SDKS
from tests.stack.wire import Providers, Stack

pytestmark = [pytest.mark.node, pytest.mark.browser]

APPLICATION = "http://localhost:3000"
CALLBACK = f"{APPLICATION}/handler/oauth-callback"
PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>app</title><script src="/sdk.js"></script></head>
<body><script>
window.app = new StackClientApp({{
  baseUrl: "{base_url}", projectId: "{project_id}", publishableClientKey: "{client_key}", tokenStore: "cookie",
  urls: {{ afterSignIn: "/", afterSignUp: "/welcome" }}, analytics: {{ enabled: false }}, devTool: false,
}});
</script></body></html>"""


@pytest.fixture(scope="session", params=SDKS)
def bundle(request: pytest.FixtureRequest) -> bytes:
    """One version of the SDK, built for a page."""
    return str(node_run.run("stack_bundle.mjs", send={"sdk": request.param})).encode()


@contextmanager
def application(stack: Stack, script: bytes) -> Iterator[str]:
    """The application's own web server, on loopback: its address. Chromium takes it for `localhost:3000`."""
    html = PAGE.format(base_url=stack.base_url, project_id=stack.project_id, client_key=stack.client_key).encode()

    class Served(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_script = self.path == "/sdk.js"
            body = script if is_script else html
            self.send_response(200)
            self.send_header("content-type", "text/javascript; charset=utf-8" if is_script else "text/html")
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


@dataclass
class Visitor:
    """Somebody at the application's page."""

    page: chromium.Page

    async def ask(self, call: str) -> Any:
        """What a piece of the page's code gives, or the code of the error that it throws."""
        return await self.page.evaluate(
            "async () => { try { return {ok: await (async () => " + call + ")() ?? null}; }"
            " catch (error) { return {error: error.errorCode ?? String(error)}; } }"
        )

    async def leave(self, call: str, persona: str) -> None:
        """Start something that sends the browser away; be that persona at the provider, and come back."""
        await self.page.evaluate("() => { " + call + "; }")
        async with self.page.expect_navigation(url=f"{CALLBACK}**"):
            await self.page.click(f'button[name="_persona"][value="{persona}"]')
        await self.page.wait_for_function("window.app !== undefined")

    async def finish(self, place: str) -> None:
        """Let the SDK take what came back; it goes on to `place` by itself."""
        async with self.page.expect_navigation(url=f"{APPLICATION}{place}"):
            await self.page.evaluate("() => { window.app.callOAuthCallback(); }")
        await self.page.wait_for_function("window.app !== undefined")


@asynccontextmanager
async def visiting(stack: Stack, script: bytes) -> AsyncIterator[Visitor]:
    """The application's page in a fresh browser."""
    with application(stack, script) as address:
        async with chromium.launched({"localhost:3000": address}) as browser, chromium.new_page(browser) as page:
            await page.goto(f"{APPLICATION}/")
            await page.wait_for_function("window.app !== undefined")
            yield Visitor(page)


async def test_a_page_signs_in_links_reads_unlinks_and_signs_out(
    stack: Stack, providers: Providers, bundle: bytes
) -> None:
    ida = providers.newcomer(name="Ida")
    async with visiting(stack, bundle) as visitor:
        assert await visitor.ask("app.getUser()") == {"ok": None}

        await visitor.leave("app.signInWithOAuth('google')", ida)
        await visitor.finish("/welcome")
        me = (await visitor.ask("app.getUser().then((user) => [user.id, user.displayName, user.primaryEmail])"))["ok"]
        assert me[1:] == ["Ida", f"{ida}@corp.example"]

        hub = providers.newcomer()
        await visitor.leave("app.getUser().then((user) => user.linkConnectedAccount('github'))", hub)
        # back to where the link was asked for
        await visitor.finish("/welcome")
        rows = stack.ok("GET", f"/oauth-providers?user_id={me[0]}")["items"]
        assert [(row["provider_config_id"], row["allow_sign_in"]) for row in rows] == [
            ("google", True),
            ("github", True),
        ]
        token = await visitor.ask(
            "app.getUser().then((user) => user.getOrLinkConnectedAccount('github'))"
            ".then((account) => account.getAccessToken()).then((told) => typeof told.data.accessToken)"
        )
        assert token == {"ok": "string"}
        listed = await visitor.ask("app.getUser().then((user) => user.listOAuthProviders()).then((all) => all.length)")
        assert listed == {"ok": 2}

        gone = "app.getUser().then((user) => user.listOAuthProviders()).then((all) => all[1].delete())"
        assert "ok" in await visitor.ask(gone)
        rows = stack.ok("GET", f"/oauth-providers?user_id={me[0]}")["items"]
        assert [row["provider_config_id"] for row in rows] == ["google"]

        async with visitor.page.expect_navigation():
            await visitor.page.evaluate("() => { app.signOut(); }")
        await visitor.page.wait_for_function("window.app !== undefined")
        assert await visitor.ask("app.getUser()") == {"ok": None}

        # a second time it is somebody known, who goes elsewhere
        await visitor.page.goto(f"{APPLICATION}/")
        await visitor.leave("app.signInWithOAuth('google')", ida)
        await visitor.finish("/")
        assert (await visitor.ask("app.getUser().then((user) => user.id)"))["ok"] == me[0]


async def test_a_page_is_told_why_it_may_not(stack: Stack, providers: Providers, bundle: bytes) -> None:
    """Somebody else's account is not linked, and whoever says no at the provider is not signed in."""
    persona = providers.newcomer()
    owner, _ = stack.sign_in(persona, "github")
    async with visiting(stack, bundle) as visitor:
        await visitor.leave("app.signInWithOAuth('google')", providers.newcomer())
        await visitor.finish("/welcome")
        await visitor.leave("app.getUser().then((user) => user.linkConnectedAccount('github'))", persona)
        told = await visitor.ask("app.callOAuthCallback()")
        assert told == {"error": "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER"}
        assert [row["id"] for row in stack.ok("GET", f"/users/{owner.user_id}")["oauth_providers"]] == ["github"]
        await visitor.leave("app.signInWithOAuth('google')", "deny")
        assert await visitor.ask("app.callOAuthCallback()") == {"error": "OAUTH_PROVIDER_ACCESS_DENIED"}
