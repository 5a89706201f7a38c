"""Plays Figma's OAuth 2.0 and REST API, as developers.figma.com describes them."""

from oneself.emulator.answers import Answer, Json, Refusal, present
from oneself.emulator.personas import digits
from oneself.emulator.player import Issued, Player, Refresh, Resource, Scene, unflagged


def _problem(status: int, message: str) -> Answer:
    # `error` is a boolean here.
    return Answer(status=status, body={"error": True, "status": status, "message": message, "i18n": None})


def _me(scene: Scene) -> Answer:
    person = scene.persona
    return Answer(
        body={
            "id": scene.subject,
            "email": person.email,
            "handle": person.name or person.handle,
            "img_url": person.picture or "https://s3-alpha.figma.example/profile",
        }
    )


def _token(issued: Issued) -> Json:
    said = {"access_token": issued.access_token, "expires_in": issued.expires_in}
    person = {} if issued.scene.refreshes else {"user_id_string": issued.scene.subject}
    return {**said, **present({"refresh_token": issued.refresh_token}), **person}


def _refuse(refusal: Refusal) -> Answer:
    words = {
        Refusal.CLIENT: (401, "Invalid client"),
        Refusal.SECRET: (401, "Invalid client secret"),
        Refusal.CLIENT_WAY: (401, "Basic authentication is required"),
        Refusal.CODE: (400, "Invalid code"),
        Refusal.REDIRECT: (400, "Invalid redirect uri"),
        Refusal.REFRESH: (400, "Invalid refresh token"),
        Refusal.GRANT_TYPE: (400, "Invalid grant type"),
    }
    return _problem(*words.get(refusal, (400, "Bad request")))


def _refuse_api(reason: str) -> Answer:
    words = "Invalid scope" if reason == "scope" else "Invalid token"
    return Answer(status=403, body={"status": 403, "err": words})


FIGMA = Player(
    id="figma",
    name="Figma",
    issuer="https://www.figma.com",
    subject=lambda persona: digits("figma", persona, 18),
    overrides={
        "authorization": "/oauth",
        "token": "/v1/oauth/token",
        "refresh": "/v1/oauth/refresh",
        "userinfo": "/v1/me",
    },
    email_words=unflagged,
    quirks=(
        "Refreshing has an address of its own, and gives no new refresh token.",
        "error is a boolean: {error: true, status, message}.",
        "Signing in again ends the access token that the same person had with this app.",
        "The e-mail carries no flag.",
    ),
    authorization_path="/oauth",
    sign_in_scopes=("current_user:read",),
    scope_separators=" ,",
    pkce=(),
    denial={"error": "access_denied"},
    code_seconds=30,
    token_path="/v1/oauth/token",
    refresh_path="/v1/oauth/refresh",
    client_auth=("basic",),
    access_prefix=lambda _client: "figu_",
    access_seconds=lambda _client: 7_776_000,
    refresh_prefix="figur_",
    refresh=lambda _client: Refresh(),
    ends_older=lambda _old, _new: True,
    token_answer=_token,
    refuse=_refuse,
    resources=(Resource(name="userinfo", path="/v1/me", answer=_me, scopes=("current_user:read", "files:read")),),
    refuse_api=_refuse_api,
)
