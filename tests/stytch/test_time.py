"""What passes with time: a JWT that has expired, one that is reused, a session that ends, keys that rotate."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.stytch.in_process import Face, face_on
from tests.stytch.test_sessions import claims_of

TEMPLATE = "/v1/sessions/authenticate"


async def signed_in(face: Face, minutes: int = 60) -> Any:
    body = {"email": "ada@people.example", "password": "correct horse", "session_duration_minutes": minutes}
    status, said = await face.call("POST", "/v1/passwords", body)
    assert status == 200, said
    return said


async def test_an_expired_jwt_of_a_live_session_is_answered_with_a_fresh_one(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        made = await signed_in(face)
        face.clock.forward(600)
        status, said = await face.call("POST", TEMPLATE, {"session_jwt": made["session_jwt"]})
        assert (status, said["session_token"]) == (200, "")
        old, new = claims_of(made["session_jwt"]), claims_of(said["session_jwt"])
        assert new["exp"] > old["exp"] + 500
        face.clock.forward(3600)
        status, said = await face.call("POST", TEMPLATE, {"session_jwt": said["session_jwt"]})
        assert (status, said["error_type"]) == (404, "session_not_found")
        status, said = await face.call("POST", TEMPLATE, {"session_token": made["session_token"]})
        assert (status, said["error_type"]) == (404, "session_not_found")


async def test_a_jwt_is_handed_out_again_for_a_minute_at_most(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        made = await signed_in(face)
        ref = {"session_token": made["session_token"]}
        first = (await face.call("POST", TEMPLATE, ref))[1]["session_jwt"]
        face.clock.forward(40)
        assert (await face.call("POST", TEMPLATE, ref))[1]["session_jwt"] == first
        face.clock.forward(30)
        later = (await face.call("POST", TEMPLATE, ref))[1]
        assert later["session_jwt"] != first
        claims = claims_of(later["session_jwt"])
        assert claims["iat"] > claims_of(first)["iat"] + 60
        assert claims["https://stytch.com/session"]["last_accessed_at"] == later["session"]["last_accessed_at"]


async def test_a_session_ends_with_its_duration_and_a_check_moves_it(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        made = await signed_in(face, minutes=5)
        ref = {"session_token": made["session_token"]}
        face.clock.forward(240)
        status, _ = await face.call("POST", TEMPLATE, {**ref, "session_duration_minutes": 10})
        assert status == 200
        face.clock.forward(400)
        assert (await face.call("POST", TEMPLATE, ref))[0] == 200
        face.clock.forward(300)
        assert (await face.call("POST", TEMPLATE, ref))[0] == 404
        _, said = await face.call("GET", "/v1/sessions", user_id=made["user_id"])
        assert said["sessions"] == []


async def test_one_address_begins_only_so_many_trips_in_a_minute(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url, starts_per_address=2) as face:
        face.clock.to_next_minute()

        async def start(peer: str) -> int:
            template = "/v1/public/oauth/{provider}/start"
            reply = await face.get(template, f"public_token={face.public_token}", peer, provider="github")
            assert ("retry-after" in dict(reply.headers)) == (reply.status == 429)
            return reply.status

        assert [await start("192.0.2.1") for _ in range(3)] == [302, 302, 429]
        assert await start("192.0.2.2") == 302
        face.clock.forward(61)
        assert await start("192.0.2.1") == 302


async def test_a_password_is_guessed_only_so_often_in_a_minute(migrated_url: str) -> None:
    async with face_on(migrated_url, passwords_per_account=3) as face:
        face.clock.to_next_minute()
        made = {"email": "ada@people.example", "password": "correct horse"}
        other = {"email": "grace@people.example", "password": "correct horse"}
        for account in (made, other):
            assert (await face.call("POST", "/v1/passwords", account))[0] == 200

        async def tried(account: dict[str, str], **changes: str) -> tuple[int, str]:
            status, said = await face.call("POST", "/v1/passwords/authenticate", account | changes)
            return status, said.get("error_type", "")

        # the right one is none that is limited
        assert [(await tried(made))[0] for _ in range(5)] == [200] * 5
        # many at once are no way around it, whether anybody has the address or not
        for email in (made["email"], "nobody@people.example"):
            guesses = await asyncio.gather(*(tried(made, email=email, password=f"guess {n}") for n in range(6)))
            assert sorted(guesses) == [(401, "unauthorized_credentials")] * 3 + [(429, "too_many_requests")] * 3
        # it hits the right one too, so that nothing is learned, and nobody else
        assert await tried(made, email="ADA@people.example") == (429, "too_many_requests")
        assert (await tried(other))[0] == 200
        face.clock.forward(61)
        assert (await tried(made))[0] == 200


async def test_a_trip_that_takes_too_long_is_told_from_one_that_never_was(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        begun = await face.get(
            "/v1/public/oauth/{provider}/start", f"public_token={face.public_token}", provider="github"
        )
        location = dict(begun.headers)["location"]
        sent = dict(parse_qsl(urlsplit(location).query))
        callback_id = sent["redirect_uri"].rpartition("/")[2]
        cookie = next(value for name, value in begun.headers if value.startswith("oneself-trip-"))
        headers = {"cookie": cookie.partition(";")[0]}
        face.clock.forward(601)
        template = "/v1/oauth/callback/{callback_id}"
        query = f"state={sent['state']}&code=x"
        late = await face.get(template, query, headers=headers, callback_id=callback_id)
        assert json.loads(late.body)["error_type"] == "expired_oauth_response"
        bare = await face.get(template, query, callback_id=callback_id)
        assert json.loads(bare.body)["error_type"] == "oauth_state_mismatch"
        unknown = await face.get(template, "state=x", headers=headers, callback_id=callback_id)
        assert json.loads(unknown.body)["error_type"] == "oauth_invalid_state"


async def test_a_ticket_ends_after_ten_minutes(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        made = await signed_in(face)
        body = {"provider": "github", "user_id": made["user_id"]}
        template = "/v1/public/oauth/{provider}/start"
        for seconds, status in ((590, 302), (610, 400)):
            _, said = await face.call("POST", "/v1/oauth/attach", body)
            face.clock.forward(seconds)
            query = f"public_token={face.public_token}&oauth_attach_token={said['oauth_attach_token']}"
            reply = await face.get(template, query, provider="github")
            assert reply.status == status
