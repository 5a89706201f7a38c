"""TikTok Login Kit for the web: OAuth 2 with names of its own, developers.tiktok.com/doc/login-kit-web.

Oddities: the client's id is called `client_key`; scopes are joined by commas; the API says success as an error whose
code is `ok`; the account's id also stands in the token answer; there is no e-mail. No challenge is sent, because the
web product asks for none. For a desktop or mobile app set `pkce` on, and `pkce_encoding` to `hex` where its page wants
the digest in hex, unlike anybody else.
"""

from oneself.faults import Fault, FaultCode
from oneself.model import Profile
from oneself.providers.reading import at, picture, subject, text
from oneself.providers.spec import Document, Evidence, Provider, Refresh, Revocation


def profile(evidence: Evidence) -> Profile:
    """Key on `open_id`, which must be the same in the token answer where that names one."""
    found = evidence.documents.get("userinfo")
    user = at(found, "data", "user")
    who = subject(at(user, "open_id"))
    if at(found, "error", "code") not in (None, "ok") or evidence.token.get("open_id", who) != who:
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the user document is not this token's")
    return Profile(
        subject=who,
        issuer=evidence.issuer,
        display_name=text(at(user, "display_name")),
        picture_url=picture(at(user, "avatar_url")),
    )


TIKTOK = Provider(
    id="tiktok",
    name="TikTok",
    kind="oauth2",
    issuer="https://www.tiktok.com",
    profile=profile,
    email_proof="none",
    endpoints=(
        ("authorization", "https://www.tiktok.com/v2/auth/authorize/"),
        ("token", "https://open.tiktokapis.com/v2/oauth/token/"),
        ("revocation", "https://open.tiktokapis.com/v2/oauth/revoke/"),
    ),
    documents=(
        Document(
            name="userinfo",
            url="https://open.tiktokapis.com/v2/user/info/",
            query=(("fields", "open_id,union_id,avatar_url,display_name"),),
        ),
    ),
    pkce=False,
    scopes=("user.info.basic",),
    identity_scopes=("user.info.basic",),
    scope_separator=",",
    options=("pkce_encoding",),
    client_id_param="client_key",
    client_auth=("post",),
    answer_separator=",",
    refresh=Refresh(rotation="unknown"),
    revocation=Revocation(auth="post", takes="access"),
)
