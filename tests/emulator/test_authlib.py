"""Every emulated provider under authlib, an OAuth client that is not ours: trip, document, refresh, refusals."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import MissingCodeException
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.emulator.plays import PLAYS, within
from tests.emulator.rig import CALLBACK, Rig, apple_secret, ask, fields_of_form

ALL = sorted(PLAYS)
# authlib knows RFC 6749: client_id, a 4xx for a refusal, an endpoint that tells of the user by itself.
BY_THE_BOOK = sorted(set(ALL) - {"tiktok"})
AUTH = {"basic": "client_secret_basic", "post": "client_secret_post", "jwt": "client_secret_post"}


def session(rig: Rig, provider: str, **more: Any) -> Any:
    play = PLAYS[provider]
    client = rig.client(provider)
    return OAuth2Session(
        client_id=client.client_id,
        client_secret=apple_secret(client, play) if play.auth == "jwt" else client.client_secret,
        token_endpoint_auth_method=AUTH[play.auth],
        scope=play.scope,
        redirect_uri=CALLBACK,
        code_challenge_method="S256" if play.pkce else None,
        token_endpoint=rig.at(provider, play.token),
        **more,
    )


def callback(rig: Rig, provider: str, oauth: Any, verifier: str, persona: str = "ada", **params: str) -> str:
    """Take authlib's authorization URL there and back, and give the callback's URL."""
    play = PLAYS[provider]
    extra = {"code_verifier": verifier} if play.pkce else {}
    asked = {**play.params, "login_hint": persona, **params, **extra}
    url, state = oauth.create_authorization_url(rig.at(provider, play.authorize), **asked)
    reply = ask("GET", url.replace("+", "%20"))
    location = reply.headers.get("location", "").replace("#_=_", "")
    if reply.status == 200:
        location = CALLBACK + "?" + urlencode(fields_of_form(reply))
    assert f"state={state}" in location
    return str(location)


@pytest.mark.parametrize("provider", BY_THE_BOOK)
def test_a_whole_trip(rig: Rig, provider: str) -> None:
    play, verifier = PLAYS[provider], "v" * 64
    oauth = session(rig, provider)
    back = callback(rig, provider, oauth, verifier)
    # requests follows nothing here; GitHub answers JSON because authlib asks for it.
    kept = {"code_verifier": verifier} if play.pkce else {}
    token = oauth.fetch_token(authorization_response=back, **kept)
    assert token["access_token"]
    if play.introspected:
        shown = oauth.post(rig.at(provider, play.userinfo), data={"token": token["access_token"]}).json()
    elif play.userinfo:
        shown = oauth.get(rig.at(provider, play.userinfo)).json()
    else:
        return
    assert within(shown, play.subject)
    if play.email:
        assert within(shown, play.email) == "ada@corp.example"
    with pytest.raises(OAuthError):
        # The second use: authlib sees the refusal in the provider's body, or no token in it.
        again = oauth.fetch_token(authorization_response=back, **kept)
        if "access_token" not in again:
            raise OAuthError("no token", json.dumps(again))


@pytest.mark.parametrize("provider", sorted(name for name in BY_THE_BOOK if PLAYS[name].refreshes))
def test_a_refresh(rig: Rig, provider: str) -> None:
    play, verifier = PLAYS[provider], "v" * 64
    oauth = session(rig, provider)
    kept = {"code_verifier": verifier} if play.pkce else {}
    token = oauth.fetch_token(authorization_response=callback(rig, provider, oauth, verifier), **kept)
    more = {"redirect_uri": CALLBACK} if play.refresh_wants_redirect else {}
    url = rig.at(provider, play.refresh or play.token)
    fresh = oauth.refresh_token(url, refresh_token=token["refresh_token"], **more)
    assert fresh["access_token"] != token["access_token"]
    if play.userinfo and not play.introspected:
        assert within(oauth.get(rig.at(provider, play.userinfo)).json(), play.subject)


@pytest.mark.parametrize("provider", sorted(name for name in BY_THE_BOOK if PLAYS[name].pkce))
def test_a_wrong_verifier_beside_the_right_one(rig: Rig, provider: str) -> None:
    oauth = session(rig, provider)
    back = callback(rig, provider, oauth, "v" * 64)
    with pytest.raises(OAuthError):
        oauth.fetch_token(authorization_response=back, code_verifier="w" * 64)
    assert oauth.fetch_token(authorization_response=back, code_verifier="v" * 64)["access_token"]


@pytest.mark.parametrize("provider", BY_THE_BOOK)
def test_a_person_who_says_no(rig: Rig, provider: str) -> None:
    oauth = session(rig, provider)
    back = callback(rig, provider, oauth, "v" * 64, "deny")
    with pytest.raises(MissingCodeException):
        parse_authorization_code_response(back)
    assert "error=access_denied" in back or "error=user_cancelled_authorize" in back


@pytest.mark.parametrize("provider", ["oidc", "google", "gitlab", "discord", "amazon", "twitch"])
def test_a_revocation(rig: Rig, provider: str) -> None:
    where = {"oidc": "/revoke", "google": "/revoke", "gitlab": "/oauth/revoke", "twitch": "/oauth2/revoke"}
    where["discord"] = "/api/oauth2/token/revoke"
    if provider not in where:
        assert ask("POST", rig.at(provider, "/revoke"), form={"token": "x"}).status == 404
        return
    oauth, verifier = session(rig, provider), "v" * 64
    kept = {"code_verifier": verifier} if PLAYS[provider].pkce else {}
    token = oauth.fetch_token(authorization_response=callback(rig, provider, oauth, verifier), **kept)
    assert rig.subject(provider, token["access_token"])
    body = f"client_id=the-client&token={token['access_token']}" if provider == "twitch" else None
    reply = oauth.revoke_token(rig.at(provider, where[provider]), token=token["access_token"], body=body)
    assert reply.status_code == 200
    assert rig.subject(provider, token["access_token"]) is None


def test_openid_connect_by_discovery(local: Rig) -> None:
    """What a client does that knows nothing but the issuer."""
    issuer = local.at("oidc", "")
    metadata = ask("GET", issuer + "/.well-known/openid-configuration").json()
    assert metadata["issuer"] == issuer
    oauth = OAuth2Session(
        client_id="the-client",
        client_secret=local.client("oidc").client_secret,
        scope="openid email profile",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    url, state = oauth.create_authorization_url(
        metadata["authorization_endpoint"], nonce="n", code_verifier="v" * 64, login_hint="linus"
    )
    back = ask("GET", url).headers["location"]
    token = oauth.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier="v" * 64
    )
    keys = KeySet.import_key_set(ask("GET", metadata["jwks_uri"]).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": "the-client"},
        nonce={"essential": True, "value": "n"},
    ).validate(decoded.claims)
    shown = oauth.get(metadata["userinfo_endpoint"]).json()
    assert shown["sub"] == decoded.claims["sub"]
    assert (shown["email"], shown["email_verified"]) == ("linus@kernel.example", False)
