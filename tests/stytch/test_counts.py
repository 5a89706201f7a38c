"""What this dialect's operations cost at the database, keys and project included, once the cache is warm."""

from __future__ import annotations

import pytest

from tests.store.counting import counted
from tests.stytch.in_process import face_on
from tests.stytch.test_time import signed_in


@pytest.mark.parametrize(
    ("method", "template", "body", "params", "statements", "commits"),
    [
        ("GET", "/v1/users/{user_id}", None, {"user_id": "USER"}, 1, 0),
        ("GET", "/v1/sessions", None, {"user_id": "USER"}, 1, 0),
        ("POST", "/v1/sessions/authenticate", {"session_token": "TOKEN"}, {}, 1, 0),
        ("POST", "/v1/sessions/authenticate", {"session_jwt": "JWT"}, {}, 1, 0),
        ("POST", "/v1/sessions/authenticate", {"session_token": "TOKEN", "session_duration_minutes": 9}, {}, 2, 1),
        ("POST", "/v1/oauth/attach", {"provider": "github", "user_id": "USER"}, {}, 1, 1),
        ("POST", "/v1/oauth/attach", {"provider": "github", "session_token": "TOKEN"}, {}, 1, 1),
        ("POST", "/v1/oauth/attach", {"provider": "github", "session_jwt": "JWT"}, {}, 1, 1),
        ("POST", "/v1/users/search", {}, {}, 1, 0),
        ("POST", "/v1/oauth/authenticate", {"token": "x"}, {}, 0, 0),
        ("GET", "/v1/users/{user_id}", None, {"user_id": "session-test-x"}, 0, 0),
    ],
)
async def test_an_operation_costs_what_was_promised(
    migrated_sqlite_url: str,
    method: str,
    template: str,
    body: dict[str, object] | None,
    params: dict[str, str],
    statements: int,
    commits: int,
) -> None:
    async with face_on(migrated_sqlite_url) as face:
        made = await signed_in(face)
        named = {"USER": made["user_id"], "TOKEN": made["session_token"], "JWT": made["session_jwt"]}
        sent = None if body is None else {name: named.get(str(value), value) for name, value in body.items()}
        given = {name: named.get(value, value) for name, value in params.items()}
        await face.call(method, template, sent, **given)
        async with counted(face.rt.db) as counts:
            status, said = await face.call(method, template, sent, **given)
        assert status in (200, 400), said
        assert (len(counts.statements), counts.commits) == (statements, commits), str(counts)


async def test_a_start_is_one_statement_and_wrong_keys_are_none(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        template = "/v1/public/oauth/{provider}/start"
        query = f"public_token={face.public_token}"
        await face.get(template, query, provider="github")
        async with counted(face.rt.db) as counts:
            assert (await face.get(template, query, provider="github")).status == 302
        assert (len(counts.statements), counts.commits) == (1, 1), str(counts)
        await face.call("GET", "/v1/users/{user_id}", user_id="x")
        face.secret = "secret-test-wrong"
        async with counted(face.rt.db) as counts:
            assert (await face.call("GET", "/v1/users/{user_id}", user_id="x"))[0] == 401
        assert counts.statements == []
