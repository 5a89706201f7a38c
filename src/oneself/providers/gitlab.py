"""GitLab.com and self-managed GitLab: OpenID Connect or plain OAuth 2, docs.gitlab.com/api/oauth2.

Oddities: ids are unique in one instance; the id_token carries little beside the address; without the openid scope only
the API tells who it is, where `confirmed_at` stands for the flag; an administrator may skip confirmation, so elsewhere
than on gitlab.com the flag is a proof for trusted domains only. A refresh wants our callback URI again and also ends
the access token before it.
"""

from oneself.faults import Fault, FaultCode
from oneself.model import Profile
from oneself.providers.reading import claims_profile, dated, email, mapping, picture, said_of, subject, text, verdict
from oneself.providers.spec import Document, Evidence, IdTokenRule, Provider, Refresh, Revocation


def profile(evidence: Evidence) -> Profile:
    """Read the claims where they came, else the API's document."""
    document = mapping(evidence.documents.get("userinfo"))
    user = mapping(evidence.documents.get("user"))
    if user and (user.get("state", "active") != "active" or user.get("locked") is True):
        raise Fault(FaultCode.PROVIDER_DENIED, "the account is blocked there")
    if evidence.claims or document:
        return claims_profile(evidence, proof=evidence.vouches(email(said_of(evidence).get("email"))))
    address = email(user.get("email"))
    return Profile(
        subject=subject(user.get("id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=verdict(address, dated(user.get("confirmed_at")), proof=evidence.vouches(address)),
        display_name=text(user.get("name")),
        picture_url=picture(user.get("avatar_url")),
    )


GITLAB = Provider(
    id="gitlab",
    name="GitLab",
    kind="oidc",
    issuer="{base}",
    profile=profile,
    email_proof="conditional",
    bases=(("base", "https://gitlab.com"),),
    endpoints=(
        ("authorization", "{base}/oauth/authorize"),
        ("token", "{base}/oauth/token"),
        ("revocation", "{base}/oauth/revoke"),
        ("jwks", "{base}/oauth/discovery/keys"),
    ),
    documents=(
        Document(name="userinfo", url="{base}/oauth/userinfo", required=False),
        Document(name="user", url="{base}/api/v4/user", always=False, required=False),
    ),
    id_token=IdTokenRule(issuers=("{base}",), required=False),
    scopes=("openid", "profile", "email"),
    client_auth=("post", "basic"),
    refresh=Refresh(rotation="single_use", redirect_uri=True, keeps_access_token=False),
    revocation=Revocation(auth="post"),
)
