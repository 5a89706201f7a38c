"""The pages in a real browser: a persona is pressed, and the answer reaches the application."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.chromium import Browser
from tests.emulator.rig import Rig


def opened(rig: Rig, provider: str, path: str, more: str) -> str:
    """An authorization address whose client lives at an address of the emulator that nobody serves."""
    back = f"{rig.base}/nowhere"
    rig.control("POST", "/clients", {"client_id": "page", "client_secret": "s", "redirect_uris": [back]})
    query = f"client_id=page&redirect_uri={quote(back, safe='')}&response_type=code&state=s-1-2-3-4&{more}"
    return rig.at(provider, path) + "?" + query


@pytest.mark.browser
async def test_a_press_leads_back_by_redirect(rig: Rig, browser: Browser) -> None:
    page = await browser.new_page(java_script_enabled=False)
    await page.goto(opened(rig, "google", "/o/oauth2/v2/auth", "scope=openid%20email"))
    await page.get_by_label("email").uncheck()
    await page.get_by_role("button", name="Grace Hopper").click()
    came = parse_qs(urlsplit(page.url).query)
    assert page.url.startswith(f"{rig.base}/nowhere?")
    assert (came["state"], came["scope"]) == (["s-1-2-3-4"], ["openid"])


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
async def test_a_form_post_arrives_with_and_without_scripts(rig: Rig, browser: Browser, scripts: bool) -> None:
    page = await browser.new_page(java_script_enabled=scripts)
    await page.goto(opened(rig, "apple", "/auth/authorize", "scope=name%20email&response_mode=form_post"))
    async with page.expect_request(f"{rig.base}/nowhere") as arrived:
        await page.get_by_role("button", name="Ada Byron").click()
        if not scripts:
            await page.get_by_role("button", name="Continue").click()
    request = await arrived.value
    came = parse_qs(request.post_data or "")
    assert request.method == "POST"
    assert came["state"] == ["s-1-2-3-4"]
    assert '"firstName": "Ada"' in came["user"][0]


@pytest.mark.browser
async def test_a_person_is_edited_and_a_fault_ordered_by_hand(rig: Rig, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(f"{rig.base}/people/linus")
    await page.get_by_text("Change this persona").click()
    await page.get_by_label("The address is verified").check()
    await page.get_by_label("verified: where that differs").fill('{"github": false}')
    await page.get_by_role("button", name="Save").click()
    linus = rig.control("GET", "/personas/linus")
    assert (linus["email_verified"], linus["verified"]) == (True, {"github": False})
    await page.get_by_role("link", name="All personas").click()
    row = page.get_by_role("row", name="linus")
    assert await row.get_by_label("Google: proved").count() == 1
    await row.get_by_label("GitHub: not proved").click()
    shown = page.get_by_label("GitHub", exact=True)
    assert await shown.is_visible()
    assert '"verified": false' in await shown.inner_text()
    await page.get_by_role("link", name="All personas").click()
    await page.get_by_label("Fault").select_option("rate_limit")
    assert not await page.get_by_label("Seconds", exact=True).is_visible(), "it says nothing of a limit"
    await page.get_by_label("Retry-After, in seconds", exact=True).fill("30")
    await page.get_by_label("Endpoint").select_option("token")
    await page.get_by_role("button", name="Order it").click()
    ordered = rig.control("GET", "/faults")[0]
    assert (ordered["kind"], ordered["endpoint"], ordered["retry_after"]) == ("rate_limit", "token", 30)
    await page.get_by_role("button", name="Clear all").click()
    assert rig.control("GET", "/faults") == []


@pytest.mark.browser
async def test_somebody_new_is_added_and_everything_forgotten(rig: Rig, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(f"{rig.base}/")
    await page.get_by_label("Another persona").fill("zoe")
    await page.get_by_role("button", name="Add").click()
    assert await page.get_by_role("heading", level=1).inner_text() == "Zoe"
    assert rig.control("GET", "/personas/zoe")["email"] == "zoe@new.example"
    await page.get_by_role("link", name="All personas").click()
    await page.get_by_role("button", name="Forget everything").click()
    assert "zoe" not in {person["id"] for person in rig.control("GET", "/personas")}


@pytest.mark.browser
async def test_a_narrow_page_does_not_scroll_sideways(rig: Rig, browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 390, "height": 800})
    for path in ("/", "/people/grace", "/people/bobby"):
        await page.goto(rig.base + path)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
