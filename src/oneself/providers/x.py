"""X (once Twitter): plain OAuth 2, docs.x.com/fundamentals/authentication/oauth-2-0.

Oddities: PKCE is demanded; everything stands under `data`; an address is there only once it is confirmed, so its
presence is the proof; a dead refresh token is told as `invalid_request`; `unauthorized_client` also means that our own
client sent no Basic credentials; codes live thirty seconds; refresh tokens are single use.
"""

from oneself.model import EmailVerdict, Profile
from oneself.providers.reading import at, email, picture, subject, text
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, Provider, Refresh, Revocation, error


def profile(evidence: Evidence) -> Profile:
    """Key on the number; the handle is never an address."""
    user = at(evidence.documents.get("userinfo"), "data")
    address = email(at(user, "confirmed_email"))
    return Profile(
        subject=subject(at(user, "id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=EmailVerdict.VERIFIED if address else EmailVerdict.ABSENT,
        display_name=text(at(user, "name")),
        picture_url=picture(at(user, "profile_image_url")),
    )


X = Provider(
    id="x",
    name="X",
    kind="oauth2",
    issuer="https://x.com",
    profile=profile,
    email_proof="presence",
    endpoints=(
        ("authorization", "https://x.com/i/oauth2/authorize"),
        ("token", "https://api.x.com/2/oauth2/token"),
        ("revocation", "https://api.x.com/2/oauth2/revoke"),
    ),
    documents=(
        Document(
            name="userinfo",
            url="https://api.x.com/2/users/me",
            query=(("user.fields", "id,name,username,profile_image_url,confirmed_email"),),
        ),
    ),
    scopes=("users.read", "tweet.read", "users.email"),
    identity_scopes=("users.read", "tweet.read"),
    client_auth=("basic", "none"),
    refresh=Refresh(rotation="single_use", scope="offline.access"),
    revocation=Revocation(),
    dead_grant=(error("invalid_request", saying="value passed for the token was invalid"), *DEAD_GRANT),
    dead_code=(error("invalid_grant"), error("invalid_request", saying="authorization code was invalid")),
    misconfigured=(error("unauthorized_client", saying="authorization header"),),
)
