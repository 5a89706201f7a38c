"""Plays Discord, as its developer documentation (discord-api-docs) describes it."""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.personas import digits
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene


def _user(scene: Scene) -> Answer:
    person = scene.persona
    said: Json = {
        "id": scene.subject,
        "username": person.handle,
        "discriminator": "0",
        "global_name": person.name or None,
        "avatar": None,
        "locale": person.locale,
        "mfa_enabled": False,
    }
    if scene.has("email"):
        said |= {"email": person.email or None, "verified": bool(person.email) and person.email_verified}
    return Answer(body=said)


def _token(issued: Issued) -> Json:
    said = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "refresh_token": issued.refresh_token,
        "scope": " ".join(issued.scene.scopes),
    }
    return {**said, **present({"id_token": issued.id_token})}


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.REFRESH:
            return failure(400, "invalid_grant", 'Invalid "refresh_token" in request.')
        case Refusal.CODE:
            return failure(400, "invalid_grant", 'Invalid "code" in request.')
        case Refusal.REDIRECT:
            return failure(400, "invalid_grant", 'Invalid "redirect_uri" in request.')
        case Refusal.VERIFIER:
            return failure(400, "invalid_grant", 'Invalid "code_verifier" in request.')
        case Refusal.CLIENT | Refusal.SECRET:
            return failure(401, "invalid_client")
        case _:
            return rfc6749(refusal)


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return Answer(status=403, body={"message": "Missing Access", "code": 50001})
    return Answer(status=401, body={"message": "401: Unauthorized", "code": 0})


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    # No id_token among the response types, although one comes with the openid scope.
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/oauth2/authorize",
        "token_endpoint": f"{root}/api/oauth2/token",
        "userinfo_endpoint": f"{root}/api/users/@me",
        "revocation_endpoint": f"{root}/api/oauth2/token/revoke",
        "jwks_uri": f"{root}/api/oauth2/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "identify", "email"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


DISCORD = Player(
    id="discord",
    name="Discord",
    issuer="https://discord.com",
    subject=lambda persona: digits("discord", persona, 18),
    overrides={
        "authorization": "/oauth2/authorize",
        "token": "/api/oauth2/token",
        "userinfo": "/api/users/@me",
        "revocation": "/api/oauth2/token/revoke",
    },
    quirks=(
        "The redirect carries iss, and discovery announces it.",
        "Refresh tokens are for one use; revoking any token ends the whole authorization.",
        "email and verified need the email scope; nearly everything can be null.",
    ),
    authorization_path="/oauth2/authorize",
    sign_in_scopes=("identify", "email"),
    pkce=("S256",),
    pkce_default="",
    response_modes=("query", "fragment"),
    redirect_issuer="{issuer}",
    denial={
        "error": "access_denied",
        "error_description": "The resource owner or authorization server denied the request",
    },
    token_path="/api/oauth2/token",
    access_seconds=lambda _client: 604_800,
    refresh=lambda _client: Refresh(rotation="single_use", gives_new=lambda _count: True),
    id_token=IdToken(claims=lambda _scene: {}),
    token_answer=_token,
    refuse=_refuse,
    resources=(Resource(name="userinfo", path="/api/users/@me", answer=_user, scopes=("identify",)),),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/api/oauth2/token/revoke",
            kills="person",
            refused=failure(401, "invalid_client"),
        ),
    ),
    jwks_path="/api/oauth2/keys",
    discovery=_discovery,
)
