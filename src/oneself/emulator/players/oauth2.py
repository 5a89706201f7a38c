"""Plays a plain OAuth 2.0 server with habits of its own, for clients that are told by configuration.

`expires_in` is a text, `scope` a list, the user document nests the address and says 1 for true.
"""

from oneself.emulator.answers import Answer, Json, failure, present, rfc6749
from oneself.emulator.personas import digits
from oneself.emulator.player import Issued, Player, Refresh, Resource, Revocation, Scene


def _user(scene: Scene) -> Answer:
    person = scene.persona
    profile: Json = {"title": person.name, "image": person.picture or None}
    if person.email:
        profile |= {"mail": person.email, "mail_ok": int(person.email_verified)}
    return Answer(body={"id": int(scene.subject), "profile": profile})


def _token(issued: Issued) -> Json:
    said = {
        "access_token": issued.access_token,
        "token_type": "bearer",
        "expires_in": str(issued.expires_in),
        "scope": list(issued.scene.scopes),
    }
    return {**said, **present({"refresh_token": issued.refresh_token})}


def _refuse_api(reason: str) -> Answer:
    return failure(403 if reason == "scope" else 401, "access_refused", reason)


OAUTH2 = Player(
    id="oauth2",
    name="OAuth 2.0",
    issuer="{root}",
    subject=lambda persona: digits("oauth2", persona, 6),
    overrides={
        "authorization": "/authorize",
        "token": "/token",
        "userinfo": "/user",
        "revocation": "/revoke",
    },
    quirks=(
        "expires_in is a text, scope a list, the subject a number.",
        "The address is profile.mail, its flag profile.mail_ok: 1 or 0.",
        "Refresh tokens are for one use.",
    ),
    authorization_path="/authorize",
    sign_in_scopes=("read",),
    scope_separators=" ,",
    denial={"error": "access_denied"},
    token_path="/token",
    refresh=lambda _client: Refresh(rotation="single_use", gives_new=lambda _count: True),
    token_answer=_token,
    refuse=rfc6749,
    resources=(Resource(name="userinfo", path="/user", answer=_user),),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/revoke",
            done=Answer(kind="empty"),
            unknown=Answer(kind="empty"),
            refused=failure(401, "invalid_client"),
        ),
    ),
)
