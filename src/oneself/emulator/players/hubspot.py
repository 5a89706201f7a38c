"""Plays HubSpot's OAuth v3 (and the v1 paths that still answer), as developers.hubspot.com describes it."""

from oneself.emulator.answers import Answer, Json, Refusal
from oneself.emulator.personas import Persona, digits
from oneself.emulator.player import Issued, Player, Refresh, Resource, Revocation, Scene, unflagged

_CORRELATION = "11111111-2222-4333-8444-555555555555"


def _hub(person: Persona) -> int:
    return int(digits("hubspot-hub", Persona(id=person.work_domain or "personal"), 6))


def _about_token(scene: Scene) -> Json:
    return {
        "token": scene.token,
        "user": scene.persona.email,
        "user_id": int(scene.subject),
        "hub_id": _hub(scene.persona),
        "hub_domain": scene.persona.work_domain or "personal.example",
        "app_id": 99,
        "scopes": list(scene.scopes),
        "expires_in": (scene.expires_at or scene.now) - scene.now,
        "token_type": "access",
    }


def _introspect(scene: Scene) -> Answer:
    said = {"active": True, "token_use": "access_token", "client_id": scene.client.client_id}
    return Answer(body={**_about_token(scene), **said})


def _v1(scene: Scene) -> Answer:
    return Answer(body=_about_token(scene))


def _token(issued: Issued) -> Json:
    return {
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
        "expires_in": issued.expires_in,
        "token_type": "bearer",
        "hub_id": _hub(issued.scene.persona),
        "user_id": int(issued.scene.subject),
        "scopes": list(issued.scene.scopes),
    }


def _no(status: int, word: str, message: str) -> Answer:
    # `status` is a word here, and there is no `error`.
    return Answer(
        status=status,
        body={
            "status": word,
            "category": word,
            "message": message,
            "correlationId": _CORRELATION,
            "context": {},
            "errors": [],
        },
    )


def _refuse(refusal: Refusal) -> Answer:
    words = {
        Refusal.CODE: ("BAD_AUTH_CODE", "missing or unknown auth code"),
        Refusal.REDIRECT: ("BAD_REDIRECT_URI", "missing or mismatched redirect uri"),
        Refusal.REFRESH: ("BAD_REFRESH_TOKEN", "missing or invalid refresh token"),
        Refusal.CLIENT: ("BAD_CLIENT_ID", "missing or unknown client id"),
        Refusal.SECRET: ("BAD_CLIENT_SECRET", "missing or invalid client secret"),
        Refusal.CLIENT_WAY: ("BAD_CLIENT_SECRET", "missing or invalid client secret"),
        Refusal.GRANT_TYPE: ("BAD_GRANT_TYPE", "missing or unknown grant type"),
    }
    word, message = words.get(refusal, ("VALIDATION_ERROR", "the request is not valid"))
    return _no(400, word, message)


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return _no(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes.")
    return _no(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.")


HUBSPOT = Player(
    id="hubspot",
    name="HubSpot",
    issuer="https://app.hubspot.com",
    subject=lambda persona: digits("hubspot", persona, 8),
    overrides={
        "authorization": "/oauth/authorize",
        "token": "/oauth/v3/token",
        "userinfo": "/oauth/v3/token/introspect",
        "revocation": "/oauth/v1/refresh-tokens/{token}",
    },
    email_words=unflagged,
    quirks=(
        "There is no userinfo: the token is introspected by POST (v3), or its address read (v1).",
        "Failures have status as a word (BAD_REFRESH_TOKEN) and no error.",
        "user is the e-mail address, without a flag; hub_id is the account that was picked.",
        "The refresh token comes back unchanged.",
    ),
    authorization_path="/oauth/authorize",
    sign_in_scopes=("oauth",),
    response_type_needed=False,
    pkce=(),
    denial={"error": "access_denied", "error_description": "The user denied access"},
    token_path="/oauth/v3/token",
    token_aliases=("/oauth/v1/token", "/oauth/2026-03/token"),
    client_auth=("post",),
    access_prefix=lambda _client: "C",
    access_seconds=lambda _client: 1_800,
    refresh=lambda _client: Refresh(rotation="same", gives_new=lambda _count: True),
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(
            name="userinfo",
            path="/oauth/v3/token/introspect",
            answer=_introspect,
            methods=("POST",),
            token_in="form",
        ),
        Resource(name="access_token", path="/oauth/v1/access-tokens/{token}", answer=_v1, token_in="path"),
    ),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/oauth/v1/refresh-tokens/{token}",
            methods=("DELETE",),
            body="path",
            client="none",
            takes="refresh",
            done=Answer(status=204, kind="empty"),
            unknown=_no(404, "BAD_REFRESH_TOKEN", "missing or invalid refresh token"),
        ),
    ),
)
