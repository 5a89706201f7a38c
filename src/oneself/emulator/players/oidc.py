"""Plays an OpenID Connect issuer by the book, found through discovery: Core 1.0, RFC 9207, RFC 7009.

Its refresh tokens are for one use, and using one again ends the whole grant (RFC 9700 4.14.2).
"""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, failure, present, rfc6749
from oneself.emulator.personas import hexes
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene


def claims(scene: Scene) -> Json:
    """Give the standard claims that the granted scopes open (OpenID Connect Core 5.1, 5.4)."""
    person, said = scene.persona, {}
    if scene.has("profile"):
        said = present(
            {
                "name": person.name,
                "given_name": person.given_name,
                "family_name": person.family_name,
                "preferred_username": person.handle,
                "picture": person.picture,
                "locale": person.locale,
            }
        )
    if scene.has("email") and person.email:
        said |= {"email": person.email, "email_verified": person.email_verified}
    return said


def _userinfo(scene: Scene) -> Answer:
    return Answer(body={"sub": scene.subject, **claims(scene)})


def standard_token(issued: Issued) -> Json:
    """Give the token answer of RFC 6749 section 5.1 and OpenID Connect Core 3.1.3.3."""
    return present(
        {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
            "id_token": issued.id_token,
            "scope": " ".join(issued.scene.scopes),
        }
    )


def bearer_refusal(reason: str) -> Answer:
    """Refuse a resource call as RFC 6750 section 3.1 says."""
    if reason == "missing":
        return Answer(status=401, kind="empty", headers=(("WWW-Authenticate", "Bearer"),))
    error, status = ("insufficient_scope", 403) if reason == "scope" else ("invalid_token", 401)
    challenge = f'Bearer error="{error}"'
    return Answer(status=status, body={"error": error}, headers=(("WWW-Authenticate", challenge),))


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/authorize",
        "token_endpoint": f"{root}/token",
        "userinfo_endpoint": f"{root}/userinfo",
        "jwks_uri": f"{root}/jwks",
        "revocation_endpoint": f"{root}/revoke",
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": [
            "sub",
            "name",
            "given_name",
            "family_name",
            "preferred_username",
            "picture",
            "locale",
            "email",
            "email_verified",
        ],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


OIDC = Player(
    id="oidc",
    name="OpenID Connect",
    issuer="{root}",
    subject=lambda persona: hexes("oidc", persona, 32),
    overrides={"discovery": "/.well-known/openid-configuration"},
    quirks=(
        "By the book: discovery, S256, nonce, at_hash, iss on every redirect.",
        "offline_access gives a refresh token for one use; using it twice ends the grant.",
    ),
    authorization_path="/authorize",
    sign_in_scopes=("openid", "profile", "email", "offline_access"),
    pkce=("S256",),
    pkce_default="plain",
    response_modes=("query", "fragment", "form_post"),
    redirect_issuer="{issuer}",
    token_path="/token",
    access_seconds=lambda _client: 300,
    refresh=lambda _client: Refresh(
        granted=lambda scene: scene.has("offline_access"),
        rotation="single_use",
        gives_new=lambda _count: True,
        reuse_kills_grant=True,
    ),
    id_token=IdToken(claims=claims, seconds=300, on_refresh=False),
    token_answer=standard_token,
    refuse=rfc6749,
    resources=(
        Resource(
            name="userinfo",
            path="/userinfo",
            answer=_userinfo,
            methods=("GET", "POST"),
            scopes=("openid",),
        ),
    ),
    refuse_api=bearer_refusal,
    revocations=(
        Revocation(
            path="/revoke",
            done=Answer(kind="empty"),
            # RFC 7009 2.2: an unknown token is no error.
            unknown=Answer(kind="empty"),
            refused=failure(401, "invalid_client"),
        ),
    ),
    jwks_path="/jwks",
    discovery=_discovery,
)
