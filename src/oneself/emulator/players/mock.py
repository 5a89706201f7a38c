"""Plays a bare development issuer: `/auth`, `/token`, `/me` with nothing but `sub`, for any login.

It is like the mock that other servers' test suites bring: whoever is named in `login_hint` signs in,
and the name itself is the subject.
"""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, failure, rfc6749
from oneself.emulator.player import IdToken, Player, Refresh, Resource, Revocation, Scene, withheld
from oneself.emulator.players.oidc import bearer_refusal, standard_token


def _me(scene: Scene) -> Answer:
    return Answer(body={"sub": scene.subject})


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/auth",
        "token_endpoint": f"{root}/token",
        "userinfo_endpoint": f"{root}/me",
        "jwks_uri": f"{root}/jwks",
        "revocation_endpoint": f"{root}/token/revocation",
        "scopes_supported": ["openid", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


MOCK = Player(
    id="mock",
    name="Mock",
    issuer="{root}",
    subject=lambda persona: persona.email or persona.id,
    overrides={
        "discovery": "/.well-known/openid-configuration",
        "authorization": "/auth",
        "token": "/token",
        "userinfo": "/me",
        "jwks": "/jwks",
        "revocation": "/token/revocation",
    },
    email_words=withheld,
    quirks=(
        "Any login_hint signs in; an e-mail address is its own subject.",
        "/me says sub and nothing else.",
        "A refresh token needs offline_access, and is not rotated.",
    ),
    authorization_path="/auth",
    sign_in_scopes=("openid", "offline_access"),
    pkce=("S256",),
    pkce_default="plain",
    response_modes=("query", "fragment", "form_post"),
    redirect_issuer="{issuer}",
    any_login=True,
    code_seconds=60,
    token_path="/token",
    refresh=lambda _client: Refresh(granted=lambda scene: scene.has("offline_access")),
    id_token=IdToken(claims=lambda _scene: {}),
    token_answer=standard_token,
    refuse=rfc6749,
    resources=(Resource(name="userinfo", path="/me", answer=_me, methods=("GET", "POST"), scopes=("openid",)),),
    refuse_api=bearer_refusal,
    revocations=(
        Revocation(
            path="/token/revocation",
            done=Answer(kind="empty"),
            unknown=Answer(kind="empty"),
            refused=failure(401, "invalid_client"),
        ),
    ),
    jwks_path="/jwks",
    discovery=_discovery,
)
