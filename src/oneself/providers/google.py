"""Google: OpenID Connect, developers.google.com/identity/openid-connect.

Oddities: the id_token's `iss` may lack its scheme; the redirect carries `iss` although the metadata does not say so; a
refresh token comes with the first consent only, unless `prompt=consent` asks again; older user documents say `id` and
`verified_email`. The request's `hd` is only a hint, so the claim is what is checked.
"""

from dataclasses import replace

from oneself.faults import Fault, FaultCode
from oneself.model import Profile
from oneself.providers.reading import claims_profile, mapping, said_of, text
from oneself.providers.spec import Document, Evidence, IdTokenRule, Provider, Refresh, Revocation

ISSUER = "https://accounts.google.com"


def profile(evidence: Evidence) -> Profile:
    """Read Google's claims; a project that demands a Workspace domain, or with `*` any, refuses all others."""
    document = mapping(evidence.documents.get("userinfo"))
    if "sub" not in document and "id" in document:
        old = {"sub": document["id"], "email_verified": document.get("verified_email")}
        document = {**old, **document}
    evidence = replace(evidence, documents={"userinfo": document})
    wanted, domain = evidence.options.get("hd", "").lower(), text(said_of(evidence).get("hd")).lower()
    if wanted and domain != wanted and not (wanted == "*" and domain):
        raise Fault(FaultCode.PROVIDER_DENIED, "not of the demanded Workspace domain")
    return claims_profile(evidence)


GOOGLE = Provider(
    id="google",
    name="Google",
    kind="oidc",
    issuer=ISSUER,
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://accounts.google.com/o/oauth2/v2/auth"),
        ("token", "https://oauth2.googleapis.com/token"),
        ("revocation", "https://oauth2.googleapis.com/revoke"),
        ("jwks", "https://www.googleapis.com/oauth2/v3/certs"),
    ),
    documents=(Document(name="userinfo", url="https://openidconnect.googleapis.com/v1/userinfo", always=False),),
    id_token=IdTokenRule(issuers=(ISSUER, "accounts.google.com"), required=False),
    scopes=("openid", "email", "profile"),
    identity_scopes=("openid",),
    authorize_params=(("access_type", "offline"),),
    option_params=("hd",),
    options=("native_client_ids",),
    redirect_issuer=ISSUER,
    client_auth=("post", "basic"),
    refresh=Refresh(rotation="reusable"),
    revocation=Revocation(auth="none"),
)
