"""Plays Yahoo's OpenID Connect, as developer.yahoo.com/oauth2 describes it: ES256, and no PKCE."""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, failure, present, rfc6749
from oneself.emulator.personas import hexes
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene


def _check(asked: Mapping[str, str], _query: str) -> tuple[str, str] | None:
    if "code_challenge" in asked or "code_challenge_method" in asked:
        return "unauthorized_client", "invalid client id"
    return None


def _claims(scene: Scene) -> Json:
    person = scene.persona
    said: Json = {}
    if scene.has("profile"):
        said = present(
            {
                "name": person.name,
                "given_name": person.given_name,
                "family_name": person.family_name,
                "nickname": person.handle,
                "picture": person.picture,
                "locale": person.locale,
            }
        )
    if scene.has("email") and person.email:
        said |= {"email": person.email, "email_verified": person.email_verified}
    return said


def _userinfo(scene: Scene) -> Answer:
    return Answer(body={"sub": scene.subject, **_claims(scene)})


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "expires_in": issued.expires_in,
            "token_type": "bearer",
            "id_token": issued.id_token,
            "xoauth_yahoo_guid": issued.scene.subject,
        }
    )


def _refuse_api(reason: str) -> Answer:
    status = 403 if reason == "scope" else 401
    error = "insufficient_scope" if reason == "scope" else "invalid_token"
    challenge = (("WWW-Authenticate", f'Bearer realm="yahooapis.com", error="{error}"'),)
    return Answer(status=status, body={"error": error}, headers=challenge)


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/oauth2/request_auth",
        "token_endpoint": f"{root}/oauth2/get_token",
        "introspection_endpoint": f"{root}/oauth2/introspect",
        "userinfo_endpoint": f"{root}/openid/v1/userinfo",
        # Not the name that RFC 8414 gives it.
        "token_revocation_endpoint": f"{root}/oauth2/revoke",
        "jwks_uri": f"{root}/openid/v1/certs",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "scopes_supported": ["openid", "profile", "email"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


YAHOO = Player(
    id="yahoo",
    name="Yahoo",
    issuer="https://api.login.yahoo.com",
    subject=lambda persona: hexes("yahoo", persona, 26).upper(),
    overrides={
        "authorization": "/oauth2/request_auth",
        "token": "/oauth2/get_token",
        "userinfo": "/openid/v1/userinfo",
        "jwks": "/openid/v1/certs",
        "revocation": "/oauth2/revoke",
    },
    quirks=(
        "id_tokens are signed with ES256.",
        "A request with PKCE is refused: unauthorized_client, invalid client id.",
        "A refresh wants redirect_uri again, and answers with the same refresh token.",
        "Discovery names the revocation endpoint in its own way.",
    ),
    authorization_path="/oauth2/request_auth",
    sign_in_scopes=("openid", "profile", "email"),
    pkce=(),
    check=_check,
    denial={"error": "access_denied", "error_description": "User denied access"},
    token_path="/oauth2/get_token",
    refresh=lambda _client: Refresh(rotation="same", gives_new=lambda _count: True, needs_redirect=True),
    id_token=IdToken(claims=_claims, alg="ES256"),
    token_answer=_token,
    refuse=rfc6749,
    resources=(Resource(name="userinfo", path="/openid/v1/userinfo", answer=_userinfo, scopes=("openid",)),),
    refuse_api=_refuse_api,
    revocations=(Revocation(path="/oauth2/revoke", refused=failure(401, "invalid_client")),),
    jwks_path="/openid/v1/certs",
    discovery=_discovery,
)
