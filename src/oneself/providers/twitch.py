"""Twitch: OpenID Connect, dev.twitch.tv/docs/authentication.

Oddities: address, flag and picture come only when the `claims` parameter names them; the API's own user carries no flag
and is not read; token errors have a `message` and no `error`; scopes come as a list; tokens die early, so a 401 counts
more than `expires_in`; revoking wants the client's id and no secret, and ends one access token only.
"""

from oneself.model import Profile
from oneself.providers.reading import claims_profile, said_of, text
from oneself.providers.spec import (
    DEAD_GRANT,
    Document,
    Evidence,
    IdTokenRule,
    Provider,
    Refresh,
    Revocation,
    error,
    says,
)

ISSUER = "https://id.twitch.tv/oauth2"
ASKED = '{"email":null,"email_verified":null,"picture":null,"preferred_username":null}'
CLAIMS = f'{{"id_token":{ASKED},"userinfo":{ASKED}}}'


def profile(evidence: Evidence) -> Profile:
    """Read the claims; the shown name has a claim of its own."""
    said = said_of(evidence)
    named = {"name": text(said.get("preferred_username"))}
    return claims_profile(Evidence(issuer=evidence.issuer, claims={**named, **said}))


TWITCH = Provider(
    id="twitch",
    name="Twitch",
    kind="oidc",
    issuer=ISSUER,
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://id.twitch.tv/oauth2/authorize"),
        ("token", "https://id.twitch.tv/oauth2/token"),
        ("revocation", "https://id.twitch.tv/oauth2/revoke"),
        ("jwks", "https://id.twitch.tv/oauth2/keys"),
    ),
    documents=(Document(name="userinfo", url="https://id.twitch.tv/oauth2/userinfo", always=False),),
    id_token=IdTokenRule(issuers=(ISSUER,)),
    pkce=False,
    scopes=("openid", "user:read:email"),
    identity_scopes=("openid",),
    authorize_params=(("claims", CLAIMS),),
    client_auth=("post",),
    refresh=Refresh(rotation="unknown"),
    revocation=Revocation(auth="client_id", takes="access", whole_grant=False),
    dead_grant=(says("invalid refresh token", 400, 401), *DEAD_GRANT),
    dead_code=(says("invalid authorization code", 400), error("invalid_grant")),
    misconfigured=(says("invalid client", 400, 403),),
)
