"""LinkedIn: OpenID Connect, learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2.

Oddities: no nonce comes back; no PKCE for web apps; the flag is text in the id_token and a boolean in the document, and
both may be missing; `locale` is an object; a person who says no has words of its own; a dead grant is told as
`invalid_request`; only marketing partners get refresh tokens.
"""

from oneself.model import Profile
from oneself.providers.reading import at, claims_profile, said_of, text
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, IdTokenRule, Provider, Refresh, Revocation, error


def profile(evidence: Evidence) -> Profile:
    """Read the standard claims, with the locale put together."""
    said = said_of(evidence)
    parts = (text(at(said, "locale", "language"), 8), text(at(said, "locale", "country"), 8))
    if all(parts):
        said["locale"] = "-".join(parts)
    return claims_profile(Evidence(issuer=evidence.issuer, claims=said))


LINKEDIN = Provider(
    id="linkedin",
    name="LinkedIn",
    kind="oidc",
    issuer="https://www.linkedin.com/oauth",
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://www.linkedin.com/oauth/v2/authorization"),
        ("token", "https://www.linkedin.com/oauth/v2/accessToken"),
        ("revocation", "https://www.linkedin.com/oauth/v2/revoke"),
        ("jwks", "https://www.linkedin.com/oauth/openid/jwks"),
    ),
    documents=(Document(name="userinfo", url="https://api.linkedin.com/v2/userinfo"),),
    id_token=IdTokenRule(issuers=("https://www.linkedin.com/oauth",), nonce=False, required=False),
    pkce=False,
    scopes=("openid", "profile", "email"),
    identity_scopes=("openid",),
    cancel_words=("user_cancelled_login", "user_cancelled_authorize"),
    client_auth=("post",),
    answer_separator=",",
    refresh=Refresh(rotation="reusable"),
    revocation=Revocation(auth="post"),
    dead_grant=(*DEAD_GRANT, error("invalid_request", saying="invalid, expired or revoked")),
    dead_code=(error("invalid_grant"), error("invalid_request", saying="authorization code")),
    misconfigured=(error("invalid_redirect_uri"),),
)
