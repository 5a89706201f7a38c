"""Plays Login with Amazon, as developer.amazon.com/docs/login-with-amazon describes it."""

from oneself.emulator.answers import Answer, Json, failure, present, rfc6749
from oneself.emulator.personas import hexes
from oneself.emulator.player import Issued, Player, Refresh, Resource, Scene, unflagged


def _profile(scene: Scene) -> Answer:
    person = scene.persona
    said: Json = {"user_id": scene.subject}
    if scene.has("profile"):
        said |= present({"name": person.name, "email": person.email})
    if scene.has("postal_code"):
        said["postal_code"] = "98101"
    return Answer(body=said)


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
        }
    )


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return failure(401, "insufficient_scope", "The access token lacks a scope.", request_id="demo")
    if reason == "missing":
        return failure(400, "invalid_request", "The request is missing a required parameter.", request_id="demo")
    return failure(400, "invalid_token", "The access token is malformed or expired.", request_id="demo")


AMAZON = Player(
    id="amazon",
    name="Amazon",
    issuer="https://www.amazon.com",
    subject=lambda persona: "amzn1.account." + hexes("amazon", persona, 28).upper(),
    overrides={
        "authorization": "/ap/oa",
        "token": "/auth/o2/token",
        "userinfo": "/user/profile",
    },
    email_words=unflagged,
    quirks=(
        "code_challenge_method means plain when it is left out.",
        "The token answer names no scopes; every refresh gives another refresh token.",
        "The e-mail carries no flag.",
    ),
    authorization_path="/ap/oa",
    sign_in_scopes=("profile",),
    denial={"error": "access_denied", "error_description": "Access not permitted."},
    code_seconds=300,
    token_path="/auth/o2/token",
    access_prefix=lambda _client: "Atza|",
    refresh_prefix="Atzr|",
    refresh=lambda _client: Refresh(gives_new=lambda _count: True),
    token_answer=_token,
    refuse=rfc6749,
    resources=(
        Resource(
            name="userinfo",
            path="/user/profile",
            answer=_profile,
            scopes=("profile", "profile:user_id"),
            token_in="bearer_or_query",
        ),
    ),
    refuse_api=_refuse_api,
)
