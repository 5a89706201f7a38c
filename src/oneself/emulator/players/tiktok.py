"""Plays TikTok's Login Kit, as developers.tiktok.com/doc/login-kit-web describes it.

The client's option `pkce_encoding=hex` is a desktop app: its challenge is the hex digest.
"""

from oneself.emulator.answers import Answer, Json, Refusal, present
from oneself.emulator.personas import hexes
from oneself.emulator.player import Issued, Player, Refresh, Resource, Revocation, Scene, withheld

_LOG = "20260102030405DEMO"


def _user(scene: Scene) -> Answer:
    person = scene.persona
    known = present(
        {
            "open_id": scene.subject,
            "union_id": hexes("tiktok-union", person, 32),
            "avatar_url": person.picture or "https://p16.tiktok.example/avatar.jpeg",
            "display_name": person.name or person.handle,
            "username": person.handle if scene.has("user.info.profile") else "",
        }
    )
    fields = scene.query.get("fields", "").split(",")
    if fields == [""]:
        return _problem(400, "invalid_params", "Fields is required")
    user = {name: known[name] for name in fields if name in known}
    return Answer(body={"data": {"user": user}, "error": {"code": "ok", "message": "", "log_id": _LOG}})


def _problem(status: int, code: str, message: str) -> Answer:
    return Answer(status=status, body={"data": {}, "error": {"code": code, "message": message, "log_id": _LOG}})


def _token(issued: Issued) -> Json:
    return {
        "open_id": issued.scene.subject,
        "scope": ",".join(issued.scene.scopes),
        "access_token": issued.access_token,
        "expires_in": issued.expires_in,
        "refresh_token": issued.refresh_token,
        "refresh_expires_in": issued.refresh_expires_in,
        "token_type": "Bearer",
    }


def _refuse(refusal: Refusal) -> Answer:
    words = {
        Refusal.CODE: ("invalid_grant", "Authorization code is expired."),
        Refusal.REDIRECT: ("invalid_grant", "Redirect_uri is not matched with the uri when requesting code."),
        Refusal.VERIFIER: ("invalid_grant", "Code verifier or code challenge is invalid."),
        Refusal.REFRESH: ("invalid_grant", "Refresh token is invalid or expired."),
        Refusal.CLIENT: ("invalid_client", "Client key or secret is incorrect."),
        Refusal.SECRET: ("invalid_client", "Client key or secret is incorrect."),
        Refusal.CLIENT_WAY: ("invalid_client", "Client key or secret is incorrect."),
        Refusal.GRANT_TYPE: ("unsupported_grant_type", "Grant type is not supported."),
    }
    error, description = words.get(refusal, ("invalid_request", "The request parameters are malformed."))
    # Some failures come with status 200; only the body is sure.
    return Answer(body={"error": error, "error_description": description, "log_id": _LOG})


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return _problem(401, "scope_not_authorized", "The user did not authorize the scope.")
    return _problem(401, "access_token_invalid", "The access token is invalid or not found in the request.")


TIKTOK = Player(
    id="tiktok",
    name="TikTok",
    issuer="https://www.tiktok.com",
    subject=lambda persona: "-000" + hexes("tiktok", persona, 32),
    overrides={
        "authorization": "/v2/auth/authorize/",
        "token": "/v2/oauth/token/",
        "userinfo": "/v2/user/info/",
        "revocation": "/v2/oauth/revoke/",
    },
    email_words=withheld,
    quirks=(
        "client_key instead of client_id; scopes are separated by commas; paths end in a slash.",
        "The code holds characters that must be decoded before it is sent.",
        "Refused token requests answer 200; success of the user's document is error.code ok.",
        "There is never an e-mail address. PKCE is optional, in hex for desktop apps.",
    ),
    authorization_path="/v2/auth/authorize/",
    client_id_param="client_key",
    sign_in_scopes=("user.info.basic",),
    document_query={"fields": "open_id,union_id,avatar_url,display_name"},
    scope_separators=",",
    pkce=("S256",),
    pkce_default="",
    denial={"error": "access_denied", "error_description": "User cancelled", "errCode": "-2"},
    code_prefix="demo*0!6399.",
    token_path="/v2/oauth/token/",
    client_auth=("post",),
    error_status=200,
    access_prefix=lambda _client: "act.",
    access_seconds=lambda _client: 86_400,
    refresh_prefix="rft.",
    refresh=lambda _client: Refresh(gives_new=lambda _count: True, seconds=31_536_000),
    token_answer=_token,
    refuse=_refuse,
    resources=(Resource(name="userinfo", path="/v2/user/info/", answer=_user, scopes=("user.info.basic",)),),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/v2/oauth/revoke/",
            client="post",
            refused=_refuse(Refusal.SECRET),
        ),
    ),
)
