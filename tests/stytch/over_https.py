"""What an application does with Stytch's Python SDK over https; it is run as a process that trusts as it is told."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import requests
import stytch

LANDING = "http://localhost:3000/"


def browse(base_url: str, public_token: str, provider: str, persona: str, ticket: str = "") -> str:
    """A trip to a provider and back, certificates checked; the one-time token."""
    browser = requests.Session()
    params = {"public_token": public_token, "provider_login_hint": persona}
    if ticket:
        params["oauth_attach_token"] = ticket
    url = f"{base_url}/v1/public/oauth/{provider}/start"
    answer = browser.get(url, params=params, allow_redirects=False, timeout=20)
    while not answer.headers["location"].startswith(LANDING):
        answer = browser.get(answer.headers["location"], allow_redirects=False, timeout=20)
    return answer.headers["location"].rpartition("token=")[2]


def synchronous(client: stytch.Client, told: dict[str, str]) -> dict[str, Any]:
    """Sign in, link, check the JWT with the server's public keys."""
    base_url, public_token = told["base_url"], told["public_token"]
    token = browse(base_url, public_token, "google", told["first"])
    signed_in = client.oauth.authenticate(token, session_duration_minutes=60)
    ticket = client.oauth.attach("oidc", session_token=signed_in.session_token).oauth_attach_token
    token = browse(base_url, public_token, "oidc", told["first"], ticket)
    linked = client.oauth.authenticate(token, session_token=signed_in.session_token)
    checked = client.sessions.authenticate_jwt(linked.session_jwt).session
    mine = signed_in.user_session
    return {
        "same": linked.user_id == signed_in.user_id,
        "providers": [each.provider_type for each in linked.user.providers],
        "session": bool(mine and checked.session_id == mine.session_id),
    }


async def asynchronous(client: stytch.Client, told: dict[str, str]) -> dict[str, Any]:
    """The same by the SDK's coroutines."""
    base_url, public_token = told["base_url"], told["public_token"]
    token = await asyncio.to_thread(browse, base_url, public_token, "google", told["second"])
    signed_in = await client.oauth.authenticate_async(token, session_duration_minutes=60)
    ticket = await client.oauth.attach_async("github", session_token=signed_in.session_token)
    token = await asyncio.to_thread(browse, base_url, public_token, "github", told["second"], ticket.oauth_attach_token)
    linked = await client.oauth.authenticate_async(token, session_token=signed_in.session_token)
    checked = await client.sessions.authenticate_async(session_jwt=linked.session_jwt)
    return {
        "same": linked.user_id == signed_in.user_id == checked.user.user_id,
        "providers": [each.provider_type for each in linked.user.providers],
    }


async def main() -> None:
    """Read what to do from standard input, and say what came of it on standard output."""
    told = json.load(sys.stdin)
    client = stytch.Client(told["project_id"], told["secret"], custom_base_url=told["base_url"])
    print(json.dumps({"sync": synchronous(client, told), "async": await asynchronous(client, told)}))


if __name__ == "__main__":
    asyncio.run(main())
