"""Plays Sign In with LinkedIn using OpenID Connect (learn.microsoft.com/linkedin).

The client's option `partner=yes` makes it one of the approved ones that get refresh tokens.
"""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.clients import Client
from oneself.emulator.personas import hexes
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene

_YEAR = 31_536_000


def _names(scene: Scene) -> Json:
    person = scene.persona
    if not scene.has("profile"):
        return {}
    return present(
        {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "picture": person.picture,
        }
    )


def _claims(scene: Scene) -> Json:
    person = scene.persona
    said = _names(scene) | ({"locale": person.locale.replace("-", "_")} if scene.has("profile") else {})
    if scene.has("email") and person.email:
        # A string here, a boolean in userinfo.
        said |= {"email": person.email, "email_verified": "true" if person.email_verified else "false"}
    return said


def _userinfo(scene: Scene) -> Answer:
    person = scene.persona
    language, _, country = person.locale.partition("-")
    said: Json = {"sub": scene.subject, **_names(scene)}
    if scene.has("profile"):
        said["locale"] = {"country": country, "language": language}
    if scene.has("email") and person.email:
        said |= {"email": person.email, "email_verified": person.email_verified}
    return Answer(body=said)


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "expires_in": issued.expires_in,
            "scope": ",".join(sorted(issued.scene.scopes)),
            "token_type": "Bearer",
            "id_token": issued.id_token,
            "refresh_token": issued.refresh_token,
            "refresh_token_expires_in": issued.refresh_expires_in,
        }
    )


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CODE | Refusal.VERIFIER:
            words = "Unable to retrieve access token: authorization code not found"
            return failure(401, "invalid_request", words)
        case Refusal.REDIRECT:
            return failure(400, "invalid_redirect_uri", "Unable to retrieve access token: redirect uri mismatch.")
        case Refusal.REFRESH:
            return failure(400, "invalid_request", "The provided refresh token is invalid, expired or revoked.")
        case Refusal.CLIENT | Refusal.SECRET | Refusal.CLIENT_WAY:
            return failure(401, "invalid_client", "Client authentication failed")
        case _:
            return rfc6749(refusal)


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return _problem(403, 100, "Not enough permissions to access: userinfo.GET.NO_VERSION")
    return _problem(401, 65600 if reason == "missing" else 65601, "Invalid access token")


def _problem(status: int, code: int, message: str) -> Answer:
    return Answer(status=status, body={"status": status, "serviceErrorCode": code, "message": message})


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/oauth/v2/authorization",
        "token_endpoint": f"{root}/oauth/v2/accessToken",
        "userinfo_endpoint": f"{root}/v2/userinfo",
        "jwks_uri": f"{root}/oauth/openid/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email"],
        "claims_supported": ["iss", "aud", "iat", "exp", "sub", "name", "email", "email_verified"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }


def _refresh(client: Client) -> Refresh | None:
    if client.option("partner", "no") != "yes":
        return None
    return Refresh(rotation="same", gives_new=lambda _count: True, seconds=_YEAR, slides=False)


LINKEDIN = Player(
    id="linkedin",
    name="LinkedIn",
    issuer="https://www.linkedin.com/oauth",
    local_issuer="{root}/oauth",
    subject=lambda persona: hexes("linkedin", persona, 10),
    overrides={
        "authorization": "/oauth/v2/authorization",
        "token": "/oauth/v2/accessToken",
        "userinfo": "/v2/userinfo",
        "jwks": "/oauth/openid/jwks",
        "revocation": "/oauth/v2/revoke",
    },
    quirks=(
        "The nonce is not echoed, and PKCE is not looked at.",
        "email_verified is a string in the id_token and a boolean in userinfo; locale is an object there.",
        "Clients authenticate in the body only; refresh tokens are for partners (option partner=yes).",
        "A person who says no comes back with user_cancelled_authorize.",
        "Asking for another set of scopes ends all earlier access tokens.",
    ),
    authorization_path="/oauth/v2/authorization",
    sign_in_scopes=("openid", "profile", "email"),
    pkce=(),
    denial={
        "error": "user_cancelled_authorize",
        "error_description": "The user cancelled the authorization",
    },
    code_prefix="AQ",
    code_seconds=1_800,
    token_path="/oauth/v2/accessToken",
    client_auth=("post",),
    access_prefix=lambda _client: "AQ" + "X" * 450,  # real ones are about 500 characters long
    access_seconds=lambda _client: 5_183_999,
    refresh_prefix="AQ",
    refresh=_refresh,
    ends_older=lambda old, new: set(old) != set(new),
    id_token=IdToken(claims=_claims, nonce=False),
    token_answer=_token,
    refuse=_refuse,
    resources=(Resource(name="userinfo", path="/v2/userinfo", answer=_userinfo, scopes=("openid", "profile")),),
    refuse_api=_refuse_api,
    revocations=(Revocation(path="/oauth/v2/revoke", client="post", done=Answer(kind="empty")),),
    jwks_path="/oauth/openid/jwks",
    discovery=_discovery,
    discovery_path="/oauth/.well-known/openid-configuration",
)
