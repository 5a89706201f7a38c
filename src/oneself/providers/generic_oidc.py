"""Any OpenID Connect issuer, found through its discovery document (OpenID Connect Discovery 1.0).

Anybody can run an issuer that says `email_verified: true`, so an address counts as proved only for the domains that the
project trusts this issuer for. What the issuer announces decides addresses, client authentication, PKCE and RFC 9207;
the options `client_auth`, `pkce` and `nonce` stand above it.
"""

from oneself.model import Profile
from oneself.providers.reading import claims_profile, email, said_of
from oneself.providers.spec import Document, Evidence, IdTokenRule, Provider, Refresh, Revocation


def profile(evidence: Evidence) -> Profile:
    """Read the standard claims; the flag is a proof only inside the trusted domains."""
    return claims_profile(evidence, proof=evidence.trusts(email(said_of(evidence).get("email"))))


GENERIC_OIDC = Provider(
    id="generic_oidc",
    name="OpenID Connect",
    kind="oidc",
    issuer="{issuer}",
    profile=profile,
    email_proof="conditional",
    endpoints=(("discovery", "{issuer_root}/.well-known/openid-configuration"),),
    documents=(Document(name="userinfo", url="", required=False),),
    id_token=IdTokenRule(
        issuers=("{issuer}",),
        algs=("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"),
    ),
    # These refuse a client that sends a challenge, or never asked for one; what an issuer announces stands above this.
    no_pkce_issuers=("https://api.login.yahoo.com", "https://www.linkedin.com/oauth"),
    scopes=("openid", "profile", "email"),
    identity_scopes=("openid",),
    redirect_issuer="{issuer}",
    client_auth=("basic", "post", "none"),
    # An issuer that rotates would see a second use as theft, so single use is assumed.
    refresh=Refresh(rotation="single_use", scope="offline_access"),
    revocation=Revocation(hint=True),
)
