"""HubSpot: plain OAuth 2, developers.hubspot.com/docs/api-reference/auth-oauth.

Oddities: there is no user document, the token itself is introspected with the client's credentials; the address is
called `user` and carries no flag; errors have a `status` or a `category` and no `error`; an id_token that may come
along is no OpenID Connect; granted scopes come as a list under `scopes`; one person with two portals is one user.
"""

from oneself.model import Profile
from oneself.providers.reading import email, mapping, subject, unproved
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, Provider, Refresh, Revocation, error, told


def profile(evidence: Evidence) -> Profile:
    """Key on `user_id`."""
    said = mapping(evidence.documents.get("userinfo"))
    address = email(said.get("user"))
    return Profile(
        subject=subject(said.get("user_id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=unproved(address),
    )


HUBSPOT = Provider(
    id="hubspot",
    name="HubSpot",
    kind="oauth2",
    issuer="https://app.hubspot.com",
    profile=profile,
    email_proof="never",
    endpoints=(
        ("authorization", "https://app.hubspot.com/oauth/authorize"),
        ("token", "https://api.hubapi.com/oauth/v3/token"),
        ("revocation", "https://api.hubapi.com/oauth/v1/refresh-tokens/{token}"),
    ),
    documents=(
        Document(
            name="userinfo",
            url="https://api.hubapi.com/oauth/v3/token/introspect",
            form=(
                ("client_id", "{client_id}"),
                ("client_secret", "{client_secret}"),
                ("token", "{access_token}"),
                ("token_type_hint", "access_token"),
            ),
            bearer=False,
        ),
    ),
    pkce=False,
    scopes=("oauth",),
    identity_scopes=("oauth",),
    client_auth=("post",),
    answer_scope_fields=("scope", "scopes"),
    refresh=Refresh(rotation="reusable"),
    revocation=Revocation(method="DELETE", auth="none", body="path", takes="refresh"),
    dead_grant=(told("status", "BAD_REFRESH_TOKEN"), *DEAD_GRANT),
    dead_code=(told("status", "BAD_AUTH_CODE"), error("invalid_grant")),
)
