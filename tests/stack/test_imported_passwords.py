"""Passwords whose hashes came out of another system's file, at this dialect's sign-in."""

from __future__ import annotations

import os
from typing import Any

import bcrypt
import pytest

from oneself.actions import importing
from oneself.actions.importing import ImportWish
from oneself.crypto.ids import new_uuid
from oneself.model import EmailRecord, UserRecord
from oneself.store import projects
from tests.postgres_server import Cluster
from tests.stack.in_process import Face, face_on
from tests.stack.wire import fresh_email
from tests.store.counting import counted

PASSWORD = "correct horse battery"
CHANGED = {"old_password": PASSWORD, "new_password": "an entirely new password"}


def made_by_bcrypt(password: str) -> str:
    """What the vendor's own server keeps, at a lower cost."""
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()


async def came(face: Face, password: str) -> tuple[str, str]:
    """Somebody who was imported with this password: id and address."""
    row = UserRecord(
        id=new_uuid(os.urandom),
        emails=(EmailRecord(address=fresh_email(), verified=True, is_primary=True),),
        password_hash=made_by_bcrypt(password),
    )
    project = await face.rt.projects.by(projects.BY_STACK_ID, face.project_id)
    assert project is not None
    report = await importing.run(face.rt, project, [(1, row, 0)], ImportWish(source="stack"))
    assert report.password_hashes == {"bcrypt": 1}
    return row.id, row.emails[0].address


async def sign_in(face: Face, email: str, password: str) -> tuple[int, Any]:
    body = {"email": email, "password": password}
    return await face.call("POST", "/auth/password/sign-in", body, access="client")


async def test_the_password_of_before_opens_and_costs_more_once(migrated_url: str, postgres: Cluster) -> None:
    async with face_on(migrated_url) as face:
        user_id, email = await came(face, PASSWORD)
        assert (await sign_in(face, email, PASSWORD + "!"))[0] == 400
        await face.person()  # the first session of a project makes its keys
        costs = []
        for _ in range(2):
            async with counted(face.rt.db, postgres) as counts:
                status, body = await sign_in(face, email, PASSWORD)
            assert (status, body["user_id"]) == (200, user_id)
            costs.append((len(counts.statements), counts.commits))
        assert costs == [(8, 2), (6, 1)]


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("ы" * 70, "ы" * 70),
        ("ы" * 70, "ы" * 36 + "and whatever follows"),
        ("", ""),
    ],
    ids=("long", "its first 72 bytes", "empty"),
)
async def test_a_password_is_read_as_bcrypt_read_it(migrated_sqlite_url: str, kept: str, typed: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        user_id, email = await came(face, kept)
        status, body = await sign_in(face, email, typed)
        assert (status, body["user_id"]) == (200, user_id)
        # from now on it is the one that was typed, to its last character
        assert (await sign_in(face, email, typed))[0] == 200
        assert (await sign_in(face, email, typed + "!" if len(typed) < 70 else typed[:-1]))[0] == 400


async def test_a_nul_is_turned_away_and_no_accident(migrated_url: str) -> None:
    async with face_on(migrated_url) as face:
        _, email = await came(face, "correct")
        for wrong in ("correct\0", "correct\0horse", "\0", "\ud800"):
            status, body = await sign_in(face, email, wrong)
            assert (status, body["code"]) in [(400, "SCHEMA_ERROR"), (400, "BODY_PARSING_ERROR")], wrong
        assert (await sign_in(face, email, "correct"))[0] == 200


async def test_the_password_of_before_confirms_another_one(migrated_url: str) -> None:
    """A change asks for the old password too; who never signed in with it has its old hash still."""
    async with face_on(migrated_url) as face:
        user_id, email = await came(face, PASSWORD)
        _, tokens = await face.call("POST", "/auth/sessions", {"user_id": user_id})
        how: dict[str, Any] = {"access": "client", "token": tokens["access_token"]}
        wrong = CHANGED | {"old_password": PASSWORD + "!"}
        status, body = await face.call("POST", "/auth/password/update", wrong, **how)
        assert (status, body["code"]) == (400, "PASSWORD_CONFIRMATION_MISMATCH")
        assert (await face.call("POST", "/auth/password/update", CHANGED, **how))[0] == 200
        assert (await sign_in(face, email, PASSWORD))[0] == 400
        assert (await sign_in(face, email, CHANGED["new_password"]))[0] == 200
