"""Salesforce: OpenID Connect on a login host of one's own choice, help.salesforce.com (remoteaccess).

Oddities: the host is part of who issues (login, test or My Domain, set as `base`), yet the token's `iss` may still be
the common login host; no `expires_in` is ever sent; `sub` is an address that changes with the host, so `user_id` is the
key; an administrator owns the mailbox setting, so the flag is a proof for trusted domains only.
"""

from dataclasses import replace

from oneself.model import Profile
from oneself.providers.reading import at, claims_profile, email, mapping, picture, said_of, subject
from oneself.providers.spec import Document, Evidence, IdTokenRule, Provider, Refresh, Revocation


def profile(evidence: Evidence) -> Profile:
    """Key on `user_id`, which only the user document names."""
    user = mapping(evidence.documents.get("userinfo"))
    said = said_of(replace(evidence, claims=user, documents={"userinfo": evidence.claims}))
    said["sub"] = subject(user.get("user_id"))
    said["picture"] = picture(at(user, "photos", "picture"))
    proof = evidence.trusts(email(said.get("email")))
    return claims_profile(replace(evidence, claims=said, documents={}), proof=proof)


SALESFORCE = Provider(
    id="salesforce",
    name="Salesforce",
    kind="oidc",
    issuer="{base}",
    profile=profile,
    email_proof="conditional",
    bases=(("base", "https://login.salesforce.com"),),
    endpoints=(
        ("authorization", "{base}/services/oauth2/authorize"),
        ("token", "{base}/services/oauth2/token"),
        ("revocation", "{base}/services/oauth2/revoke"),
        ("jwks", "{base}/id/keys"),
    ),
    documents=(Document(name="userinfo", url="{base}/services/oauth2/userinfo"),),
    id_token=IdTokenRule(
        issuers=("{base}", "https://login.salesforce.com", "https://test.salesforce.com"), required=False
    ),
    scopes=("openid", "profile", "email"),
    identity_scopes=("openid",),
    client_auth=("post", "basic"),
    # Rotation is the app's setting; taking it as off would burn the grant of an app that has it on.
    refresh=Refresh(rotation="unknown", scope="refresh_token"),
    revocation=Revocation(auth="none"),
)
