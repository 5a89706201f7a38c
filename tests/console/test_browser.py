"""The trip of all trips in a real browser: sign in with Google, link GitHub, see both and whose they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import chromium
from tests.chromium import Browser, Page
from tests.server_process import ServerProcess

pytestmark = pytest.mark.browser


async def pick(page: Page, persona: str) -> None:
    """Pick a persona on the emulated provider's page."""
    await page.get_by_role("button", name=re.compile(rf"^\W*\w? ?{persona}\b")).first.click()
    await page.wait_for_url("**/?*")


async def sign_in(page: Page, base_url: str, provider: str, persona: str) -> None:
    await page.goto(base_url)
    await page.get_by_role("button", name=f"Sign in with {provider}").click()
    await pick(page, persona)


async def link(page: Page, provider: str, persona: str) -> None:
    await page.get_by_role("button", name=f"Link {provider}").click()
    await pick(page, persona)


async def rows(page: Page) -> list[str]:
    """The linked accounts as the page shows them, one text a row."""
    return [" ".join(text.split()) for text in await page.locator("tbody tr").all_inner_texts()]


async def test_sign_in_with_google_link_github_see_both(
    browser: Browser, server: ServerProcess, tmp_path: Path
) -> None:
    async with chromium.new_page(browser) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await sign_in(page, server.base_url, "Google", "Ada Byron")
        assert await page.get_by_role("status").inner_text() == "Welcome. A new user was made for you."
        await link(page, "GitHub", "Grace Hopper")
        assert await page.get_by_role("status").inner_text() == "The account was linked to this user."
        assert await page.get_by_role("heading", level=1).inner_text() == "Ada Byron"
        google, github = await rows(page)
        assert google.startswith("Google")
        assert github.startswith("GitHub")
        assert "ada@corp.example" in google
        assert "grace@navy.example" in github
        assert all("Ada Byron" in row for row in (google, github))
        story = await page.locator(".story").inner_text()
        assert "asked for the link" in story
        assert "a new user was made" in story
        await page.screenshot(path=str(tmp_path / "both.png"), full_page=True)
        # the page needs nothing from anywhere else, and its policy stops nothing of its own
        assert complaints == []


async def test_either_account_now_signs_the_same_user_in(browser: Browser, server: ServerProcess) -> None:
    async with chromium.new_page(browser) as page:
        await sign_in(page, server.base_url, "Google", "Theo Zwei")
        user = await page.locator(".facts code").first.inner_text()
        await link(page, "Spotify", "Theo Zwei")
    async with chromium.new_page(browser) as page:
        await sign_in(page, server.base_url, "Spotify", "Theo Zwei")
        assert await page.locator(".facts code").first.inner_text() == user
        assert await page.get_by_role("status").inner_text() == "You are signed in."


async def test_an_account_of_another_user_is_not_linked(browser: Browser, server: ServerProcess) -> None:
    async with chromium.new_page(browser) as first, chromium.new_page(browser) as second:
        await sign_in(first, server.base_url, "OpenID Connect", "Linus Korppi")
        await sign_in(second, server.base_url, "Google", "Casey Case")
        await link(second, "OpenID Connect", "Linus Korppi")
        assert "belongs to another user" in await second.get_by_role("alert").inner_text()
        assert len(await rows(second)) == 1


async def test_the_last_way_in_is_kept_and_the_page_says_why(browser: Browser, server: ServerProcess) -> None:
    async with chromium.new_page(browser) as page:
        await sign_in(page, server.base_url, "GitHub", "Nemo Nobody")
        await page.get_by_role("button", name="Unlink GitHub").click()
        assert "last way to sign in" in await page.get_by_role("alert").inner_text()
        assert len(await rows(page)) == 1
        await link(page, "Spotify", "Nemo Nobody")
        await page.get_by_role("button", name="Unlink GitHub").click()
        assert await page.get_by_role("status").inner_text() == "The account was unlinked."
        assert [row.split()[0] for row in await rows(page)] == ["Spotify"]


async def test_saying_no_at_the_provider_changes_nothing(browser: Browser, server: ServerProcess) -> None:
    async with chromium.new_page(browser) as page:
        await page.goto(server.base_url)
        await page.get_by_role("button", name="Sign in with Google").click()
        await page.get_by_role("button", name="Deny").click()
        assert "You said no" in await page.get_by_role("alert").inner_text()
        assert await page.get_by_role("button", name="Sign in with Google").is_visible()


async def test_signing_out_ends_the_session(browser: Browser, server: ServerProcess) -> None:
    async with chromium.new_page(browser) as page:
        await sign_in(page, server.base_url, "Google", "Rosa Neu")
        await page.get_by_role("button", name="Sign out").click()
        assert await page.get_by_role("status").inner_text() == "You are signed out."
        await page.goto(server.base_url)
        assert await page.get_by_role("button", name="Sign in with Google").is_visible()


async def test_what_a_provider_sends_is_text_and_never_markup(browser: Browser, server: ServerProcess) -> None:
    async with chromium.new_page(browser) as page:
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        await page.goto(server.base_url)
        await page.get_by_role("button", name="Sign in with Google").click()
        await page.locator("button", has_text="bobby@tables.example").click()
        await page.wait_for_url("**/?*")
        assert "<script>" in await page.get_by_role("heading", level=1).inner_text()
        assert dialogs == []


async def test_it_works_by_keyboard_alone_and_on_a_small_screen(browser: Browser, server: ServerProcess) -> None:
    async with chromium.new_page(browser) as page:
        await page.set_viewport_size({"width": 360, "height": 640})
        await page.goto(server.base_url)
        button = page.get_by_role("button", name="Sign in with Google")
        await button.focus()
        await page.keyboard.press("Enter")
        await pick(page, "Grace Hopper")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360
