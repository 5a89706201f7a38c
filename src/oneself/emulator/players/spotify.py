"""Plays Spotify's accounts service and Web API, as developer.spotify.com describes them.

The client's option `mode=development` takes e-mail, country and product out of the user object, as
Spotify did in February and March 2026; other clients have extended quota.
"""

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.clients import Client
from oneself.emulator.personas import hexes
from oneself.emulator.player import Issued, Player, Refresh, Resource, Scene, unflagged

# Six months from the person's consent; refreshing does not move the end.
_REFRESH_SECONDS = 182 * 86_400


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "scope": " ".join(issued.scene.scopes),
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
        }
    )


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CLIENT | Refusal.CLIENT_WAY:
            return failure(400, "invalid_client", "Invalid client")
        case Refusal.SECRET:
            return failure(400, "invalid_client", "Invalid client secret")
        case Refusal.CODE:
            return failure(400, "invalid_grant", "Invalid authorization code")
        case Refusal.REDIRECT:
            return failure(400, "invalid_grant", "Invalid redirect URI")
        case Refusal.VERIFIER:
            return failure(400, "invalid_grant", "code_verifier was incorrect")
        case Refusal.REFRESH:
            return failure(400, "invalid_grant", "Refresh token revoked")
        case _:
            return rfc6749(refusal)


def _refuse_api(reason: str) -> Answer:
    said = {
        "missing": (401, "No token provided"),
        "dead": (401, "The access token expired"),
        "scope": (403, "Insufficient client scope"),
    }[reason]
    return Answer(status=said[0], body={"error": {"status": said[0], "message": said[1]}})


def _me(scene: Scene) -> Answer:
    person = scene.persona
    name = person.handle.replace("-", "") + hexes("spotify-id", person, 4)
    pictures = [{"url": person.picture, "height": None, "width": None}] if person.picture else []
    said: Json = {
        "account_id": scene.subject,
        "id": name,
        "display_name": person.name or None,
        "external_urls": {"spotify": f"https://open.spotify.com/user/{name}"},
        "href": f"https://api.spotify.com/v1/users/{name}",
        "images": pictures,
        "type": "user",
        "uri": f"spotify:user:{name}",
    }
    if scene.client.option("mode", "extended") == "development":
        return Answer(body=said)
    said["followers"] = {"href": None, "total": 0}
    if scene.has("user-read-email") and person.email:
        said["email"] = person.email
    if scene.has("user-read-private"):
        said.update(country=person.locale[-2:], product="premium")
    return Answer(body=said)


def _refresh(client: Client) -> Refresh:
    if not client.client_secret:
        # A client that proves itself by PKCE alone gets refresh tokens for one use.
        return Refresh(
            rotation="single_use",
            gives_new=lambda _count: True,
            seconds=_REFRESH_SECONDS,
            slides=False,
        )
    # With a secret most answers bring no refresh token; every second one does, and the old stays.
    return Refresh(gives_new=lambda count: count % 2 == 0, seconds=_REFRESH_SECONDS, slides=False)


SPOTIFY = Player(
    id="spotify",
    name="Spotify",
    issuer="https://accounts.spotify.com",
    subject=lambda persona: "acc-" + hexes("spotify", persona, 20),
    overrides={
        "authorization": "/authorize",
        "token": "/api/token",
        "userinfo": "/v1/me",
    },
    email_words=unflagged,
    quirks=(
        "Says nothing about whether the e-mail address is verified.",
        "account_id is the subject; id is the older name of the same account.",
        "Clients authenticate with HTTP Basic only; one without a secret gets single-use refresh tokens.",
        "Every second refresh answer brings a refresh token; it ends six months after consent.",
        "Option mode=development removes email, country and product.",
    ),
    authorization_path="/authorize",
    sign_in_scopes=("user-read-email", "user-read-private"),
    pkce=("S256",),
    pkce_default="",
    denial={"error": "access_denied"},
    code_prefix="AQ",
    token_path="/api/token",
    client_auth=("basic",),
    access_prefix=lambda _client: "BQ",
    refresh_prefix="AQ",
    refresh=_refresh,
    token_answer=_token,
    refuse=_refuse,
    resources=(Resource(name="userinfo", path="/v1/me", answer=_me),),
    refuse_api=_refuse_api,
)
