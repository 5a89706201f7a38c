"""Kill whole servers while clients work, and hold what the servers acknowledged against what is left."""

from __future__ import annotations

import http.client
import random
import secrets
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.processes.fleet import Fleet, Stytch
from tests.stack.wire import Stack, fresh_email

CLIENTS = 5
# What a client sees of a server that was killed under its request.
CUT = (OSError, http.client.HTTPException)


@dataclass
class History:
    """What clients were told with a 2xx. Nothing else counts: a cut connection says nothing."""

    users: list[str] = field(default_factory=list)
    accounts: list[tuple[str, str]] = field(default_factory=list)
    sessions: list[tuple[str, str]] = field(default_factory=list)
    grants: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.users) + len(self.accounts) + len(self.sessions)


def kill_often(fleet: Fleet, seed: int, kills: int) -> History:
    """Let clients work, kill the first server at a moment that the seed chooses, start it again, and check; repeat.

    Raises AssertionError where something acknowledged is gone or something single-use works again.
    """
    chance = random.Random(seed)
    told = History()
    for _ in range(kills):
        round_told = History()
        stop_at = time.monotonic() + 0.2 + chance.random() * 0.8
        with ThreadPoolExecutor(CLIENTS) as pool:
            seeds = [chance.getrandbits(32) for _ in range(CLIENTS)]
            clients = [pool.submit(_work, fleet, round_told, one, stop_at + 5) for one in seeds]
            while time.monotonic() < stop_at or not round_told:
                time.sleep(0.002)
            fleet.servers[0].stop(signal.SIGKILL)
            for client in clients:
                client.result()
        fleet.servers[0].start()
        fleet.ready()
        check(fleet.stytch(), fleet.stack(), round_told)
        for name in ("users", "accounts", "sessions", "grants", "unanswered"):
            getattr(told, name).extend(getattr(round_told, name))
    check(fleet.stytch(), fleet.stack(), told)
    return told


def _work(fleet: Fleet, told: History, seed: int, until: float) -> None:
    """One client: write after write, until the server is gone."""
    chance = random.Random(seed)
    verbs: tuple[Callable[[Fleet, History], None], ...] = (_create_user, _create_account, _redeem)
    try:
        while time.monotonic() < until:
            chance.choice(verbs)(fleet, told)
    except CUT:
        return


def _create_user(fleet: Fleet, told: History) -> None:
    answer = fleet.stytch().call("POST", "/users", {"email": fresh_email()})
    assert answer.status == 201, answer.text
    told.users.append(answer.json["user_id"])


def _create_account(fleet: Fleet, told: History) -> None:
    stack = fleet.stack()
    user = stack.call("POST", "/users", {"primary_email": fresh_email()})
    assert user.status == 201, user.text
    body = {
        "user_id": user.json["id"],
        "provider_config_id": "github",
        "account_id": secrets.token_hex(8),
        "email": fresh_email(),
        "allow_sign_in": True,
        "allow_connected_accounts": True,
    }
    answer = stack.call("POST", "/oauth-providers", body)
    assert answer.status == 201, answer.text
    told.accounts.append((user.json["id"], answer.json["id"]))


def _redeem(fleet: Fleet, told: History) -> None:
    stytch = fleet.stytch()
    grant = stytch.grant("google", fleet.newcomer())
    try:
        answer = stytch.authenticate(grant)
    except CUT:
        told.unanswered.append(grant)
        raise
    assert answer.status == 200, answer.text
    told.sessions.append((answer.json["session_token"], answer.json["user_id"]))
    told.grants.append(grant)


def check(stytch: Stytch, stack: Stack, told: History) -> None:
    """Nothing acknowledged is lost, nothing that was used works again."""
    for user_id in told.users:
        assert stytch.call("GET", f"/users/{user_id}").status == 200, f"user {user_id} is lost"
    for user_id, account_id in told.accounts:
        held = stack.ok("GET", f"/oauth-providers?user_id={user_id}")["items"]
        assert account_id in [one["id"] for one in held], f"account {account_id} is lost"
    for token, user_id in told.sessions:
        answer = stytch.call("POST", "/sessions/authenticate", {"session_token": token})
        assert answer.status == 200, f"a session of {user_id} is lost"
        assert answer.json["user"]["user_id"] == user_id
    for grant in told.grants:
        assert stytch.authenticate(grant).status == 400, "a grant worked twice"
    for grant in told.unanswered:
        # used or not: nobody was told; but it works at most once from here on
        first, second = (stytch.authenticate(grant).status for _ in range(2))
        assert first in (200, 400), first
        assert second == 400, "a grant worked twice"
