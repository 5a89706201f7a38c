"""Bitbucket Cloud: plain OAuth 2, developer.atlassian.com/cloud/bitbucket.

Oddities: since May 2026 refresh tokens are single use and access tokens are taken in the header only; scopes are those
of the consumer; addresses come in pages, of which the largest (100) is asked for, and only the primary one counts;
`account_id` and `uuid` are both stable, and names are not.
"""

from oneself.faults import Fault, FaultCode
from oneself.model import Profile
from oneself.providers.reading import at, email, mapping, marked, picture, subject, text, verdict
from oneself.providers.spec import Document, Evidence, Provider, Refresh


def profile(evidence: Evidence) -> Profile:
    """Key on `account_id`; a closed account is refused."""
    user = mapping(evidence.documents.get("userinfo"))
    if user.get("account_status", "active") != "active":
        raise Fault(FaultCode.PROVIDER_DENIED, "the account is closed there")
    primary = marked(at(evidence.documents.get("emails"), "values"), "is_primary")
    address = email(primary.get("email"))
    return Profile(
        subject=subject(user.get("account_id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=verdict(address, primary.get("is_confirmed")),
        display_name=text(user.get("display_name")),
        picture_url=picture(at(user, "links", "avatar", "href")),
        legacy_subject=text(user.get("uuid"), 64),
    )


BITBUCKET = Provider(
    id="bitbucket",
    name="Bitbucket",
    kind="oauth2",
    issuer="https://bitbucket.org",
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://bitbucket.org/site/oauth2/authorize"),
        ("token", "https://bitbucket.org/site/oauth2/access_token"),
    ),
    documents=(
        Document(name="userinfo", url="https://api.bitbucket.org/2.0/user"),
        Document(
            name="emails",
            url="https://api.bitbucket.org/2.0/user/emails",
            query=(("pagelen", "100"),),
            required=False,
        ),
    ),
    pkce=False,
    scopes=("account", "email"),
    identity_scopes=("account",),
    client_auth=("basic", "post"),
    answer_scope_fields=("scope", "scopes"),
    refresh=Refresh(rotation="single_use"),
)
