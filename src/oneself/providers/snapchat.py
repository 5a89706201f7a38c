"""Snapchat Login Kit: plain OAuth 2 over GraphQL, developers.snap.com/snap-kit/login-kit.

Oddities: scopes are addresses; the user document is the answer to a query; there is no e-mail, whatever an answer says;
lifetimes, rotation and error bodies are nowhere documented. The Marketing API's look-alike addresses are no sign-in.
"""

from oneself.model import Profile
from oneself.providers.reading import at, picture, subject, text
from oneself.providers.spec import Document, Evidence, Provider, Refresh

EXTERNAL_ID = "https://auth.snapchat.com/oauth2/api/user.external_id"


def profile(evidence: Evidence) -> Profile:
    """Key on the external id."""
    user = at(evidence.documents.get("userinfo"), "data", "me")
    return Profile(
        subject=subject(at(user, "externalId")),
        issuer=evidence.issuer,
        display_name=text(at(user, "displayName")),
        picture_url=picture(at(user, "bitmoji", "avatar")),
    )


SNAPCHAT = Provider(
    id="snapchat",
    name="Snapchat",
    kind="oauth2",
    issuer="https://accounts.snapchat.com",
    profile=profile,
    email_proof="none",
    endpoints=(
        ("authorization", "https://accounts.snapchat.com/accounts/oauth2/auth"),
        ("token", "https://accounts.snapchat.com/accounts/oauth2/token"),
    ),
    documents=(
        Document(
            name="userinfo",
            url="https://kit.snapchat.com/v1/me",
            query=(("query", "{me{externalId displayName bitmoji{avatar id}}}"),),
        ),
    ),
    scopes=(EXTERNAL_ID, "https://auth.snapchat.com/oauth2/api/user.display_name"),
    identity_scopes=(EXTERNAL_ID,),
    client_auth=("post", "basic"),
    refresh=Refresh(rotation="unknown"),
)
