"""Plays Google: OpenID Connect as developers.google.com/identity/openid-connect describes it."""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.clients import Client
from oneself.emulator.personas import digits
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene

_LONG_SCOPES = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}


def _long(scopes: tuple[str, ...]) -> str:
    return " ".join(_LONG_SCOPES.get(scope, scope) for scope in scopes)


def _email_claims(scene: Scene) -> Json:
    if not scene.has("email", _LONG_SCOPES["email"]) or not scene.persona.email:
        return {}
    return present(
        {
            "email": scene.persona.email,
            "email_verified": scene.persona.email_verified,
            "hd": scene.persona.work_domain if scene.persona.email_verified else "",
        }
    )


def _name_claims(scene: Scene) -> Json:
    if not scene.has("profile", _LONG_SCOPES["profile"]):
        return {}
    person = scene.persona
    return present(
        {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "picture": person.picture,
        }
    )


def _claims(scene: Scene) -> Json:
    return {"azp": scene.client.client_id, **_email_claims(scene), **_name_claims(scene)}


def _userinfo(scene: Scene) -> Answer:
    return Answer(body={"sub": scene.subject, **_name_claims(scene), **_email_claims(scene)})


def _userinfo_v2(scene: Scene) -> Answer:
    # The older document says `id` and `verified_email` of the same person.
    said = {**_name_claims(scene), **_email_claims(scene)}
    if "email_verified" in said:
        said["verified_email"] = said.pop("email_verified")
    return Answer(body={"id": scene.subject, **said})


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
            "scope": _long(issued.scene.scopes),
            "token_type": "Bearer",
            "id_token": issued.id_token,
        }
    )


def _offline(scene: Scene) -> bool:
    # Only the first consent gives a refresh token, unless the consent is asked for again.
    again = "consent" in scene.asked.get("prompt", "").split()
    return scene.asked.get("access_type") == "offline" and (scene.first or again)


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CODE:
            return failure(400, "invalid_grant", "Malformed auth code.")
        case Refusal.REDIRECT:
            return failure(400, "redirect_uri_mismatch", "Bad Request")
        case Refusal.VERIFIER:
            return failure(400, "invalid_grant", "Invalid code verifier.")
        case Refusal.REFRESH:
            return failure(400, "invalid_grant", "Token has been expired or revoked.")
        case Refusal.CLIENT:
            return failure(401, "invalid_client", "The OAuth client was not found.")
        case Refusal.SECRET | Refusal.CLIENT_WAY:
            return failure(401, "invalid_client", "Unauthorized")
        case _:
            return rfc6749(refusal)


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return failure(403, "insufficient_scope", "Request had insufficient scopes.")
    challenge = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    said = {"error": "invalid_request", "error_description": "Invalid Credentials"}
    return Answer(status=401, body=said, headers=(("WWW-Authenticate", challenge),))


def _redirect_extras(scene: Scene) -> dict[str, str]:
    # Real callbacks carry these besides; a client must not stumble over them.
    extras = {"scope": _long(scene.scopes), "authuser": "0"}
    if scene.persona.work_domain:
        extras["hd"] = scene.persona.work_domain
    extras["prompt"] = scene.asked.get("prompt") or ("consent" if scene.first else "none")
    return extras


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    # RFC 9207's flag is missing here as it is at Google, although `iss` comes on redirects.
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/o/oauth2/v2/auth",
        "token_endpoint": f"{root}/token",
        "userinfo_endpoint": f"{root}/v1/userinfo",
        "revocation_endpoint": f"{root}/revoke",
        "jwks_uri": f"{root}/oauth2/v3/certs",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": [
            "aud",
            "email",
            "email_verified",
            "exp",
            "family_name",
            "given_name",
            "iat",
            "iss",
            "name",
            "picture",
            "sub",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
    }


def _refresh(_client: Client) -> Refresh:
    return Refresh(granted=_offline)


GOOGLE = Player(
    id="google",
    name="Google",
    issuer="https://accounts.google.com",
    subject=lambda persona: digits("google", persona, 21),
    overrides={
        "authorization": "/o/oauth2/v2/auth",
        "token": "/token",
        "userinfo": "/v1/userinfo",
        "jwks": "/oauth2/v3/certs",
        "revocation": "/revoke",
    },
    quirks=(
        "A refresh token comes with access_type=offline and the first consent only, or with prompt=consent.",
        "The redirect carries iss, scope, authuser and prompt, and hd for a work address.",
        "/oauth2/v2/userinfo says id and verified_email.",
        "Scopes come back under their long names.",
    ),
    authorization_path="/o/oauth2/v2/auth",
    sign_in_scopes=("openid", "email", "profile"),
    sign_in_params={"access_type": "offline"},
    response_modes=("query", "fragment", "form_post"),
    redirect_issuer="{issuer}",
    redirect_extras=_redirect_extras,
    denial={"error": "access_denied"},
    code_prefix="4/0",
    token_path="/token",
    access_prefix=lambda _client: "ya29.",
    access_seconds=lambda _client: 3599,
    refresh_prefix="1//0",
    refresh=_refresh,
    id_token=IdToken(claims=_claims),
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(name="userinfo", path="/v1/userinfo", answer=_userinfo, methods=("GET", "POST")),
        Resource(name="userinfo_v3", path="/oauth2/v3/userinfo", answer=_userinfo),
        Resource(name="userinfo_v2", path="/oauth2/v2/userinfo", answer=_userinfo_v2),
    ),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/revoke",
            client="none",
            unknown=failure(400, "invalid_token", "Token expired or revoked"),
        ),
    ),
    jwks_path="/oauth2/v3/certs",
    discovery=_discovery,
)
