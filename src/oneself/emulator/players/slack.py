"""Plays Sign in with Slack (OpenID Connect), as docs.slack.dev describes it.

The client's option `rotation=on` is the app's token rotation: 12 hours, refresh tokens for one use.
"""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, present
from oneself.emulator.clients import Client
from oneself.emulator.personas import Persona, hexes
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene


def _team(person: Persona) -> str:
    return "T" + hexes("slack-team", Persona(id=person.work_domain or "friends"), 10).upper()


def _claims(scene: Scene) -> Json:
    person = scene.persona
    said: Json = {"https://slack.com/user_id": scene.subject, "https://slack.com/team_id": _team(person)}
    if scene.has("email") and person.email:
        said |= {"email": person.email, "email_verified": person.email_verified}
        if person.email_verified:
            said["date_email_verified"] = 1_790_000_000
    if scene.has("profile"):
        said |= present(
            {
                "name": person.name,
                "given_name": person.given_name,
                "family_name": person.family_name,
                "picture": person.picture,
                "locale": person.locale,
                "https://slack.com/team_name": person.work_domain or "Friends",
                "https://slack.com/team_domain": (person.work_domain or "friends").partition(".")[0],
            }
        )
    return said


def _userinfo(scene: Scene) -> Answer:
    return Answer(body={"ok": True, "sub": scene.subject, **_claims(scene)})


def _token(issued: Issued) -> Json:
    said = {"ok": True, "access_token": issued.access_token, "token_type": "Bearer"}
    return {
        **said,
        **present(
            {
                "id_token": issued.id_token,
                "refresh_token": issued.refresh_token,
                "expires_in": issued.expires_in,
            }
        ),
    }


def _no(error: str) -> Answer:
    # Failures answer 200; `ok` and `error` tell.
    return Answer(body={"ok": False, "error": error})


def _refuse(refusal: Refusal) -> Answer:
    words = {
        Refusal.CODE: "invalid_code",
        Refusal.REDIRECT: "bad_redirect_uri",
        Refusal.VERIFIER: "invalid_code_verifier",
        Refusal.REFRESH: "invalid_refresh_token",
        Refusal.CLIENT: "invalid_client_id",
        Refusal.SECRET: "bad_client_secret",
        Refusal.GRANT_TYPE: "invalid_grant_type",
    }
    return _no(words.get(refusal, "invalid_arguments"))


def _refuse_api(reason: str) -> Answer:
    return _no({"missing": "not_authed", "dead": "invalid_auth", "scope": "missing_scope"}[reason])


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/openid/connect/authorize",
        "token_endpoint": f"{root}/api/openid.connect.token",
        "userinfo_endpoint": f"{root}/api/openid.connect.userInfo",
        "jwks_uri": f"{root}/openid/connect/keys",
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["form_post", "query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "auth_time", "iss"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }


def _rotates(client: Client) -> bool:
    return client.option("rotation", "off") == "on"


def _refresh(client: Client) -> Refresh | None:
    if not _rotates(client):
        return None
    return Refresh(rotation="single_use", gives_new=lambda _count: True)


SLACK = Player(
    id="slack",
    name="Slack",
    issuer="https://slack.com",
    subject=lambda persona: "U" + hexes("slack", persona, 10).upper(),
    overrides={
        "authorization": "/openid/connect/authorize",
        "token": "/api/openid.connect.token",
        "userinfo": "/api/openid.connect.userInfo",
        "jwks": "/openid/connect/keys",
        "revocation": "/api/auth.revoke",
    },
    quirks=(
        "Failures answer 200 with ok: false, at userInfo too.",
        "A user id is unique in one workspace only: team_id and user_id together are the subject.",
        "No expires_in and no refresh token, unless the app rotates (option rotation=on).",
    ),
    authorization_path="/openid/connect/authorize",
    sign_in_scopes=("openid", "profile", "email"),
    pkce=(),
    denial={"error": "access_denied"},
    token_path="/api/openid.connect.token",
    error_status=200,
    access_prefix=lambda client: "xoxe.xoxp-" if _rotates(client) else "xoxp-",
    access_seconds=lambda client: 43_200 if _rotates(client) else None,
    refresh_prefix="xoxe-1-",
    refresh=_refresh,
    id_token=IdToken(claims=_claims, seconds=300),
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(
            name="userinfo",
            path="/api/openid.connect.userInfo",
            answer=_userinfo,
            methods=("GET", "POST"),
            scopes=("openid",),
        ),
    ),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/api/auth.revoke",
            methods=("GET", "POST"),
            body="bearer",
            client="none",
            kills="token",
            takes="access",
            done=Answer(body={"ok": True, "revoked": True}),
            unknown=_no("invalid_auth"),
        ),
    ),
    jwks_path="/openid/connect/keys",
    discovery=_discovery,
)
