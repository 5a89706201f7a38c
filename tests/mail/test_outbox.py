"""The outbox: a letter is committed with its cause, leaves once, is tried again, and is given up in the open."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import replace

import pytest
import trustme

from oneself.actions import mailing
from oneself.actions.mailing import FIRST_PAUSE, LONGEST_PAUSE
from oneself.actions.runtime import ProjectDirectory, Runtime
from oneself.faults import Fault, FaultCode
from oneself.mail.smtp import check
from oneself.model import Secret
from oneself.rules.lifetimes import MAIL_GIVEN_UP_AFTER, SECOND
from oneself.store.opening import open_database
from tests.mail.catcher import Catcher, catching
from tests.mail.conftest import mailing_face, server_of
from tests.stack.in_process import Face
from tests.stack.wire import fresh_email

CALLBACK = "http://localhost:3000/handler/magic-link"


async def ask(face: Face, email: str) -> str:
    """Ask for a code; the nonce."""
    status, body = await face.call(
        "POST", "/auth/otp/send-sign-in-code", {"email": email, "callback_url": CALLBACK}, access="client"
    )
    assert status == 200, body
    return str(body["nonce"])


async def later(face: Face, micros: int) -> None:
    """Let time pass for the outbox, as its database sees it."""
    await face.rt.db.change(
        "UPDATE outbox SET next_at = next_at - $1, created_at = created_at - $1, expires_at = expires_at - $1 "
        "RETURNING id",
        micros,
    )


async def rows(face: Face) -> int:
    found = await face.rt.db.one("SELECT COUNT(*) FROM outbox")
    assert found is not None
    return int(found[0])


async def test_a_letter_leaves_and_its_row_goes(face: Face, catcher: Catcher) -> None:
    email = fresh_email()
    nonce = await ask(face, email)
    assert catcher.caught == []
    assert await rows(face) == 1
    assert await mailing.drain(face.rt) == 1
    caught = catcher.last(email)
    assert caught.recipients == (email,)
    assert caught.sender == "id@oneself.example"
    assert caught.subject == "Sign in to In process"
    assert caught.link.startswith(f"{CALLBACK}?code=")
    assert caught.code[6:] == nonce
    assert len(caught.code) == 45
    assert caught.code[:6].upper() in caught.text
    assert nonce in caught.html
    assert "If it was not you" in caught.text
    assert caught.mail["From"] == "Oneself <id@oneself.example>"
    assert caught.mail["Auto-Submitted"] == "auto-generated"
    assert await rows(face) == 0
    assert await mailing.drain(face.rt) == 0


async def test_neither_code_nor_letter_lies_in_clear(face: Face, catcher: Catcher) -> None:
    email = fresh_email()
    nonce = await ask(face, email)
    held = []
    for table in ("outbox", "one_time_codes"):
        held += [
            bytes(value) if isinstance(value, memoryview) else value
            for row in await face.rt.db.all(f"SELECT * FROM {table}")
            for value in row
        ]
    assert all(nonce.encode() not in (value if isinstance(value, bytes) else str(value).encode()) for value in held)
    sealed = [value for value in held if isinstance(value, bytes)]
    assert all(email.encode() not in value for value in sealed)
    await mailing.drain(face.rt)
    assert catcher.last(email).code[6:] == nonce


async def test_a_refused_change_leaves_no_letter(face: Face, catcher: Catcher) -> None:
    _, other = await face.call("POST", "/users", {"primary_email": fresh_email(), "primary_email_auth_enabled": True})
    status, body = await face.call(
        "POST",
        "/auth/otp/send-sign-in-code",
        {"email": other["primary_email"], "callback_url": CALLBACK},
        access="client",
    )
    assert (status, body["code"]) == (409, "USER_EMAIL_ALREADY_EXISTS")
    assert await rows(face) == 0
    await ask(face, fresh_email())
    assert await rows(face) == 1


async def test_several_processes_send_each_letter_once(face: Face, catcher: Catcher, migrated_url: str) -> None:
    addresses = [fresh_email() for _ in range(30)]
    for address in addresses:
        await ask(face, address)
    if face.rt.db.engine == "sqlite":
        others = [face.rt] * 3  # one process serves a file; its rounds may still meet
    else:
        others = [await another(face.rt, migrated_url) for _ in range(3)]
    tried = await asyncio.gather(*(mailing.drain(rt) for rt in [face.rt, *others]))
    assert sum(tried) == 30
    assert sorted(one.recipients[0] for one in catcher.caught) == sorted(addresses)
    for rt in others:
        if rt is not face.rt:
            await rt.db.close()


async def another(rt: Runtime, url: str) -> Runtime:
    """What a second process has of its own: connections, and what it knows of projects."""
    db = await open_database(url, rt.clock, clock_limit=None)
    return replace(rt, db=db, projects=ProjectDirectory(db, rt.ring, os.urandom))


async def test_a_server_that_is_away_is_tried_again_with_growing_pauses(face: Face, catcher: Catcher) -> None:
    email = fresh_email()
    await ask(face, email)
    away = replace(face.rt, mail_server=server_of(Catcher(port=_nobody())))
    for attempt in range(7):
        before = face.rt.clock()
        assert await mailing.drain(away) == 1
        now = face.rt.clock()
        row = await face.rt.db.one("SELECT next_at FROM outbox")
        assert row is not None
        pause = min(FIRST_PAUSE * 4**attempt, LONGEST_PAUSE)
        assert before + pause <= row[0] <= now + pause
        await later(face, row[0] - now + SECOND)
    assert await mailing.drain(face.rt) == 1
    assert catcher.last(email).recipients == (email,)


def _nobody() -> int:
    """A port that nobody listens on."""
    with catching() as gone:
        return gone.port


async def test_what_nobody_takes_for_a_day_is_given_up_and_told(
    face: Face, catcher: Catcher, caplog: pytest.LogCaptureFixture
) -> None:
    email = fresh_email()
    await ask(face, email)
    away = replace(face.rt, mail_server=server_of(Catcher(port=_nobody())))
    await later(face, MAIL_GIVEN_UP_AFTER + SECOND)
    assert await mailing.drain(away) == 1
    assert await rows(face) == 0
    assert await given_up(face) == [("mail.sign_in", "mail_not_sent")]
    assert "is given up" in caplog.text
    assert email not in caplog.text
    assert catcher.caught == []


async def given_up(face: Face) -> list[tuple[str, str]]:
    found = await face.rt.db.all("SELECT action, reason FROM audit WHERE decision = 'given_up'")
    return [(row[0], row[1]) for row in found]


async def test_a_recipient_refused_for_good_is_given_up_at_once_and_one_refused_for_now_is_not(
    face: Face, catcher: Catcher
) -> None:
    gone, full, fine = fresh_email(), fresh_email(), fresh_email()
    catcher.answers = {gone: ["550 no such user"], full: ["450 try later"]}
    for address in (gone, full, fine):
        await ask(face, address)
    assert await mailing.drain(face.rt) == 3
    assert [one.recipients for one in catcher.caught] == [(fine,)]
    assert await given_up(face) == [("mail.sign_in", "mail_refused")]
    assert await rows(face) == 1
    await later(face, FIRST_PAUSE + SECOND)
    assert await mailing.drain(face.rt) == 1
    assert catcher.last(full).recipients == (full,)
    assert await rows(face) == 0


async def test_an_answer_that_is_lost_sends_a_second_time_under_the_same_id(face: Face, catcher: Catcher) -> None:
    email, other = fresh_email(), fresh_email()
    await ask(face, email)
    catcher.swallow = 1
    assert await mailing.drain(face.rt) == 1
    assert await rows(face) == 1
    await ask(face, other)
    assert await mailing.drain(face.rt) == 1
    await later(face, FIRST_PAUSE + SECOND)
    assert await mailing.drain(face.rt) == 1
    twice = catcher.wait(2, to=email)
    assert len({one.mail["Message-ID"] for one in twice}) == 1
    assert catcher.last(other).mail["Message-ID"] != twice[0].mail["Message-ID"]
    assert await rows(face) == 0


async def test_letters_leave_over_tls_with_a_user_or_not_at_all(migrated_url: str) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    theirs, ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    certificate.configure_cert(theirs)
    authority.configure_trust(ours)
    for security, immediate in (("starttls", False), ("tls", True)):
        made = Catcher(tls=theirs, immediate=immediate, users={"oneself": "password"})
        with catching(made) as catcher:
            server = server_of(
                catcher, host="localhost", security=security, user="oneself", password=Secret("password"), tls=ours
            )
            await check(server)
            with pytest.raises(Fault, match="does not take the user"):
                await check(replace(server, password=Secret("wrong")))
            with pytest.raises(Fault) as untrusted:
                await check(replace(server, tls=None))
            assert untrusted.value.code is FaultCode.MAIL_NOT_SENT
            if security == "tls":
                continue
            async with mailing_face(migrated_url, catcher) as face:
                email = fresh_email()
                await ask(face, email)
                await mailing.drain(replace(face.rt, mail_server=server))
                assert (catcher.last(email).protected, catcher.last(email).user) == (True, "oneself")
    with catching() as plain, pytest.raises(Fault):
        await check(server_of(plain, security="starttls"))
