"""What time does to access tokens, sessions, keys and trips."""

from __future__ import annotations

import re

from oneself.wire.stack.times import http_date, iso
from tests.stack.in_process import face_on
from tests.stack.test_counts import AUTHORIZE
from tests.stack.wire import jwt_claims


async def test_an_expired_access_token(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url, access_token_seconds=60) as face:
        person = await face.person()
        claims = jwt_claims(person["access_token"])
        assert claims["exp"] - claims["iat"] == 60
        how = {"access": "client", "token": person["access_token"]}
        face.clock.forward(58)
        assert (await face.call("GET", "/users/me", **how))[0] == 200
        face.clock.forward(3)
        status, said = await face.call("GET", "/users/me", **how)
        assert (status, said["code"]) == (401, "ACCESS_TOKEN_EXPIRED")
        assert said["details"] == {
            "expired_at_millis": claims["exp"] * 1000,
            "project_id": face.project_id,
            "user_id": person["id"],
            "refresh_token_id": claims["refresh_token_id"],
        }
        assert said["error"] == (
            "Access token has expired. Please refresh it and try again. (The access token expired at "
            f"{iso(claims['exp'] * 1000)}.) Project ID: {face.project_id}. User ID: {person['id']}. Refresh token ID: "
            f"{claims['refresh_token_id']}.\n\nDebug info: Most likely, you fetched the access token before it expired "
            "(for example, in a server component, pre-rendered page, or on page load), but then didn't refresh it "
            "before it expired. If this is the case, and you're using the SDK, make sure you call getAccessToken() "
            "every time you need to use the access token. If you're not using the SDK, make sure you refresh the "
            "access token with the refresh endpoint."
        )


async def test_a_session_ends_after_its_year(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        person = await face.person()
        how = {"access": "client", "headers": {"x-stack-refresh-token": person["refresh_token"]}}
        face.clock.forward(364 * 86_400)
        assert (await face.call("POST", "/auth/sessions/current/refresh", **how))[0] == 200
        face.clock.forward(2 * 86_400)
        status, said = await face.call("POST", "/auth/sessions/current/refresh", **how)
        assert (status, said["code"]) == (401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED")


async def test_a_trip_that_takes_too_long(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url) as face:
        for seconds in (601, 601 + 3600):
            started = await face.reply("GET", AUTHORIZE.replace("PROJECT", face.project_id), access="")
            cookie = dict(started.headers)["set-cookie"].partition(";")[0]
            state = cookie.partition("=")[0].removeprefix("stack-oauth-inner-")
            face.clock.forward(seconds)
            path = f"/auth/oauth/callback/github?code=x&state={state}"
            reply = await face.reply("GET", path, access="", headers={"cookie": cookie})
            assert reply.status == 307
            assert "errorCode=OUTER_OAUTH_TIMEOUT" in dict(reply.headers)["location"]


async def test_an_expired_refresh_token_hands_nothing_over(migrated_sqlite_url: str) -> None:
    async with face_on(migrated_sqlite_url, access_token_seconds=10_000) as face:
        _, user = await face.call("POST", "/users", {})
        _, tokens = await face.call("POST", "/auth/sessions", {"user_id": user["id"], "expires_in_millis": 60_000})
        face.clock.forward(61)
        body = {"redirect_uri": "http://localhost:1/", "state": "s", "code_challenge": "c" * 43}
        reply = await face.reply(
            "POST",
            "/auth/oauth/cross-domain/authorize",
            body,
            access="client",
            token=tokens["access_token"],
            headers={"x-stack-refresh-token": tokens["refresh_token"]},
        )
        assert (reply.status, reply.body) == (401, b"Cross-domain auth handoff refresh token is not valid.")


async def test_behind_https_the_cookie_is_for_https_alone(migrated_sqlite_url: str) -> None:
    for base_url, between in (("http://localhost:8000", ""), ("https://id.example.com", "Secure; ")):
        async with face_on(migrated_sqlite_url, base_url=base_url) as face:
            started = await face.reply("GET", AUTHORIZE.replace("PROJECT", face.project_id), access="")
            text = dict(started.headers)["set-cookie"]
            assert text.endswith(f"; Max-Age=600; {between}HttpOnly")
            assert re.fullmatch(
                r"stack-oauth-inner-[\w-]+=true; Path=/; Expires=[^;]+; Max-Age=600; (Secure; )?HttpOnly", text
            )


def test_dates_as_cookies_and_messages_write_them() -> None:
    assert http_date(784_111_777 * 1_000_000) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert iso(1_700_000_000_005) == "2023-11-14T22:13:20.005Z"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", http_date(0))
