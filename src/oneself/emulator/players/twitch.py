"""Plays Twitch: its OpenID Connect and Helix, as dev.twitch.tv/docs/authentication describes them."""

import json
from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, present
from oneself.emulator.personas import digits
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene

_CLAIMS = json.dumps(
    {place: dict.fromkeys(("email", "email_verified", "picture")) for place in ("id_token", "userinfo")}
)


def _problem(status: int, message: str) -> Answer:
    # No `error` key in the token endpoint's refusals.
    return Answer(status=status, body={"status": status, "message": message})


def _wanted(scene: Scene, place: str) -> set[str]:
    """Give the claims that the request named for this place: only those come."""
    try:
        asked = json.loads(scene.asked.get("claims", "{}"))
    except ValueError:
        return set()
    named = asked.get(place, {}) if isinstance(asked, dict) else {}
    return set(named) if isinstance(named, dict) else set()


def _known(scene: Scene) -> Json:
    person = scene.persona
    said = present(
        {
            "preferred_username": person.name or person.handle,
            "picture": person.picture or "https://static-cdn.example/default.png",
            "updated_at": "2026-01-02T03:04:05Z",
        }
    )
    if person.email and scene.has("user:read:email"):
        said |= {"email": person.email, "email_verified": person.email_verified}
    return said


def _claims(scene: Scene) -> Json:
    wanted = _wanted(scene, "id_token")
    return {name: value for name, value in _known(scene).items() if name in wanted}


def _userinfo(scene: Scene) -> Answer:
    wanted = _wanted(scene, "userinfo")
    said = {
        "aud": scene.client.client_id,
        "exp": scene.expires_at,
        "iat": scene.now,
        "iss": scene.issuer,
        "sub": scene.subject,
    }
    return Answer(body=said | {name: value for name, value in _known(scene).items() if name in wanted})


def _helix(scene: Scene) -> Answer:
    if scene.headers.get("client-id", "") != scene.client.client_id:
        return Answer(
            status=401,
            body={"error": "Unauthorized", "status": 401, "message": "Client ID and OAuth token do not match"},
        )
    person = scene.persona
    said: Json = {
        "id": scene.subject,
        "login": person.handle,
        "display_name": person.name or person.handle,
        "type": "",
        "broadcaster_type": "",
        "description": "",
        "profile_image_url": person.picture,
        "created_at": "2020-01-02T03:04:05Z",
    }
    if scene.has("user:read:email") and person.email:
        said["email"] = person.email
    return Answer(body={"data": [said]})


def _validate(scene: Scene) -> Answer:
    return Answer(
        body={
            "client_id": scene.client.client_id,
            "login": scene.persona.handle,
            "scopes": list(scene.scopes),
            "user_id": scene.subject,
            "expires_in": (scene.expires_at or scene.now) - scene.now,
        }
    )


def _token(issued: Issued) -> Json:
    said = present(
        {
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "expires_in": issued.expires_in,
            "id_token": issued.id_token,
        }
    )
    return {**said, "scope": list(issued.scene.scopes), "token_type": "bearer"}


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CLIENT:
            return _problem(400, "invalid client")
        case Refusal.SECRET | Refusal.CLIENT_WAY:
            return _problem(403, "invalid client secret")
        case Refusal.CODE:
            return _problem(400, "Invalid authorization code")
        case Refusal.REDIRECT:
            return _problem(400, "Parameter redirect_uri does not match registered URI")
        case Refusal.REFRESH:
            return _problem(400, "Invalid refresh token")
        case _:
            return _problem(400, "invalid grant type" if refusal == Refusal.GRANT_TYPE else "bad request")


def _refuse_api(reason: str) -> Answer:
    words = {"missing": "missing authorization token", "dead": "invalid access token", "scope": "missing scope"}
    return Answer(status=401, body={"status": 401, "message": words[reason]})


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/oauth2/authorize",
        "token_endpoint": f"{root}/oauth2/token",
        "userinfo_endpoint": f"{root}/oauth2/userinfo",
        "jwks_uri": f"{root}/oauth2/keys",
        "response_types_supported": ["code"],
        "scopes_supported": ["openid"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "email", "email_verified"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }


TWITCH = Player(
    id="twitch",
    name="Twitch",
    issuer="https://id.twitch.tv/oauth2",
    local_issuer="{root}/oauth2",
    subject=lambda persona: digits("twitch", persona, 9),
    overrides={
        "authorization": "/oauth2/authorize",
        "token": "/oauth2/token",
        "userinfo": "/oauth2/userinfo",
        "jwks": "/oauth2/keys",
        "revocation": "/oauth2/revoke",
    },
    quirks=(
        "email, email_verified, picture and preferred_username come only when named in claims.",
        "scope is an array; refusals have status and message, and no error.",
        "Helix wants a Client-Id header equal to the token's client, and has no verified flag.",
        "Clients authenticate in the body only.",
    ),
    authorization_path="/oauth2/authorize",
    sign_in_scopes=("openid", "user:read:email"),
    sign_in_params={"claims": _CLAIMS},
    pkce=(),
    denial={"error": "access_denied", "error_description": "The user denied you access"},
    token_path="/oauth2/token",
    client_auth=("post",),
    access_seconds=lambda _client: 14_124,
    refresh=lambda _client: Refresh(gives_new=lambda _count: True),
    id_token=IdToken(claims=_claims, seconds=900),
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(name="userinfo", path="/oauth2/userinfo", answer=_userinfo, scopes=("openid",)),
        Resource(name="helix", path="/helix/users", answer=_helix),
        Resource(name="validate", path="/oauth2/validate", answer=_validate, token_in="oauth"),
    ),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/oauth2/revoke",
            client="id",
            takes="access",
            done=Answer(kind="empty"),
            unknown=_problem(400, "Invalid token"),
            refused=_problem(404, "client does not exist"),
        ),
    ),
    jwks_path="/oauth2/keys",
    discovery=_discovery,
    discovery_path="/oauth2/.well-known/openid-configuration",
)
