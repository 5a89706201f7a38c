"""Plays Coinbase's OAuth 2.0, as docs.cdp.coinbase.com describes it."""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.personas import uuid_shaped
from oneself.emulator.player import Issued, Player, Refresh, Resource, Revocation, Scene, unflagged

_YEAR_AND_A_HALF = 47_304_000


def _check(asked: Mapping[str, str], _query: str) -> tuple[str, str] | None:
    if len(asked.get("state", "12345678")) < 8:
        return "invalid_request", "state has to be at least 8 characters."
    return None


def _user(scene: Scene) -> Answer:
    person = scene.persona
    said: Json = {
        "id": scene.subject,
        "name": person.name,
        "username": None,
        "profile_location": None,
        "avatar_url": person.picture or "https://images.coinbase.example/avatar",
        "resource": "user",
        "resource_path": "/v2/user",
    }
    if scene.has("wallet:user:email") and person.email:
        said["email"] = person.email
    return Answer(body={"data": said})


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
            "scope": " ".join(issued.scene.scopes),
        }
    )


def _refuse(refusal: Refusal) -> Answer:
    if refusal is Refusal.REFRESH:
        return failure(401, "invalid_grant", "The refresh token is invalid, expired or used.")
    return rfc6749(refusal)


def _refuse_api(reason: str) -> Answer:
    said = {
        "missing": (401, "authentication_error", "invalid token"),
        "dead": (401, "expired_token", "The access token expired"),
        "scope": (403, "invalid_scope", "Invalid scope"),
    }[reason]
    return Answer(status=said[0], body={"errors": [{"id": said[1], "message": said[2]}]})


COINBASE = Player(
    id="coinbase",
    name="Coinbase",
    issuer="https://login.coinbase.com",
    subject=lambda persona: uuid_shaped("coinbase", persona),
    overrides={
        "authorization": "/oauth2/auth",
        "token": "/oauth2/token",
        "userinfo": "/v2/user",
        "revocation": "/oauth2/revoke",
    },
    email_words=unflagged,
    quirks=(
        "state needs 8 characters; code_challenge_method means plain when it is left out.",
        "A refresh token needs offline_access, is for one use, and dies with status 401.",
        "Revoking wants the live access token, and answers 200 whatever came of it.",
        "Everything of the user stands under data; the e-mail carries no flag.",
    ),
    authorization_path="/oauth2/auth",
    sign_in_scopes=("wallet:user:read", "wallet:user:email"),
    scope_separators=" ,",
    check=_check,
    denial={"error": "access_denied"},
    token_path="/oauth2/token",
    client_auth=("post",),
    refresh=lambda _client: Refresh(
        granted=lambda scene: scene.has("offline_access"),
        rotation="single_use",
        gives_new=lambda _count: True,
        seconds=_YEAR_AND_A_HALF,
    ),
    token_answer=_token,
    refuse=_refuse,
    resources=(Resource(name="userinfo", path="/v2/user", answer=_user, scopes=("wallet:user:read",)),),
    refuse_api=_refuse_api,
    revocations=(Revocation(path="/oauth2/revoke", body="bearer", client="none", takes="access"),),
)
