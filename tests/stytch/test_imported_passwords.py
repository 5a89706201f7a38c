"""Passwords whose hashes came out of another system's file, at this dialect's sign-in."""

from __future__ import annotations

import os
from typing import Any

import bcrypt

from oneself.actions import importing
from oneself.actions.importing import ImportWish
from oneself.crypto.ids import new_uuid
from oneself.model import EmailRecord, UserRecord
from oneself.store import projects
from tests.postgres_server import Cluster
from tests.store.counting import counted
from tests.stytch.in_process import Face, face_on
from tests.stytch.test_time import signed_in

PASSWORD = "correct horse battery"
ADDRESS = "ada@corp.example"


async def came(face: Face, password: str) -> str:
    """Somebody who was imported with this password; the id as the dialect writes it."""
    row = UserRecord(
        id=new_uuid(os.urandom),
        emails=(EmailRecord(address=ADDRESS, verified=True, is_primary=True),),
        password_hash=bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode(),
    )
    project = await face.rt.projects.by(projects.BY_STYTCH_ID, face.project_id)
    assert project is not None
    report = await importing.run(face.rt, project, [(1, row, 0)], ImportWish(source="stytch"))
    assert report.password_hashes == {"bcrypt": 1}
    return f"user-{project.environment}-{row.id}"


async def authenticate(face: Face, password: str, **more: Any) -> tuple[int, Any]:
    body = {"email": ADDRESS, "password": password, **more}
    status, said = await face.call("POST", "/v1/passwords/authenticate", body)
    return status, said


async def test_the_password_of_before_opens_and_costs_more_once(migrated_url: str, postgres: Cluster) -> None:
    async with face_on(migrated_url) as face:
        user_id = await came(face, PASSWORD)
        assert (await authenticate(face, PASSWORD + "!"))[0] == 401
        await signed_in(face)  # the first session of a project makes its keys
        # without a session too: the check alone is a sign-in of the application's own
        costs, ids = [], set()
        for wanted in ({}, {}, {"session_duration_minutes": 60}):
            async with counted(face.rt.db, postgres) as counts:
                status, said = await authenticate(face, PASSWORD, **wanted)
            assert (status, said["user_id"]) == (200, user_id)
            ids.add(said["user"]["password"]["password_id"])
            costs.append((len(counts.statements), counts.commits))
        assert costs == [(4, 1), (2, 0), (6, 1)]
        assert len(ids) == 1


async def test_a_password_is_read_as_bcrypt_read_it(migrated_url: str) -> None:
    long = "0123456789" * 10
    async with face_on(migrated_url) as face:
        user_id = await came(face, long)
        assert (await authenticate(face, long[:71]))[0] == 401
        status, said = await authenticate(face, long[:72] + "whatever follows", session_duration_minutes=60)
        assert (status, said["user_id"]) == (200, user_id)
        # from now on it is the one that was typed, to its last character
        assert (await authenticate(face, long))[0] == 401
        assert (await authenticate(face, long[:72] + "whatever follows"))[0] == 200


async def test_a_nul_is_turned_away_and_no_accident(migrated_url: str) -> None:
    async with face_on(migrated_url) as face:
        await came(face, "correct")
        for wrong in ("correct\0", "correct\0horse", "\0"):
            status, said = await authenticate(face, wrong)
            assert (status, said["error_type"]) == (400, "invalid_argument")
        assert (await authenticate(face, "correct"))[0] == 200
