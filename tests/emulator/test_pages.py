"""The pages for people, and the ways of starting the emulator: any client, under a path, by command."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from oneself.emulator.trouble import DETAILS, KINDS, Trouble
from tests.emulator.rig import CALLBACK, Reply, Rig, ask, html_unescaped, running

ROOT = Path(__file__).parents[2]


def followed(rig: Rig, reply: Reply) -> Reply:
    assert reply.status == 303
    return ask("GET", reply.headers["location"])


def test_the_index_shows_people_providers_and_what_can_go_wrong(rig: Rig) -> None:
    rig.sign_in("google")
    page = ask("GET", rig.base + "/")
    assert page.status == 200
    for text in ("Ada Byron", "linus@kernel.example", "not verified", "GitHub", "redirect_loop", "/google/token"):
        assert text in page.text, text
    assert "<script" not in page.text
    assert "2 requests" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_pages_ask_nothing_of_the_network(rig: Rig) -> None:
    for path in ("/", "/people/ada", "/people/bobby"):
        text = ask("GET", rig.base + path).text
        assert not re.findall(r"<(?:img|link|script|iframe|source)\b", text)
        assert not re.findall(r"url\(|@import", text)
        for target in re.findall(r'(?:href|action)="([^"]*)"', text):
            assert target.startswith(rig.base), target


def test_every_field_has_a_label(rig: Rig) -> None:
    for path in ("/", "/people/ada"):
        text = ask("GET", rig.base + path).text
        bare = re.sub(r"<label.*?</label>", "", text, flags=re.DOTALL)
        assert not re.findall(r"<(?:input|select|textarea)\b", bare)
        assert '<html lang="en">' in text
        assert text.count("<h1>") == 1


def test_a_person_is_shown_as_each_provider_sees_them(rig: Rig) -> None:
    text = html_unescaped(ask("GET", rig.base + "/people/linus").text)
    assert '"email_verified": false' in text
    assert '"confirmed_email"' not in text
    assert '"account_id"' in text


def test_a_person_is_edited_by_a_form(rig: Rig) -> None:
    form = {"email": "ada@new.example", "name": "Ada L.", "answers": '{"google": {"userinfo": {"hd": "x"}}}'}
    page = followed(rig, ask("POST", rig.base + "/people/ada", form=form))
    assert "ada@new.example" in page.text
    shown = rig.document("google", rig.sign_in("google")["access_token"]).json()
    assert (shown["email"], shown["email_verified"], shown["hd"]) == ("ada@new.example", False, "x")
    followed(rig, ask("POST", rig.base + "/people/ada", form={**form, "email_verified": "on"}))
    assert rig.document("google", rig.sign_in("google")["access_token"]).json()["email_verified"] is True


def test_a_wrong_form_says_why_and_changes_nothing(rig: Rig) -> None:
    before = rig.control("GET", "/personas/ada")
    for wrong in ("{", "[]", '{"google": 1}'):
        page = ask("POST", rig.base + "/people/ada", form={"name": "X", "answers": wrong})
        assert page.status == 400
        assert 'role="alert"' in page.text
    assert rig.control("GET", "/personas/ada") == before
    assert ask("GET", rig.base + "/people/nobody").status == 404


def test_a_fault_is_ordered_and_cleared_by_forms(rig: Rig) -> None:
    form = {"kind": "status", "provider": "google", "endpoint": "token", "times": "2", "status": "502", "seconds": "1"}
    page = followed(rig, ask("POST", rig.base + "/faults", form={**form, "retry_after": "", "error": ""}))
    assert "google token" in page.text
    assert rig.redeem(rig.trip("google")).status == 502
    followed(rig, ask("POST", rig.base + "/faults/clear", form={}))
    assert rig.redeem(rig.trip("google")).status == 200
    wrong = ask("POST", rig.base + "/faults", form={"kind": "nonsense"})
    assert (wrong.status, 'role="alert"' in wrong.text) == (400, True)
    late = {**form, "kind": "delay", "after": "true"}
    followed(rig, ask("POST", rig.base + "/faults", form=late))
    assert rig.control("GET", "/faults")[0]["after"] is True


def test_every_detail_of_an_order_can_be_ordered_by_hand(rig: Rig) -> None:
    """What the form shows for a kind is what an order of it can say; nothing of an order is left out."""
    text = ask("GET", rig.base + "/").text
    named = set(re.findall(r'name="(\w+)"', text.partition("/faults")[2].partition("</form>")[0]))
    assert named == set(Trouble.__struct_fields__)
    assert set(DETAILS) <= set(KINDS)
    form = {"kind": "huge", "size": "5000", "provider": "oidc", "endpoint": "jwks"}
    followed(rig, ask("POST", rig.base + "/faults", form=form))
    assert len(ask("GET", rig.at("oidc", "/jwks")).body) == 5000


@pytest.mark.parametrize("name", ["", "deny", "ada", "a b", "../x", "x" * 65])
def test_a_persona_needs_a_name_of_its_own(rig: Rig, name: str) -> None:
    before = rig.control("GET", "/personas")
    reply = ask("POST", rig.base + "/people", form={"id": name})
    assert (reply.status, 'role="alert"' in reply.text) == (400, True)
    assert rig.control("GET", "/personas") == before
    assert ask("POST", rig.base + "/people", form={"id": "zoe"}).status == 303


def test_a_mark_says_what_the_documents_say(rig: Rig) -> None:
    text = html_unescaped(ask("GET", rig.base + "/").text)
    rows = {row.partition("</code>")[0].rpartition(">")[2]: row for row in text.split("<tr>")}
    for person, provider, word in (
        ("ada", "Google", "proved"),
        ("linus", "Google", "not proved"),
        ("ada", "Spotify", "says nothing of its proof"),
        ("ada", "TikTok", "no address"),
        ("ada", "Mock", "no address"),
        ("nemo", "GitHub", "no address"),
        ("grace", "Microsoft", "not proved"),
        ("ada", "Microsoft", "proved"),
    ):
        assert f'aria-label="{provider}: {word}"' in rows[person], (person, provider)


def test_other_sites_cannot_press_the_buttons(rig: Rig) -> None:
    headers = {"Origin": "https://attacker.example"}
    for path in ("/faults", "/faults/clear", "/people/ada", "/people", "/reset"):
        assert ask("POST", rig.base + path, form={"kind": "delay"}, headers=headers).status == 403
    assert rig.control("GET", "/faults") == []


def test_an_unknown_client_registers_itself_where_that_is_allowed() -> None:
    with running(accept_any_client=True) as rig:
        trip = rig.trip("google")
        assert rig.redeem(trip, redirect_uri="http://127.0.0.1:9/else").status == 400
        assert rig.redeem(trip).status == 200
        # What it showed first is its registration from now on.
        second = rig.trip("google")
        wrong = msgspec.structs.replace(second.client, client_secret="another")
        assert rig.redeem(second, wrong).status == 401
        assert rig.redeem(second).status == 200
        moved = rig.authorize("google", redirect_uri="https://app.example/cb", login_hint="ada")
        assert moved.headers["location"].startswith("https://app.example/cb?")
        for odd in ("javascript:alert(1)", "not a uri", "https://app.example/#fragment"):
            assert "location" not in rig.authorize("google", redirect_uri=odd, login_hint="ada").headers


def test_it_can_live_under_a_path() -> None:
    with running(path="/_dev/idp") as rig:
        assert rig.base.endswith("/_dev/idp")
        token = rig.sign_in("oidc")
        assert rig.subject("oidc", token["access_token"])
        metadata = ask("GET", rig.at("oidc", "/.well-known/openid-configuration")).json()
        assert metadata["token_endpoint"] == rig.base + "/oidc/token"
        page = followed(rig, ask("POST", rig.base + "/people/ada", form={"name": "Ada"}))
        assert page.status == 200
        rig.control("POST", "/faults", {"kind": "redirect_loop", "endpoint": "jwks"})
        looped = ask("GET", rig.at("oidc", "/jwks"))
        assert looped.headers["location"] == "/_dev/idp/oidc/jwks"


def test_the_command_serves_alone() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "oneself.emulator", "--port", str(port), "--client", f"app:s:{CALLBACK}"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        reply = patiently(f"http://127.0.0.1:{port}/google/o/oauth2/v2/auth?client_id=nobody")
        assert reply.status == 401
        query = f"client_id=app&redirect_uri={CALLBACK}&response_type=code&scope=openid&login_hint=ada"
        back = ask("GET", f"http://127.0.0.1:{port}/google/o/oauth2/v2/auth?{query}")
        assert urlsplit(back.headers["location"]).query.startswith("code=")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def patiently(url: str) -> Reply:
    deadline = time.monotonic() + 10
    while True:
        try:
            return ask("GET", url)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_command_refuses_half_a_client() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "oneself.emulator", "--client", "app:secret"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert "ID:SECRET:REDIRECT_URI" in done.stderr
