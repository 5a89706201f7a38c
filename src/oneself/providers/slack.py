"""Sign in with Slack: OpenID Connect, docs.slack.dev/authentication/sign-in-with-slack.

Oddities: failures answer 200 with `ok` false; a user id is unique in one workspace only, so both ids are the key, under
claims that are named like addresses; the request's `team` is only a hint, so the claim is what is checked; tokens never
expire unless the app rotates them; sending PKCE makes an app public for ever, so none is sent unless the project says
that its app has it (`pkce` on).
"""

from oneself.faults import Fault, FaultCode
from oneself.model import Profile
from oneself.providers.reading import claims_profile, said_of, subject
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, IdTokenRule, Provider, Refresh, Revocation, error


def profile(evidence: Evidence) -> Profile:
    """Key on workspace and user; a project that names a workspace (`team`) refuses all others."""
    said = said_of(evidence)
    team = subject(said.get("https://slack.com/team_id"))
    if evidence.options.get("team", team) not in (team, ""):
        raise Fault(FaultCode.PROVIDER_DENIED, "not of the demanded workspace")
    user = subject(said.get("https://slack.com/user_id"))
    return claims_profile(Evidence(issuer=evidence.issuer, claims={**said, "sub": f"{team}:{user}"}))


SLACK = Provider(
    id="slack",
    name="Slack",
    kind="oidc",
    issuer="https://slack.com",
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://slack.com/openid/connect/authorize"),
        ("token", "https://slack.com/api/openid.connect.token"),
        ("revocation", "https://slack.com/api/auth.revoke"),
        ("jwks", "https://slack.com/openid/connect/keys"),
    ),
    documents=(Document(name="userinfo", url="https://slack.com/api/openid.connect.userInfo", always=False),),
    id_token=IdTokenRule(issuers=("https://slack.com",)),
    pkce=False,
    scopes=("openid", "profile", "email"),
    identity_scopes=("openid",),
    option_params=("team",),
    client_auth=("post", "basic"),
    answer_separator=",",
    refresh=Refresh(rotation="single_use"),
    revocation=Revocation(auth="bearer", takes="access"),
    dead_grant=(error("invalid_refresh_token", "token_revoked", "account_inactive"), *DEAD_GRANT),
    dead_code=(error("invalid_code", "code_already_used", "invalid_grant"),),
    misconfigured=(error("invalid_client_id", "bad_client_secret", "bad_redirect_uri"),),
    transient=(error("ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"),),
)
