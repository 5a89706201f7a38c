"""Facebook Login: plain OAuth 2 with Meta's own errors, developers.facebook.com/docs/facebook-login.

Oddities: `error` is an object; there are no refresh tokens, a live access token is traded for a longer one; ids are of
one app; every resource call carries a proof made with the app's secret; the address may be missing and nobody promises
that it was ever confirmed. The version is part of the addresses, and a project may set another by `base` and `graph`.
"""

from oneself.model import Profile
from oneself.providers.reading import at, email, mapping, picture, subject, text, unproved
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, Provider, Refresh, Revocation, told

FIELDS = (("fields", "id,name,first_name,last_name,email,picture"), ("appsecret_proof", "{token_hmac}"))
TRADE = (("grant_type", "fb_exchange_token"), ("fb_exchange_token", "{access_token}"))


def profile(evidence: Evidence) -> Profile:
    """Key on the app-scoped id."""
    user = mapping(evidence.documents.get("userinfo"))
    address = email(user.get("email"))
    return Profile(
        subject=subject(user.get("id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=unproved(address),
        display_name=text(user.get("name")),
        first_name=text(user.get("first_name")),
        last_name=text(user.get("last_name")),
        picture_url=picture(at(user, "picture", "data", "url")),
    )


FACEBOOK = Provider(
    id="facebook",
    name="Facebook",
    kind="oauth2",
    issuer="https://www.facebook.com",
    profile=profile,
    email_proof="never",
    bases=(("base", "https://www.facebook.com/v25.0"), ("graph", "https://graph.facebook.com/v25.0")),
    endpoints=(
        ("authorization", "{base}/dialog/oauth"),
        ("token", "{graph}/oauth/access_token"),
        ("revocation", "{graph}/{subject}/permissions"),
    ),
    documents=(Document(name="userinfo", url="{graph}/me", query=FIELDS),),
    pkce=False,
    scopes=("email", "public_profile"),
    identity_scopes=("public_profile",),
    options=("facebook_config_id",),
    cancel_words=("user_denied",),
    client_auth=("post",),
    refresh=Refresh(kind="exchange", params=TRADE),
    revocation=Revocation(method="DELETE", auth="bearer", body="path", takes="access"),
    dead_grant=(told("error.code", "190"), *DEAD_GRANT),
    dead_code=(told("error.code", "100"),),
    misconfigured=(told("error.code", "1", "101"),),
    transient=(told("error.code", "2", "4", "17", "341"), told("error.is_transient", "true")),
)
