"""What a development server would have sent, on a page and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import chromium
from tests.chromium import Browser
from tests.server_process import ServerProcess
from tests.stack.wire import fresh_email

CALLBACK = "http://localhost:3000/handler/magic-link"


async def ask(server: ServerProcess, email: str) -> None:
    """Ask for a code as an application's client would."""
    side = server.announced["project"]["stack"]
    headers = {
        "x-stack-access-type": "client",
        "x-stack-project-id": side["project_id"],
        "x-stack-publishable-client-key": side["publishable_client_key"],
    }
    body = {"email": email, "callback_url": CALLBACK}
    url = f"{server.base_url}/api/v1/auth/otp/send-sign-in-code"
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def listed(server: ServerProcess, to: str = "") -> Any:
    url = f"{server.base_url}/mail.json"
    async with aiohttp.ClientSession() as http, http.get(url, params={"to": to}) as answer:
        assert "access-control-allow-origin" not in answer.headers
        return (await answer.json())["letters"]


@pytest.mark.browser
async def test_letters_are_shown_newest_first_with_links_to_click(
    browser: Browser, server: ServerProcess, tmp_path: Path
) -> None:
    first, second = fresh_email(), fresh_email()
    await ask(server, first)
    await ask(server, second)
    async with chromium.new_page(browser) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(server.base_url)
        await page.get_by_role("link", name="Mail that would have been sent").click()
        texts = await page.locator(".letter").all_inner_texts()
        assert second in texts[0]
        assert first in texts[1]
        assert "not sent" in texts[0]
        letter = (await listed(server, second))[0]
        assert letter["code"] in texts[0]
        link = page.locator(".letter a").first
        assert await link.get_attribute("href") == letter["link"]
        await page.get_by_label("Only to").fill(first)
        await page.get_by_label("Only to").press("Enter")
        assert await page.locator(".letter").count() == 1
        await page.set_viewport_size({"width": 360, "height": 640})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.screenshot(path=str(tmp_path / "mail.png"), full_page=True)
        assert complaints == []


async def test_scripts_read_the_same_as_json(server: ServerProcess) -> None:
    email = fresh_email()
    assert await listed(server, email) == []
    await ask(server, email)
    (letter,) = await listed(server, email.upper())
    assert (letter["kind"], letter["state"], letter["to"]) == ("sign_in", "kept", email)
    assert letter["link"].startswith(f"{CALLBACK}?code=")
    assert letter in await listed(server)
    assert server.announced["mail_url"] == f"{server.base_url}/mail.json"


async def test_another_name_for_this_machine_reads_no_letters(server: ServerProcess) -> None:
    async with aiohttp.ClientSession() as http:
        for path in ("/mail", "/mail.json"):
            async with http.get(
                server.base_url + path, headers={"Host": "rebound.example"}, allow_redirects=False
            ) as answer:
                assert (answer.status, answer.headers["location"]) == (303, server.base_url + path)
                assert "code" not in await answer.text()
