"""Plays Snapchat's Login Kit, as developers.snap.com/snap-kit/login-kit describes it.

What its token answers and refusals look like is not documented: these follow RFC 6749.
"""

from oneself.emulator.answers import Answer, Json, present, rfc6749
from oneself.emulator.personas import hexes
from oneself.emulator.player import Issued, Player, Refresh, Resource, Scene, withheld

_SCOPE = "https://auth.snapchat.com/oauth2/api/user."


def _me(scene: Scene) -> Answer:
    person = scene.persona
    me: Json = {}
    if scene.has(_SCOPE + "external_id"):
        me["externalId"] = scene.subject
    if scene.has(_SCOPE + "display_name"):
        me["displayName"] = person.name or person.handle
    avatar = person.picture if scene.has(_SCOPE + "bitmoji.avatar") else ""
    me["bitmoji"] = {"avatar": avatar or None, "id": None}
    return Answer(body={"data": {"me": me}, "errors": []})


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
        }
    )


def _refuse_api(reason: str) -> Answer:
    message = "Access token lacks a scope" if reason == "scope" else "Unauthorized"
    status = 403 if reason == "scope" else 401
    return Answer(status=status, body={"data": {}, "errors": [{"message": message}]})


SNAPCHAT = Player(
    id="snapchat",
    name="Snapchat",
    issuer="https://accounts.snapchat.com",
    subject=lambda persona: "CAES" + hexes("snapchat", persona, 32) + "=",
    overrides={
        "authorization": "/accounts/oauth2/auth",
        "token": "/accounts/oauth2/token",
        "userinfo": "/v1/me",
    },
    email_words=withheld,
    quirks=(
        "There is never an e-mail address.",
        "Scopes are addresses; without user.external_id nothing identifies the person.",
        "The profile is GraphQL: everything under data.me.",
    ),
    authorization_path="/accounts/oauth2/auth",
    sign_in_scopes=(_SCOPE + "external_id", _SCOPE + "display_name"),
    pkce=("S256",),
    pkce_default="",
    denial={"error": "access_denied"},
    token_path="/accounts/oauth2/token",
    refresh=lambda _client: Refresh(gives_new=lambda _count: True),
    token_answer=_token,
    refuse=rfc6749,
    resources=(Resource(name="userinfo", path="/v1/me", answer=_me, methods=("GET", "POST")),),
    refuse_api=_refuse_api,
)
