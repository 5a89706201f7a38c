"""A server that is killed loses nothing that it acknowledged, and its successor takes nothing twice."""

from __future__ import annotations

import secrets
import signal

from tests.processes.fleet import Fleet, token_of, visited
from tests.processes.killing import kill_often
from tests.stack.wire import Browser, fresh_email

# The long run is `python3 tasks.py crash --servers 40`.
KILLS = 2


def test_nothing_acknowledged_is_lost_by_a_kill(one: Fleet) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    told = kill_often(one, seed, KILLS)
    assert len(told) >= KILLS


def test_what_was_spent_stays_spent_and_what_was_begun_goes_on(one: Fleet) -> None:
    stytch, stack = one.stytch(), one.stack()
    user = stytch.ok("POST", "/users", {"email": fresh_email()})
    attach = {"provider": "github", "user_id": user["user_id"]}
    spent_ticket = stytch.ok("POST", "/oauth/attach", attach)["oauth_attach_token"]
    browser = Browser()
    started = stytch.start(browser, "github", one.newcomer(), oauth_attach_token=spent_ticket)
    path = visited(started.location)
    open_ticket = stytch.ok("POST", "/oauth/attach", attach)["oauth_attach_token"]
    spent_grant = stytch.grant("google", one.newcomer())
    assert stytch.authenticate(spent_grant).status == 200
    trip = stack.start("google")
    landed = stack.land(trip, stack.visit(trip, one.newcomer()))
    assert stack.redeem(trip, landed).status == 200
    keys = one.stack().call("GET", f"/projects/{stack.project_id}/.well-known/jwks.json", access="").json

    one.restart(0, signal.SIGKILL)

    assert stytch.authenticate(spent_grant).status == 400
    assert stack.redeem(trip, landed).status == 400
    refused = stytch.start(Browser(), "github", "ada", oauth_attach_token=spent_ticket)
    assert refused.status in (400, 404), refused.text
    # the trip that was under way goes on, the ticket that was not used works
    returned = stytch.callback(browser, path)
    assert returned.status == 302, returned.text
    assert stytch.authenticate(token_of(returned)).json["user_id"] == user["user_id"]
    assert stytch.start(Browser(), "github", "ada", oauth_attach_token=open_ticket).status == 302
    assert one.stack().call("GET", f"/projects/{stack.project_id}/.well-known/jwks.json", access="").json == keys
