"""Plays Bitbucket Cloud after its change of 4 May 2026 (developer.atlassian.com/cloud/bitbucket)."""

from oneself.emulator.answers import Answer, Json, present, rfc6749
from oneself.emulator.personas import uuid_shaped
from oneself.emulator.player import Issued, Player, Refresh, Resource, Scene

_THREE_MONTHS = 90 * 86_400


def _user(scene: Scene) -> Answer:
    person = scene.persona
    return Answer(
        body={
            "type": "user",
            "uuid": "{" + uuid_shaped("bitbucket", person) + "}",
            "account_id": scene.subject,
            "display_name": person.name,
            "nickname": person.handle,
            "account_status": "active",
            "links": {"avatar": {"href": person.picture or "https://avatars.example/initials.png"}},
        }
    )


def _emails(scene: Scene) -> Answer:
    person = scene.persona
    # The primary address need not come first.
    listed = [_address(other, primary=False, confirmed=True) for other in person.other_emails]
    if person.email:
        listed.append(_address(person.email, primary=True, confirmed=person.email_verified))
    return Answer(body={"page": 1, "pagelen": 10, "size": len(listed), "values": listed})


def _address(email: str, *, primary: bool, confirmed: bool) -> Json:
    return {"type": "email", "email": email, "is_primary": primary, "is_confirmed": confirmed}


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
            # The scopes are those of the consumer, whatever was asked for.
            "scope": issued.scene.client.option("scopes", "account email"),
            "state": issued.scene.asked.get("state", ""),
        }
    )


def _refuse_api(reason: str) -> Answer:
    status, message = (403, "Your credentials lack one or more required privilege scopes.")
    if reason != "scope":
        status, message = 401, "Access token expired or missing."
    return Answer(status=status, body={"type": "error", "error": {"message": message}})


def _emails_if_allowed(scene: Scene) -> Answer:
    allowed = "email" in scene.client.option("scopes", "account email").split()
    return _emails(scene) if allowed else _refuse_api("scope")


BITBUCKET = Player(
    id="bitbucket",
    name="Bitbucket",
    issuer="https://bitbucket.org",
    subject=lambda persona: "557058:" + uuid_shaped("bitbucket-atlassian", persona),
    overrides={
        "authorization": "/site/oauth2/authorize",
        "token": "/site/oauth2/access_token",
        "userinfo": "/2.0/user",
        "emails": "/2.0/user/emails",
    },
    quirks=(
        "Refresh tokens are for one use and end after three months without one.",
        "Access tokens are taken in the Authorization header only.",
        "The primary address is not the first of the list; secondary ones can be confirmed too.",
        "Scopes are those of the consumer, not those asked for.",
    ),
    authorization_path="/site/oauth2/authorize",
    sign_in_scopes=("account", "email"),
    pkce=(),
    response_modes=("query", "fragment"),
    denial={"error": "access_denied"},
    token_path="/site/oauth2/access_token",
    access_seconds=lambda _client: 7200,
    refresh=lambda _client: Refresh(rotation="single_use", gives_new=lambda _count: True, seconds=_THREE_MONTHS),
    token_answer=_token,
    refuse=rfc6749,
    resources=(
        Resource(name="userinfo", path="/2.0/user", answer=_user),
        Resource(name="emails", path="/2.0/user/emails", answer=_emails_if_allowed),
    ),
    refuse_api=_refuse_api,
)
