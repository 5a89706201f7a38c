"""Coinbase: plain OAuth 2 at login.coinbase.com, docs.cdp.coinbase.com (new clients are no longer given out).

Oddities: everything stands under `data`; a dead refresh token is told by the status 401 alone; revoking wants a live
access token twice and answers 200 whatever happened; the address carries no flag; a challenge without its method would
be taken as `plain`.
"""

from oneself.model import Profile
from oneself.providers.reading import at, email, picture, subject, text, unproved
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, Match, Provider, Refresh, Revocation, error


def profile(evidence: Evidence) -> Profile:
    """Key on the id under `data`."""
    user = at(evidence.documents.get("userinfo"), "data")
    address = email(at(user, "email"))
    return Profile(
        subject=subject(at(user, "id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=unproved(address),
        display_name=text(at(user, "name")),
        picture_url=picture(at(user, "avatar_url")),
    )


COINBASE = Provider(
    id="coinbase",
    name="Coinbase",
    kind="oauth2",
    issuer="https://login.coinbase.com",
    profile=profile,
    email_proof="never",
    endpoints=(
        ("authorization", "https://login.coinbase.com/oauth2/auth"),
        ("token", "https://login.coinbase.com/oauth2/token"),
        ("revocation", "https://login.coinbase.com/oauth2/revoke"),
    ),
    documents=(
        Document(name="userinfo", url="https://api.coinbase.com/v2/user", headers=(("CB-VERSION", "2024-03-27"),)),
    ),
    scopes=("wallet:user:read", "wallet:user:email"),
    identity_scopes=("wallet:user:read",),
    scope_separator=",",
    client_auth=("post",),
    answer_separator=",",
    refresh=Refresh(rotation="single_use", scope="offline_access"),
    revocation=Revocation(auth="bearer", takes="access"),
    misconfigured=(error("invalid_client"),),
    dead_grant=(*DEAD_GRANT, Match(status=(401,))),
)
