"""The pages by hand-made requests: forms from elsewhere, cookies, headers, trips that do not fit."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from oneself.cli.dev_settings import labels
from oneself.wire.console import words
from tests.server_process import ServerProcess


class Person:
    """A browser without a screen: cookies, and redirects taken by hand."""

    def __init__(self, base_url: str, http: aiohttp.ClientSession) -> None:
        self.base_url = base_url
        self.http = http

    async def get(self, url: str) -> tuple[int, str, str]:
        """Status, where to, and the text."""
        async with self.http.get(url, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("location", ""), await answer.text()

    async def post(self, path: str, form: dict[str, str], **headers: str) -> tuple[int, str]:
        """Status and where to."""
        sent = {"Origin": self.base_url, **headers}
        async with self.http.post(self.base_url + path, data=form, headers=sent, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("location", "")

    async def token(self) -> str:
        """The token of this browser's forms."""
        _, _, page = await self.get(f"{self.base_url}/")
        found = re.search(r'name="form_token" value="([^"]+)"', page)
        assert found is not None
        return found[1]

    async def start(self, provider: str, intent: str = "sign_in") -> str:
        """Where the browser is sent for a provider."""
        form = {"form_token": await self.token(), "intent": intent, "provider": provider}
        status, location = await self.post("/console/start", form)
        assert status == 303
        return location

    async def callback(self, provider: str, persona: str, intent: str = "sign_in") -> str:
        """The address with the provider's answer, not visited yet."""
        location = await self.start(provider, intent)
        status, back, _ = await self.get(f"{location}&login_hint={persona}")
        assert 300 <= status < 400
        return back

    async def trip(self, provider: str, persona: str, intent: str = "sign_in") -> str:
        """A whole trip; what the address of the page then says."""
        status, location, _ = await self.get(await self.callback(provider, persona, intent))
        assert status == 303
        return urlsplit(location).query


@pytest.fixture
async def person(server: ServerProcess) -> AsyncIterator[Person]:
    async with aiohttp.ClientSession() as http:
        yield Person(server.base_url, http)


@pytest.fixture
async def other(server: ServerProcess) -> AsyncIterator[Person]:
    async with aiohttp.ClientSession() as http:
        yield Person(server.base_url, http)


async def test_the_honest_twin_arrives(person: Person) -> None:
    assert await person.trip("google", "ada") in ("notice=created", "notice=signed-in")


async def test_a_form_from_elsewhere_is_refused(person: Person) -> None:
    await person.trip("google", "ada")
    token = await person.token()
    form = {"form_token": token, "intent": "attach", "provider": "github"}
    assert (await person.post("/console/start", form))[0] == 303
    assert (await person.post("/console/start", form, Origin="http://evil.example"))[0] == 403
    assert (await person.post("/console/start", form | {"form_token": "x"}))[0] == 403
    assert (await person.post("/console/start", {"provider": "github"}))[0] == 403
    for path in ("/console/unlink", "/console/sign-out"):
        assert (await person.post(path, {}))[0] == 403
        assert (await person.post(path, {"form_token": token}, Origin="null"))[0] == 403


async def test_a_form_token_of_another_browser_is_refused(person: Person, other: Person) -> None:
    await person.token()
    status, _ = await person.post("/console/start", {"form_token": await other.token(), "provider": "google"})
    assert status == 403


async def test_a_callback_in_another_browser_is_refused_and_spends_nothing(person: Person, other: Person) -> None:
    back = await person.callback("google", "ada")
    await other.token()
    _, location, _ = await other.get(back)
    assert location == "/?refused=flow_cookie_missing"
    _, location, _ = await person.get(back)
    assert location.startswith("/?notice=")


async def test_a_link_finished_in_another_browser_links_nothing(person: Person, other: Person) -> None:
    """Somebody lures a victim into finishing the link that they began."""
    await person.trip("google", "theo")
    await other.trip("google", "casey")
    back = await person.callback("spotify", "casey", "attach")
    _, location, _ = await other.get(back)
    assert location == "/?refused=flow_cookie_missing"
    assert "Spotify</th>" not in (await person.get(f"{person.base_url}/"))[2]


async def test_linking_after_signing_out_is_refused(person: Person) -> None:
    await person.trip("google", "theo")
    back = await person.callback("github", "theo", "attach")
    assert (await person.post("/console/sign-out", {"form_token": await person.token()}))[0] == 303
    _, location, _ = await person.get(back)
    assert location in ("/?refused=attach_proof_missing", "/?refused=asker_gone")


async def test_a_callback_twice_signs_in_once(person: Person) -> None:
    back = await person.callback("google", "ada")
    assert (await person.get(back))[1].startswith("/?notice=")
    assert (await person.get(back))[1].startswith("/?refused=") or (await person.get(back))[0] == 400


async def test_a_callback_under_another_providers_path_is_refused(person: Person) -> None:
    back = await person.callback("google", "ada")
    assert "refused" in (await person.get(back.replace("/callback/google", "/callback/github")))[1]


@pytest.mark.parametrize("query", ["", "?state=x", "?state=x&code=y", "?error=access_denied", "?state=" + "A" * 64])
async def test_a_callback_of_no_trip_is_said(person: Person, query: str) -> None:
    status, _, page = await person.get(f"{person.base_url}/console/callback/google{query}")
    assert status == 400
    assert "was not begun here" in page


async def test_linking_without_a_session_is_refused(person: Person) -> None:
    form = {"form_token": await person.token(), "intent": "attach", "provider": "github"}
    assert await person.post("/console/start", form) == (303, "/?refused=session_not_found")


@pytest.mark.parametrize("provider", ["", "nobody", "google/../github", "<b>"])
async def test_a_provider_that_is_not_there_is_said(person: Person, provider: str) -> None:
    form = {"form_token": await person.token(), "provider": provider}
    status, location = await person.post("/console/start", form)
    assert status == 303
    assert location in ("/?refused=provider_unknown", "/?refused=provider_not_configured")


async def test_an_account_of_somebody_else_is_not_unlinked(person: Person, other: Person) -> None:
    await person.trip("google", "theo")
    await other.trip("google", "casey")
    account = re.search(r'name="account" value="([^"]+)"', (await person.get(f"{person.base_url}/"))[2])
    assert account is not None
    form = {"form_token": await other.token(), "account": account[1]}
    assert await other.post("/console/unlink", form) == (303, "/?refused=account_not_found")
    assert account[1] in (await person.get(f"{person.base_url}/"))[2]


@pytest.mark.parametrize("host", ["127.0.0.1:1", "evil.example", "localhost.evil.example", "localhost"])
async def test_under_another_name_the_page_shows_nothing(person: Person, host: str) -> None:
    async with person.http.get(f"{person.base_url}/", headers={"Host": host}, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["location"] == f"{person.base_url}/"
        assert await answer.text() == ""


async def test_cookies_and_headers_let_nothing_foreign_in(person: Person) -> None:
    async with person.http.get(f"{person.base_url}/") as answer:
        page = await answer.text()
        policy = answer.headers["content-security-policy"]
        cookies = answer.headers.getall("set-cookie")
        assert answer.headers["cache-control"] == "no-store"
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert "server" not in answer.headers
    # no script, no style in the page, no address of another host but links to this one
    assert "<script" not in page
    assert "style=" not in page
    assert set(re.findall(r'(?:src|href)="(https?://[^/"]+)', page)) == {person.base_url}


async def test_the_session_cookie_is_for_the_server_alone(person: Person) -> None:
    back = await person.callback("google", "ada")
    async with person.http.get(back, allow_redirects=False) as answer:
        kept = [cookie for cookie in answer.headers.getall("set-cookie") if cookie.startswith("oneself-console=")]
    assert len(kept) == 1
    assert "HttpOnly; SameSite=Lax" in kept[0]


@pytest.mark.parametrize(
    "query", ["notice=<script>", "notice=x", "refused=<b>x</b>", "refused=x", "notice=created&x=y"]
)
async def test_a_message_is_one_of_ours_or_none(person: Person, query: str) -> None:
    status, _, page = await person.get(f"{person.base_url}/?{query}")
    assert status == 200
    assert "<b>" not in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/console/style.css", 200),
        ("GET", "/console/icon.svg", 200),
        ("GET", "/console/dev.html", 404),
        ("GET", "/console/..%2fapp.py", 404),
        ("GET", "/console/start", 405),
        ("POST", "/", 405),
        ("GET", "/health", 200),
        ("GET", "/health/nothing", 404),
        ("GET", "/openapi/stytch.json", 200),
        ("GET", "/openapi/stack.json", 200),
        ("GET", "/openapi/nothing.json", 404),
    ],
)
async def test_every_other_path_has_its_answer(person: Person, method: str, path: str, status: int) -> None:
    async with person.http.request(method, person.base_url + path, allow_redirects=False) as answer:
        assert answer.status == status


async def test_a_form_too_large_is_refused(person: Person) -> None:
    status, _ = await person.post("/console/start", {"x": "a" * 100_000})
    assert status == 413


async def test_the_state_travels_and_the_cookie_holds_another_secret(person: Person) -> None:
    location = await person.start("google")
    state = parse_qs(urlsplit(location).query)["state"][0]
    trip = [cookie for cookie in person.http.cookie_jar if cookie.key.startswith("oneself-console-trip-")]
    assert len(trip) == 1
    assert trip[0]["path"] == "/console/callback"
    assert trip[0].value != state
    assert state not in trip[0].key


async def answered(person: Person, provider: str, persona: str) -> tuple[int, str]:
    """Say yes at a provider; status and where to, with an answer by form sent on as a browser does."""
    status, back, form = await person.get(f"{await person.start(provider)}&login_hint={persona}")
    if status == 200:
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        action = html.unescape(re.findall(r'action="([^"]+)"', form)[0])
        path = urlsplit(action).path
        sent = {name: html.unescape(value) for name, value in fields.items()}
        status, back = await person.post(path, sent, Origin="https://appleid.apple.com")
        assert status == 303
        back = person.base_url + back
    status, location, _ = await person.get(back)
    return status, location


@pytest.mark.parametrize("provider", labels())
async def test_every_emulated_provider_signs_in(person: Person, provider: str) -> None:
    status, location = await answered(person, provider, "theo")
    assert (status, location) in [(303, "/?notice=created"), (303, "/?notice=signed-in")], provider
    _, _, page = await person.get(f"{person.base_url}/")
    assert "Linked accounts" in page


async def test_a_form_post_that_is_no_answer_is_refused_by_its_trip(person: Person) -> None:
    status, location = await person.post("/console/callback/apple", {"state": "none", "evil": "x"})
    assert (status, location) == (303, "/console/callback/apple?state=none")
    status, _, page = await person.get(person.base_url + location)
    assert status == 400
    assert "was not begun here" in page


async def test_the_story_names_the_account_and_says_what_went_wrong(person: Person, other: Person) -> None:
    await person.trip("google", "linus")
    await other.trip("google", "grace")
    assert await other.trip("google", "linus", "attach") == "refused=account_in_use"
    _, _, page = await other.get(f"{other.base_url}/")
    assert "Google, grace@navy.example" in page


async def test_unlinking_what_the_session_rests_on_says_that_it_ended(person: Person) -> None:
    await person.trip("google", "casey")
    _, _, page = await person.get(f"{person.base_url}/")
    found = re.search(r'name="account" value="([^"]+)"', page)
    assert found is not None
    _, location = await person.post("/console/unlink", {"form_token": await person.token(), "account": found[1]})
    assert location == "/?notice=unlinked-and-out"
    _, _, page = await person.get(person.base_url + location)
    assert "you are signed out" in page
    assert "Sign in with Google" in page


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (("redeem.sign_in", "Create", "new_account"), "Nobody had this account"),
        (("redeem.attach", "Refuse:verifier_mismatch", "no"), "Refused: "),
        (("redeem.attach", "Refuse:account_in_use", "account_of_another_user"), "Refused: That account belongs"),
        (("account.remove", "unlinked", "asked_for"), "An account was unlinked: it was asked for."),
        (("account.revoke", "revoked", "the provider ended the grant"), "unlinked: the provider ended the grant."),
        (("user.change", "changed", "something new"), "Something new."),
        (("code.sign_in", "SignIn", "address_proved"), "A code that was mailed to an address"),
        (("second_factor.sign_in", "SignIn", "second_factor"), "The second factor was right"),
        (("user.import", "created", "csv_file"), "a table that an operator imported"),
    ],
)
def test_every_entry_of_the_audit_is_told_in_a_sentence(entry: tuple[str, str, str], said: str) -> None:
    assert said in words.told(*entry)
