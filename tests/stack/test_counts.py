"""What this dialect's operations cost at the database, keys and project included, once the cache is warm."""

from __future__ import annotations

import pytest

from tests.postgres_server import Cluster
from tests.stack.in_process import face_on
from tests.stack.wire import s256
from tests.store.counting import counted

AUTHORIZE = (
    "/auth/oauth/authorize/github?client_id=PROJECT&client_secret=__stack_public_client__&scope=legacy&state=s"
    "&redirect_uri=http://localhost:3000/&grant_type=authorization_code&response_type=code&code_challenge_method=S256"
    f"&code_challenge={s256('v' * 43)}"
)
NEW = {"provider_config_id": "github", "account_id": "1", "allow_sign_in": True, "allow_connected_accounts": True}
CLIENT = {"access": "client", "token": True, "key": False}


@pytest.mark.parametrize(
    ("method", "path", "body", "how", "statements", "commits"),
    [
        ("GET", "/users/me", None, CLIENT, 1, 0),
        ("GET", "/oauth-providers?user_id=me", None, CLIENT, 1, 0),
        ("GET", "/connected-accounts/me", None, CLIENT, 1, 0),
        ("GET", "/contact-channels?user_id=me", None, CLIENT, 1, 0),
        ("GET", "/auth/sessions?user_id=me", None, CLIENT, 1, 0),
        ("GET", "/teams?user_id=me", None, CLIENT, 1, 0),
        ("GET", "/projects/current", None, CLIENT, 0, 0),
        ("GET", "/users/USER", None, {}, 1, 0),
        ("GET", "/users", None, {}, 1, 0),
        ("GET", "/oauth-providers?user_id=USER", None, {}, 1, 0),
        ("GET", "/connected-accounts/USER", None, {}, 1, 0),
        ("GET", "/projects/PROJECT/.well-known/jwks.json", None, {"access": ""}, 0, 0),
        ("POST", "/auth/sessions/current/refresh", None, {"access": "client", "refresh": True}, 1, 0),
        ("POST", "/oauth-providers", {"user_id": "USER", **NEW}, {}, 3, 1),
        ("GET", AUTHORIZE, None, {"access": ""}, 1, 1),
        ("POST", "/connected-accounts/USER/github/access-token", {}, {}, 1, 0),
        ("GET", "/users/not-a-uuid", None, {}, 0, 0),
    ],
)
async def test_an_operation_costs_what_was_promised(
    migrated_url: str,
    postgres: Cluster,
    method: str,
    path: str,
    body: object,
    how: dict[str, object],
    statements: int,
    commits: int,
) -> None:
    async with face_on(migrated_url) as face:
        person, warm = await face.person(), await face.person()

        async def call(who: dict[str, str]) -> int:
            text = path.replace("USER", who["id"]).replace("PROJECT", face.project_id)
            sent = {k: who["id"] if v == "USER" else v for k, v in body.items()} if isinstance(body, dict) else body
            if isinstance(sent, dict) and "account_id" in sent:
                sent["account_id"] = who["id"]
            headers = {"x-stack-refresh-token": who["refresh_token"]} if how.get("refresh") else {}
            reply = await face.reply(
                method,
                text,
                sent,
                access=str(how.get("access", "server")),
                token=who["access_token"] if how.get("token") else "",
                key=bool(how.get("key", True)),
                headers=headers,
            )
            return reply.status

        await call(warm)
        async with counted(face.rt.db, postgres) as counts:
            status = await call(person)
        assert status < 500
        assert (len(counts.statements), counts.commits) == (statements, commits), str(counts)


async def test_a_selected_team_costs_a_read_nothing(migrated_url: str, postgres: Cluster) -> None:
    async with face_on(migrated_url) as face:
        person = await face.person()
        _, team = await face.call("POST", "/teams", {"display_name": "T", "creator_user_id": person["id"]})
        path = f"/users/{person['id']}"
        _, changed = await face.call("PATCH", path, {"selected_team_id": team["id"]})
        for how in ({"path": "/users/me", **CLIENT, "token": person["access_token"]}, {"path": path}):
            where = str(how.pop("path"))
            async with counted(face.rt.db, postgres) as counts:
                status, user = await face.call("GET", where, **how)
            assert (status, user["selected_team"]["display_name"], user["selected_team_id"]) == (200, "T", team["id"])
            assert len(counts.statements) == 1, str(counts)
        async with counted(face.rt.db, postgres) as counts:
            _, listed = await face.call("GET", "/users")
        assert listed["items"] == [changed]
        assert len(counts.statements) == 1, str(counts)
        # a team that its user has left, or that is gone, is selected no more
        await face.call("DELETE", f"/team-memberships/{team['id']}/{person['id']}")
        _, user = await face.call("GET", path)
        assert (user["selected_team"], user["selected_team_id"]) == (None, None)


async def test_wrong_keys_and_bad_tokens_cost_nothing(migrated_url: str, postgres: Cluster) -> None:
    async with face_on(migrated_url) as face:
        person = await face.person()
        wrong = {"x-stack-secret-server-key": "ssk_wrong"}
        async with counted(face.rt.db, postgres) as counts:
            assert (await face.reply("GET", "/users", key=False, headers=wrong)).status == 401
            assert (await face.reply("GET", "/users/me", access="client", token="x.y.z")).status == 401
            assert (
                await face.reply("GET", "/users/me", access="client", token=person["access_token"] + "x")
            ).status == 401
        assert counts.statements == []
