"""GitHub and GitHub Enterprise Server: plain OAuth 2, docs.github.com/apps/oauth-apps.

Oddities: failures answer 200 with an `error`; a dead refresh token is `bad_refresh_token`; answers are form-encoded
unless JSON is asked for; the `email` of the profile is whatever the person typed, so only `/user/emails` is read, and
on a server of one's own the operator's flag proves nothing to others. GitHub Apps rotate, OAuth Apps never expire. A
redirect after installing an App carries no `state` and is no sign-in.
"""

from oneself.model import Profile
from oneself.providers.reading import email, mapping, marked, picture, subject, text, verdict
from oneself.providers.spec import DEAD_GRANT, Document, Evidence, Provider, Refresh, Revocation, error

ACCEPT = (("Accept", "application/vnd.github+json"),)
PAGE = (("per_page", "100"),)


def profile(evidence: Evidence) -> Profile:
    """Take the numeric id, and the primary address with GitHub's own flag."""
    user = mapping(evidence.documents.get("userinfo"))
    primary = marked(evidence.documents.get("emails"), "primary")
    address = email(primary.get("email"))
    return Profile(
        subject=subject(user.get("id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=verdict(address, primary.get("verified"), proof=evidence.vouches(address)),
        display_name=text(user.get("name")),
        picture_url=picture(user.get("avatar_url")),
    )


GITHUB = Provider(
    id="github",
    name="GitHub",
    kind="oauth2",
    issuer="{base}",
    profile=profile,
    email_proof="flag",
    bases=(("base", "https://github.com"), ("api", "https://api.github.com")),
    endpoints=(
        ("authorization", "{base}/login/oauth/authorize"),
        ("token", "{base}/login/oauth/access_token"),
        ("revocation", "{api}/applications/{client_id}/grant"),
    ),
    documents=(
        Document(name="userinfo", url="{api}/user", headers=ACCEPT),
        # They come in pages, a hundred at most. An App without the permission for addresses is answered 403 or 404:
        # that is an account without an address.
        Document(name="emails", url="{api}/user/emails", headers=ACCEPT, query=PAGE, required=False),
    ),
    scopes=("read:user", "user:email"),
    redirect_issuer="{base}/login/oauth",
    client_auth=("post", "basic"),
    answer_separator=",",
    refresh=Refresh(rotation="single_use", keeps_access_token=False),
    revocation=Revocation(method="DELETE", auth="basic", body="json", field="access_token", takes="access"),
    dead_grant=(error("bad_refresh_token"), *DEAD_GRANT),
    dead_code=(error("bad_verification_code", "invalid_grant"),),
    misconfigured=(error("incorrect_client_credentials", "redirect_uri_mismatch"),),
)
