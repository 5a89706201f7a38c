"""Plays a GitLab instance (gitlab.com or self-managed), as docs.gitlab.com/api/oauth2 describes it."""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.personas import digits, hexes
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene

_CONFIRMED = "2026-01-02T03:04:05.000Z"


def _claims(scene: Scene) -> Json:
    # Only the address stands in the id_token; most other claims are in userinfo alone.
    said: Json = {"auth_time": scene.now, "sub_legacy": hexes("gitlab-legacy", scene.persona, 64)}
    return said | _email(scene)


def _email(scene: Scene) -> Json:
    person = scene.persona
    shown = person.email if scene.has("email") else person.public_email
    if not shown:
        return {}
    return {"email": shown, "email_verified": person.email_verified and shown == person.email}


def _userinfo(scene: Scene) -> Answer:
    person = scene.persona
    said: Json = {"sub": scene.subject, "sub_legacy": hexes("gitlab-legacy", person, 64)}
    if scene.has("profile"):
        said |= present(
            {
                "name": person.name,
                "nickname": person.handle,
                "preferred_username": person.handle,
                "profile": f"{scene.root}/{person.handle}",
                "picture": person.picture,
            }
        )
    return Answer(body={**said, **_email(scene), "groups": []})


def _user(scene: Scene) -> Answer:
    person = scene.persona
    return Answer(
        body={
            "id": int(scene.subject),
            "username": person.handle,
            "name": person.name,
            "state": "active",
            "locked": False,
            "avatar_url": person.picture or None,
            "web_url": f"{scene.root}/{person.handle}",
            "public_email": person.public_email or None,
            "email": person.email,
            "confirmed_at": _CONFIRMED if person.email and person.email_verified else None,
        }
    )


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
            "scope": " ".join(issued.scene.scopes),
            "created_at": issued.scene.now,
            "id_token": issued.id_token,
        }
    )


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CODE | Refusal.REDIRECT | Refusal.VERIFIER | Refusal.REFRESH:
            words = (
                "The provided authorization grant is invalid, expired, revoked, does not match the "
                "redirection URI used in the authorization request, or was issued to another client."
            )
            return failure(400, "invalid_grant", words)
        case Refusal.CLIENT | Refusal.SECRET:
            return failure(401, "invalid_client", "Client authentication failed due to unknown client.")
        case _:
            return rfc6749(refusal)


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        words = "The request requires higher privileges than provided by the access token."
        return failure(403, "insufficient_scope", words, scope="api read_api read_user")
    if reason == "missing":
        return Answer(status=401, body={"message": "401 Unauthorized"})
    return failure(401, "invalid_token", "Token was revoked. You have to re-authorize from the user.")


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/oauth/authorize",
        "token_endpoint": f"{root}/oauth/token",
        "revocation_endpoint": f"{root}/oauth/revoke",
        "userinfo_endpoint": f"{root}/oauth/userinfo",
        "jwks_uri": f"{root}/oauth/discovery/keys",
        "scopes_supported": ["read_user", "openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }


GITLAB = Player(
    id="gitlab",
    name="GitLab",
    issuer="{root}",
    subject=lambda persona: digits("gitlab", persona, 7),
    overrides={
        "base": "",
        "authorization": "/oauth/authorize",
        "token": "/oauth/token",
        "userinfo": "/oauth/userinfo",
        "user": "/api/v4/user",
        "jwks": "/oauth/discovery/keys",
        "revocation": "/oauth/revoke",
    },
    quirks=(
        "The issuer is the instance itself.",
        "Refresh tokens are for one use, end the old access token, and want redirect_uri again.",
        "email and email_verified stand in the id_token, the name in userinfo only.",
        "/api/v4/user says confirmed_at instead of a flag, and needs read_user.",
    ),
    authorization_path="/oauth/authorize",
    sign_in_scopes=("openid", "profile", "email"),
    pkce=("S256",),
    pkce_default="plain",
    denial={
        "error": "access_denied",
        "error_description": "The resource owner or authorization server denied the request.",
    },
    token_path="/oauth/token",
    json_requests=True,
    access_seconds=lambda _client: 7200,
    refresh=lambda _client: Refresh(
        rotation="single_use", gives_new=lambda _count: True, kills_access=True, needs_redirect=True
    ),
    id_token=IdToken(claims=_claims, seconds=120),
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(
            name="userinfo", path="/oauth/userinfo", answer=_userinfo, methods=("GET", "POST"), scopes=("openid",)
        ),
        Resource(name="user", path="/api/v4/user", answer=_user, scopes=("read_user", "read_api", "api")),
    ),
    refuse_api=_refuse_api,
    revocations=(Revocation(path="/oauth/revoke", kills="token", refused=failure(403, "unauthorized_client")),),
    jwks_path="/oauth/discovery/keys",
    discovery=_discovery,
)
