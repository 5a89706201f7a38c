"""Discord: OAuth 2 with an issuer on its redirects, docs.discord.com/developers/topics/oauth2.

Oddities: the redirect's `iss` is announced, so one without it is refused; an id_token may come and is ignored; refresh
tokens are single use, and a dead one is also told as `invalid_request`; revoking any token ends the whole grant.
"""

from oneself.model import Profile
from oneself.providers.reading import email, mapping, subject, text, verdict
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, Provider, Refresh, Revocation, error

ISSUER = "https://discord.com"


def profile(evidence: Evidence) -> Profile:
    """Key on the id; the picture is an address made of two names."""
    user = mapping(evidence.documents.get("userinfo"))
    address = email(user.get("email"))
    who, avatar = subject(user.get("id")), text(user.get("avatar"), 64)
    shown = avatar.replace("_", "").isalnum() and who.isalnum()
    return Profile(
        subject=who,
        issuer=evidence.issuer,
        email=address,
        email_verdict=verdict(address, user.get("verified")),
        display_name=text(user.get("global_name")) or text(user.get("username")),
        picture_url=f"https://cdn.discordapp.com/avatars/{who}/{avatar}.png" if shown else "",
        locale=text(user.get("locale"), 35),
    )


DISCORD = Provider(
    id="discord",
    name="Discord",
    kind="oauth2",
    issuer=ISSUER,
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://discord.com/oauth2/authorize"),
        ("token", "https://discord.com/api/oauth2/token"),
        ("revocation", "https://discord.com/api/oauth2/token/revoke"),
    ),
    documents=(Document(name="userinfo", url="https://discord.com/api/users/@me"),),
    scopes=("identify", "email"),
    identity_scopes=("identify",),
    redirect_issuer=ISSUER,
    redirect_issuer_required=True,
    client_auth=("basic", "post"),
    refresh=Refresh(rotation="single_use"),
    revocation=Revocation(hint=True),
    dead_grant=(*DEAD_GRANT, error("invalid_request", saying='invalid "refresh_token"')),
)
