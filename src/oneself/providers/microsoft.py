"""Microsoft Entra ID and personal accounts: OpenID Connect, learn.microsoft.com/entra/identity-platform.

Oddities: every tenant is an issuer of its own (`tid` in the token fills the template), so the tenant that was asked for
is checked here; `oid` names a person in one tenant, `sub` only for one app; administrators write `email` freely, so it
is proved only by `xms_edov` or `verified_primary_email`, and a missing claim proves nothing. A replaced refresh token
lives on: two refreshes harm nobody. The one revocation signs the person out of every app: too much for an unlink.
"""

from oneself.faults import Fault, FaultCode
from oneself.model import Profile
from oneself.providers.reading import claims_profile, email, flag, subject
from oneself.providers.spec import Document, Evidence, IdTokenRule, Provider, Refresh

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


def _tenant(evidence: Evidence, tid: str) -> None:
    """Refuse an account of another tenant than the one that was asked for."""
    asked = evidence.tenant.lower()
    groups = {"organizations": tid == CONSUMERS, "consumers": tid != CONSUMERS}
    if groups.get(asked, asked.count("-") == 4 and asked != tid.lower()):
        raise Fault(FaultCode.PROVIDER_DENIED, "the account is of another tenant")


def profile(evidence: Evidence) -> Profile:
    """Key on tenant and object id; take the address as proved only where Entra says who owns its domain."""
    claims = evidence.claims or {}
    tid = subject(claims.get("tid"))
    _tenant(evidence, tid)
    address = email(claims.get("email"))
    edov, primary = claims.get("xms_edov"), claims.get("verified_primary_email")
    listed = [entry.lower() for entry in primary if isinstance(entry, str)] if isinstance(primary, list) else []
    owned = flag(edov) or edov == "1" or (edov == 1 and type(edov) is int) or address.lower() in listed
    verified = None if edov is None and not owned else owned
    said = {**claims, "sub": f"{tid}:{subject(claims.get('oid'))}", "email_verified": verified}
    return claims_profile(Evidence(issuer=evidence.issuer, claims=said))


MICROSOFT = Provider(
    id="microsoft",
    name="Microsoft",
    kind="oidc",
    issuer="{base}",
    profile=profile,
    email_proof="conditional",
    bases=(("base", "https://login.microsoftonline.com"),),
    endpoints=(
        ("authorization", "{base}/{tenant}/oauth2/v2.0/authorize"),
        ("token", "{base}/{tenant}/oauth2/v2.0/token"),
        ("jwks", "{base}/{tenant}/discovery/v2.0/keys"),
    ),
    default_tenant="common",
    documents=(Document(name="userinfo", url="https://graph.microsoft.com/oidc/userinfo", always=False),),
    id_token=IdTokenRule(issuers=("{base}/{tid}/v2.0",)),
    scopes=("openid", "profile", "email", "User.Read"),
    identity_scopes=("openid", "profile"),
    option_params=("domain_hint",),
    client_auth=("post", "basic"),
    refresh=Refresh(rotation="reusable", scope="offline_access"),
)
