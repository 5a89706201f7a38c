"""Figma: plain OAuth 2, developers.figma.com/docs/rest-api/authentication.

Oddities: a refresh has an address of its own and brings no new refresh token; in errors `error` is a boolean; a person
has one live access token per app, so signing in again ends the one before; the address carries no flag.
"""

from oneself.model import Profile
from oneself.providers.reading import email, mapping, picture, subject, text, unproved
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, Match, Provider, Refresh, error


def _refused(what: str) -> Match:
    return Match(status=(400, 401, 403, 404), equals=(("error", ("true",)),), contains=(("message", what),))


def profile(evidence: Evidence) -> Profile:
    """Key on the id."""
    user = mapping(evidence.documents.get("userinfo"))
    address = email(user.get("email"))
    return Profile(
        subject=subject(user.get("id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=unproved(address),
        display_name=text(user.get("handle")),
        picture_url=picture(user.get("img_url")),
    )


FIGMA = Provider(
    id="figma",
    name="Figma",
    kind="oauth2",
    issuer="https://www.figma.com",
    profile=profile,
    email_proof="never",
    endpoints=(
        ("authorization", "https://www.figma.com/oauth"),
        ("token", "https://api.figma.com/v1/oauth/token"),
        ("refresh", "https://api.figma.com/v1/oauth/refresh"),
    ),
    documents=(Document(name="userinfo", url="https://api.figma.com/v1/me"),),
    pkce=False,
    scopes=("current_user:read",),
    identity_scopes=("current_user:read",),
    client_auth=("basic",),
    answer_separator=",",
    refresh=Refresh(rotation="reusable", keeps_access_token=False),
    # Figma documents the shape of its refusals and not their words; these name what was refused, whichever verb they
    # use.
    dead_grant=(_refused("refresh token"), *DEAD_GRANT),
    dead_code=(_refused("code"), error("invalid_grant")),
)
