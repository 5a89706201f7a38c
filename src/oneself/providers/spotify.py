"""Spotify: plain OAuth 2, developer.spotify.com/documentation/web-api.

Oddities: since May 2026 accounts are to be linked by `account_id`, and the older `id` only finds
rows of before; the address is typed by the person and never proved, and apps in development mode
get none; a refresh token dies six months after the consent; a client without a secret gets
single-use ones.
"""

from oneself.model import Profile
from oneself.providers.reading import email, items, mapping, picture, subject, text, unproved
from oneself.providers.spec import Document, Evidence, Provider, Refresh


def profile(evidence: Evidence) -> Profile:
    """Key on `account_id`, and name `id` as the old key where both came."""
    user = mapping(evidence.documents.get("userinfo"))
    legacy = subject(user.get("id")) if user.get("id") else ""
    address = email(user.get("email"))
    images = items(user.get("images"))
    return Profile(
        subject=subject(user.get("account_id") or legacy),
        issuer=evidence.issuer,
        email=address,
        email_verdict=unproved(address),
        display_name=text(user.get("display_name")),
        picture_url=picture(images[0].get("url")) if images else "",
        legacy_subject=legacy if user.get("account_id") else "",
    )


SPOTIFY = Provider(
    id="spotify",
    name="Spotify",
    kind="oauth2",
    issuer="https://accounts.spotify.com",
    profile=profile,
    email_proof="never",
    endpoints=(
        ("authorization", "https://accounts.spotify.com/authorize"),
        ("token", "https://accounts.spotify.com/api/token"),
    ),
    documents=(Document(name="userinfo", url="https://api.spotify.com/v1/me"),),
    scopes=("user-read-email",),
    client_auth=("basic", "none"),
    refresh=Refresh(rotation="reusable", public_client_rotation="single_use"),
)
