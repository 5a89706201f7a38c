"""Login with Amazon: plain OAuth 2, developer.amazon.com/docs/login-with-amazon.

Oddities: a challenge without its method would be taken as `plain`; a refresh brings another refresh token, and whether
the one before dies is nowhere said; the address carries no flag.
"""

from oneself.model import Profile
from oneself.providers.reading import email, mapping, subject, text, unproved
from oneself.providers.spec import Document, Evidence, Provider, Refresh


def profile(evidence: Evidence) -> Profile:
    """Key on `user_id`."""
    user = mapping(evidence.documents.get("userinfo"))
    address = email(user.get("email"))
    return Profile(
        subject=subject(user.get("user_id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=unproved(address),
        display_name=text(user.get("name")),
    )


AMAZON = Provider(
    id="amazon",
    name="Amazon",
    kind="oauth2",
    issuer="https://www.amazon.com",
    profile=profile,
    email_proof="never",
    endpoints=(
        ("authorization", "https://www.amazon.com/ap/oa"),
        ("token", "https://api.amazon.com/auth/o2/token"),
    ),
    documents=(Document(name="userinfo", url="https://api.amazon.com/user/profile"),),
    scopes=("profile",),
    client_auth=("post", "basic"),
    refresh=Refresh(rotation="unknown"),
)
