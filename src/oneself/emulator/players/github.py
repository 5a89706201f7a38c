"""Plays GitHub, both kinds of app, as docs.github.com/apps describes them.

A client is a GitHub App when its id begins with `Iv` (as real ones do) or its option `kind` says
`github_app`; else it is an OAuth App. The option `email_permission=no` takes an App's right to read
addresses.
"""

from oneself.emulator.answers import Answer, Json, Refusal
from oneself.emulator.clients import Client
from oneself.emulator.personas import digits, hexes
from oneself.emulator.player import Issued, Player, Refresh, Resource, Revocation, Scene

_DOCS = "https://docs.github.com/rest"
_APP_DOCS = "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/"


def _is_app(client: Client) -> bool:
    kind = "github_app" if client.client_id.startswith("Iv") else "oauth_app"
    return client.option("kind", kind) == "github_app"


def _token(issued: Issued) -> Json:
    scopes = "" if _is_app(issued.scene.client) else ",".join(issued.scene.scopes)
    said: Json = {"access_token": issued.access_token}
    if issued.expires_in is not None:
        said["expires_in"] = issued.expires_in
    if issued.refresh_token:
        said["refresh_token"] = issued.refresh_token
        said["refresh_token_expires_in"] = issued.refresh_expires_in
    return {**said, "scope": scopes, "token_type": "bearer"}


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CLIENT | Refusal.SECRET | Refusal.CLIENT_WAY:
            words = (
                "incorrect_client_credentials",
                "The client_id and/or client_secret passed are incorrect.",
            )
        case Refusal.REDIRECT:
            words = (
                "redirect_uri_mismatch",
                "The redirect_uri MUST match the registered callback URL for this application.",
            )
        case Refusal.REFRESH:
            words = ("bad_refresh_token", "The refresh token passed is incorrect or expired.")
        case Refusal.GRANT_TYPE:
            words = ("unsupported_grant_type", "The grant_type is not supported.")
        case _:
            words = ("bad_verification_code", "The code passed is incorrect or expired.")
    error, description = words
    uri = _APP_DOCS + "#" + error.replace("_", "-")
    # Failures are answered with status 200; only the body tells.
    return Answer(body={"error": error, "error_description": description, "error_uri": uri})


def _problem(status: int, message: str) -> Answer:
    return Answer(status=status, body={"message": message, "documentation_url": _DOCS})


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return _problem(404, "Not Found")
    return _problem(401, "Requires authentication" if reason == "missing" else "Bad credentials")


_NO_AGENT = Answer(
    status=403,
    kind="text",
    body="Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
)


def _user(scene: Scene) -> Answer:
    if not scene.headers.get("user-agent"):
        return _NO_AGENT
    person, number = scene.persona, int(scene.subject)
    return Answer(
        body={
            "login": person.handle,
            "id": number,
            "node_id": "U_" + hexes("github-node", person, 12),
            "avatar_url": person.picture or f"https://avatars.githubusercontent.com/u/{number}",
            "html_url": f"https://github.com/{person.handle}",
            "type": "User",
            "site_admin": False,
            "name": person.name or None,
            # The public profile address: whatever the person typed, and often nothing.
            "email": person.public_email or None,
        },
        headers=(("X-OAuth-Scopes", ", ".join(scene.scopes)),),
    )


def _emails(scene: Scene) -> Answer:
    if not scene.headers.get("user-agent"):
        return _NO_AGENT
    if _is_app(scene.client):
        if scene.client.option("email_permission", "yes") != "yes":
            return _problem(403, "Resource not accessible by integration")
    elif not scene.has("user:email", "user"):
        return _problem(404, "Not Found")
    person = scene.persona
    listed = []
    if person.email:
        listed.append(_address(person.email, primary=True, verified=person.email_verified))
    listed += [_address(other, primary=False, verified=False) for other in person.other_emails]
    return Answer(body=listed)


def _address(email: str, *, primary: bool, verified: bool) -> Json:
    visibility = "private" if primary else None
    return {"email": email, "primary": primary, "verified": verified, "visibility": visibility}


def _refresh(client: Client) -> Refresh | None:
    if not _is_app(client):
        return None
    return Refresh(
        rotation="single_use",
        gives_new=lambda _count: True,
        kills_access=True,
        seconds=15_897_600,
    )


GITHUB = Player(
    id="github",
    name="GitHub",
    issuer="{root}/login/oauth",
    subject=lambda persona: digits("github", persona, 8),
    overrides={
        "base": "",
        "api": "/api/v3",
        "authorization": "/login/oauth/authorize",
        "token": "/login/oauth/access_token",
        "userinfo": "/api/v3/user",
        "emails": "/api/v3/user/emails",
        "revocation": "/api/v3/applications/{client_id}/grant",
    },
    quirks=(
        "Token failures answer 200 with an error in the body.",
        "The token answer is form-encoded unless Accept asks for JSON; scopes are comma separated.",
        "Clients named Iv… are GitHub Apps: 8 h access tokens, no scopes, refresh tokens for one use.",
        "A GitHub App's refresh also ends the old access token. OAuth Apps know no expiry.",
        "/user carries the public address only; the API demands a User-Agent.",
        "The redirect carries iss=…/login/oauth.",
    ),
    authorization_path="/login/oauth/authorize",
    sign_in_scopes=("read:user", "user:email"),
    scope_separators=" ,",
    response_type_needed=False,
    pkce=("S256",),
    pkce_default="",
    redirect_issuer="{issuer}",
    denial={
        "error": "access_denied",
        "error_description": "The user has denied your application access.",
        "error_uri": "https://docs.github.com/apps/troubleshooting-authorization-request-errors/#access-denied",
    },
    token_path="/login/oauth/access_token",
    json_requests=True,
    form_answers=True,
    error_status=200,
    access_prefix=lambda client: "ghu_" if _is_app(client) else "gho_",
    access_seconds=lambda client: 28_800 if _is_app(client) else None,
    refresh_prefix="ghr_",
    refresh=_refresh,
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(name="userinfo", path="/api/v3/user", answer=_user),
        Resource(name="emails", path="/api/v3/user/emails", answer=_emails),
    ),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/api/v3/applications/{client_id}/grant",
            methods=("DELETE",),
            body="json",
            field="access_token",
            client="basic",
            kills="person",
            takes="access",
            done=Answer(status=204, kind="empty"),
            unknown=_problem(404, "Not Found"),
            refused=_problem(404, "Not Found"),
        ),
        Revocation(
            name="revocation_token",
            path="/api/v3/applications/{client_id}/token",
            methods=("DELETE",),
            body="json",
            field="access_token",
            client="basic",
            kills="token",
            takes="access",
            done=Answer(status=204, kind="empty"),
            unknown=_problem(404, "Not Found"),
            refused=_problem(404, "Not Found"),
        ),
    ),
)
