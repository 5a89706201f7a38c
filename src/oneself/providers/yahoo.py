"""Yahoo: OpenID Connect, developer.yahoo.com/oauth2.

Oddities: id_tokens are signed with ES256, and older ones name another issuer; PKCE is reported to be refused for
clients with a secret, so none is sent; a refresh wants our callback URI again.
"""

from oneself.model import Profile
from oneself.providers.reading import claims_profile
from oneself.providers.spec import Document, Evidence, IdTokenRule, Provider, Refresh, Revocation, error

ISSUER = "https://api.login.yahoo.com"


def profile(evidence: Evidence) -> Profile:
    """Read the standard claims."""
    return claims_profile(evidence)


YAHOO = Provider(
    id="yahoo",
    name="Yahoo",
    kind="oidc",
    issuer=ISSUER,
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://api.login.yahoo.com/oauth2/request_auth"),
        ("token", "https://api.login.yahoo.com/oauth2/get_token"),
        ("revocation", "https://api.login.yahoo.com/oauth2/revoke"),
        ("jwks", "https://api.login.yahoo.com/openid/v1/certs"),
    ),
    documents=(Document(name="userinfo", url="https://api.login.yahoo.com/openid/v1/userinfo"),),
    id_token=IdTokenRule(issuers=(ISSUER, "https://login.yahoo.com"), algs=("ES256", "RS256")),
    pkce=False,
    scopes=("openid", "profile", "email"),
    identity_scopes=("openid",),
    client_auth=("basic", "post"),
    refresh=Refresh(rotation="unknown", redirect_uri=True),
    revocation=Revocation(),
    # Elsewhere the word ends a grant; Yahoo says it of a client that it does not know.
    misconfigured=(error("unauthorized_client", saying="invalid client"),),
)
