"""Plays X (formerly Twitter) OAuth 2.0, as docs.x.com describes it."""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.personas import digits
from oneself.emulator.player import Issued, Player, Refresh, Resource, Revocation, Scene


def _check(asked: Mapping[str, str], _query: str) -> tuple[str, str] | None:
    if len(asked.get("state", "")) > 500:
        return "invalid_request", "state is longer than 500 characters."
    return None


def _me(scene: Scene) -> Answer:
    if not scene.has("users.read") or not scene.has("tweet.read"):
        return _problem(403, "Forbidden", "tweet.read and users.read are both needed.")
    person = scene.persona
    known = present(
        {
            "id": scene.subject,
            "name": person.name or person.handle,
            "username": person.handle,
            "profile_image_url": person.picture or "https://pbs.twimg.example/default_normal.png",
            # Its presence is the proof: an unconfirmed address does not appear.
            "confirmed_email": person.email if person.email_verified and scene.has("users.email") else "",
        }
    )
    wanted = {"id", "name", "username", *scene.query.get("user.fields", "").split(",")}
    return Answer(body={"data": {name: value for name, value in known.items() if name in wanted}})


def _problem(status: int, title: str, detail: str) -> Answer:
    body = {"title": title, "type": "about:blank", "status": status, "detail": detail}
    return Answer(status=status, body=body, headers=(("Content-Type", "application/problem+json"),))


def _token(issued: Issued) -> Json:
    return present(
        {
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "access_token": issued.access_token,
            "scope": " ".join(issued.scene.scopes),
            "refresh_token": issued.refresh_token,
        }
    )


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CODE | Refusal.REDIRECT | Refusal.VERIFIER:
            return failure(400, "invalid_request", "Value passed for the authorization code was invalid.")
        case Refusal.REFRESH:
            return failure(400, "invalid_request", "Value passed for the token was invalid.")
        case Refusal.CLIENT | Refusal.SECRET | Refusal.CLIENT_WAY:
            return failure(401, "unauthorized_client", "Missing valid authorization header")
        case _:
            return rfc6749(refusal)


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return _problem(403, "Forbidden", "Forbidden")
    return _problem(401, "Unauthorized", "Unauthorized")


X = Player(
    id="x",
    name="X",
    issuer="https://x.com",
    subject=lambda persona: digits("x", persona, 19),
    overrides={
        "authorization": "/i/oauth2/authorize",
        "token": "/2/oauth2/token",
        "userinfo": "/2/users/me",
        "revocation": "/2/oauth2/revoke",
    },
    email_words=lambda persona: "confirmed" if persona.email_verified else "left out: not confirmed",
    quirks=(
        "PKCE is required; the code lives 30 seconds; state has 500 characters at most.",
        "confirmed_email appears only when confirmed, asked for in user.fields, with users.email.",
        "users.read alone is not enough for /2/users/me: tweet.read is needed too.",
        "A dead grant is invalid_request, told by its description; refresh tokens are for one use.",
    ),
    authorization_path="/i/oauth2/authorize",
    sign_in_scopes=("users.read", "tweet.read", "users.email", "offline.access"),
    document_query={"user.fields": "id,name,username,profile_image_url,confirmed_email"},
    pkce_required=True,
    pkce_default="",
    check=_check,
    denial={"error": "access_denied"},
    code_seconds=30,
    token_path="/2/oauth2/token",
    client_auth=("basic",),
    access_seconds=lambda _client: 7200,
    refresh=lambda _client: Refresh(
        granted=lambda scene: scene.has("offline.access"),
        rotation="single_use",
        gives_new=lambda _count: True,
    ),
    token_answer=_token,
    refuse=_refuse,
    resources=(Resource(name="userinfo", path="/2/users/me", answer=_me),),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/2/oauth2/revoke",
            client="basic",
            done=Answer(body={"revoked": True}),
            unknown=Answer(body={"revoked": True}),
            refused=failure(401, "unauthorized_client", "Missing valid authorization header"),
        ),
    ),
)
