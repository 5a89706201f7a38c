"""What one process began, another finishes; what one changed, the others know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from oneself.actions import projects
from oneself.actions.runtime import Runtime
from oneself.app.opening import opened_runtime
from oneself.config import load
from tests.processes.fleet import PROJECT_ID, STACK_ID, STYTCH_ID, Fleet, Stytch, fleet, token_of, visited
from tests.stack.wire import Browser, send

SEEN_WITHIN_SECONDS = 5.0
STYTCH_JWKS = f"/v1/sessions/jwks/{STYTCH_ID}"
STACK_JWKS = f"/api/v1/projects/{STACK_ID}/.well-known/jwks.json"


def test_an_attach_travels_over_three_processes(three: Fleet) -> None:
    persona = three.newcomer()
    a, b, c = (three.stytch(number) for number in range(3))
    user = a.ok("POST", "/users", {"email": f"{persona}@people.example"})
    ticket = a.ok("POST", "/oauth/attach", {"provider": "github", "user_id": user["user_id"]})
    browser = Browser()
    started = b.start(browser, "github", persona, oauth_attach_token=ticket["oauth_attach_token"])
    assert started.status == 302, started.text
    landed = c.callback(browser, visited(started.location))
    assert landed.status == 302, landed.text
    redeemed = a.authenticate(token_of(landed)).json
    assert redeemed["user_id"] == user["user_id"]
    assert [one["provider_type"] for one in redeemed["user"]["providers"]] == ["Github"]
    for server in (b, c):
        shown = server.ok("POST", "/sessions/authenticate", {"session_token": redeemed["session_token"]})
        assert shown["user"]["user_id"] == user["user_id"]
        shown = server.ok("POST", "/sessions/authenticate", {"session_jwt": redeemed["session_jwt"]})
        assert shown["session"]["session_id"] == redeemed["session"]["session_id"]


def test_stacks_sign_in_travels_over_three_processes(three: Fleet) -> None:
    persona = three.newcomer()
    a, b, c = (three.stack(number) for number in range(3))
    trip = a.start("google")
    landed = b.land(trip, b.visit(trip, persona))
    assert landed.status == 303, (landed.status, landed.text)
    answer = c.redeem(trip, landed)
    assert answer.status == 200, answer.text
    tokens = answer.json
    for server in (a, b, c):
        me = server.ok("GET", "/users/me", access="client", token=tokens["access_token"])
        assert me["primary_email"] == f"{persona}@people.example"
    again = a.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert again.status == 200, again.text
    # a second redemption, wherever it is tried
    assert {server.redeem(trip, landed).status for server in (a, b, c)} == {400}


def test_workers_of_one_server_share_everything(tmp_path: Path, migrated_postgres_url: str, emulator: str) -> None:
    with fleet(tmp_path, migrated_postgres_url, emulator, 1, ("--workers", "2")) as made:
        stytch = made.stytch()
        # the first use of the keys, by both workers at once: one pair is made
        assert len(set(raced([stytch.base_url] * 8, STYTCH_JWKS))) == 1
        people = [stytch.sign_in("github", made.newcomer()) for _ in range(4)]

        def shown(one: Any) -> str:
            answer = stytch.ok("POST", "/sessions/authenticate", {"session_token": one["session_token"]})
            return str(answer["user"]["user_id"])

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(shown, people * 4)) == [one["user_id"] for one in people * 4]
        # both workers really took part
        assert made.logs().count(" answers") == 2


def test_published_keys_are_the_same_everywhere_and_made_once(three: Fleet) -> None:
    places = [server.base_url for server in three.servers] * 3
    # nobody restricted or anonymous signed in yet: these keys are made by this very race
    for path, count in ((STACK_JWKS, 1), (f"{STACK_JWKS}?include_restricted=true&include_anonymous=true", 3)):
        found = raced(places, path)
        assert len(set(found)) == 1
        assert len(found[0]) == count
    assert len(set(raced(places, STYTCH_JWKS))) == 1


def raced(places: Sequence[str], path: str) -> list[tuple[str, ...]]:
    """The key ids that each place publishes, asked at once."""
    with ThreadPoolExecutor(len(places)) as pool:
        return list(pool.map(lambda place: kids(place, path), places))


def kids(base_url: str, path: str) -> tuple[str, ...]:
    """The ids of the keys that a server publishes."""
    answer = (
        Stytch(base_url).call("GET", path.removeprefix("/v1"))
        if path.startswith("/v1")
        else send(base_url, "GET", path)
    )
    assert answer.status == 200, answer.text
    return tuple(key["kid"] for key in answer.json["keys"])


def test_a_revoked_key_and_a_changed_project_are_seen_by_all(three: Fleet) -> None:
    async def change(work: Callable[[Runtime], object]) -> object:
        async with opened_runtime(load(three.config), serving=False) as rt:
            return await work(rt)  # type: ignore[misc]

    async def make(rt: Runtime) -> tuple[str, str]:
        project = await projects.by_id(rt, PROJECT_ID)
        assert project is not None
        set_id, keys = await projects.add_keys(rt, project, ("stack_server",), "for this test", 0)
        return set_id, keys.stack_server

    made = asyncio.run(change(make))
    assert isinstance(made, tuple)
    set_id, secret = made

    def statuses() -> set[int]:
        headers = {"x-stack-access-type": "server", "x-stack-project-id": STACK_ID, "x-stack-secret-server-key": secret}
        return {send(server.base_url, "GET", "/api/v1/users?limit=1", headers).status for server in three.servers}

    until(lambda: statuses() == {200})

    async def revoke(rt: Runtime) -> bool:
        project = await projects.by_id(rt, PROJECT_ID)
        assert project is not None
        return await projects.revoke_keys(rt, project, set_id)

    assert asyncio.run(change(revoke)) is True
    until(lambda: statuses() == {401})

    def names() -> set[str]:
        shown = [three.stack(number).ok("GET", "/projects/current", access="client") for number in range(3)]
        return {one["display_name"] for one in shown}

    assert names() == {"Shop"}

    async def rename(rt: Runtime) -> None:
        project = await projects.by_id(rt, PROJECT_ID)
        assert project is not None
        await projects.rename(rt, project, "Another Shop")

    asyncio.run(change(rename))
    until(lambda: names() == {"Another Shop"})


def until(condition: Callable[[], bool]) -> None:
    """Within the promised time."""
    deadline = time.monotonic() + SEEN_WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "not seen within five seconds"
        time.sleep(0.1)
