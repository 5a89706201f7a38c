"""Sign in with Apple: OpenID Connect, developer.apple.com/documentation/signinwithapple.

Oddities: the client secret is a token that we sign; asking for name or address forces a cross-site POST back; blanks in
scopes must be `%20`; the name comes once, unsigned, in the form field `user` of the first consent (its address there is
never taken); `email_verified` may be text; there is no user document and a refresh brings no new refresh token.
"""

from oneself.model import Profile
from oneself.providers.reading import at, email, parsed, subject, text, verdict
from oneself.providers.spec import Evidence, IdTokenRule, Provider, Refresh, Revocation, SignedSecret

ISSUER = "https://appleid.apple.com"


def profile(evidence: Evidence) -> Profile:
    """Read the signed claims; only the name may come from the form."""
    claims = evidence.claims or {}
    address = email(claims.get("email"))
    named = parsed(evidence.form.get("user", ""))
    first, last = text(at(named, "name", "firstName")), text(at(named, "name", "lastName"))
    return Profile(
        subject=subject(claims.get("sub")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=verdict(address, claims.get("email_verified")),
        display_name=f"{first} {last}".strip(),
        first_name=first,
        last_name=last,
    )


APPLE = Provider(
    id="apple",
    name="Apple",
    kind="oidc",
    issuer=ISSUER,
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://appleid.apple.com/auth/authorize"),
        ("token", "https://appleid.apple.com/auth/token"),
        ("revocation", "https://appleid.apple.com/auth/revoke"),
        ("jwks", "https://appleid.apple.com/auth/keys"),
    ),
    id_token=IdTokenRule(issuers=(ISSUER, "https://account.apple.com")),
    pkce=False,
    scopes=("name", "email"),
    options=("key_id", "team_id", "native_client_ids"),
    response_mode="form_post",
    client_auth=("post",),
    signed_secret=SignedSecret(audience=ISSUER),
    refresh=Refresh(rotation="reusable"),
    revocation=Revocation(auth="post", hint=True),
)
