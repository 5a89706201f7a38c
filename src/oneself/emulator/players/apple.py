"""Plays Sign in with Apple on the web, as developer.apple.com describes it.

The client secret is a JWT that the client signs (`assertion`): options `public_key` (PEM) and
`team_id` say what is checked of it. Real Apple refuses http and localhost redirect URIs; this does not.
"""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from oneself.emulator.answers import Answer, Json, Refusal, failure, present
from oneself.emulator.personas import hexes
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Revocation, Scene

_RELAY = "@privaterelay.appleid.com"


def _claims(scene: Scene) -> Json:
    person = scene.persona
    said: Json = {"auth_time": scene.now, "nonce_supported": True}
    if scene.has("email") and person.email:
        # Strings, as they often are: "false" must not count as true.
        said |= {"email": person.email, "email_verified": "true" if person.email_verified else "false"}
        if person.email.endswith(_RELAY):
            said["is_private_email"] = "true"
    return said


def _check(asked: Mapping[str, str], query: str) -> tuple[str, str] | None:
    scopes = asked.get("scope", "").split()
    if {"name", "email"} & set(scopes) and asked.get("response_mode") != "form_post":
        return "invalid_request", "response_mode must be form_post when name or email scope is requested."
    raw = dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)).get("scope", "")
    if "+" in raw:
        return "invalid_scope", "Spaces between scopes are written as %20."
    return None


def _redirect_extras(scene: Scene) -> dict[str, str]:
    if not scene.first or not scene.has("name", "email"):
        return {}
    # The name comes here, unsigned, with the very first consent, and never again.
    person, user = scene.persona, {}
    if scene.has("name"):
        user["name"] = {"firstName": person.given_name, "lastName": person.family_name}
    if scene.has("email") and person.email:
        return {"user": json.dumps({**user, "email": person.email})}
    return {"user": json.dumps(user)}


def _token(issued: Issued) -> Json:
    return present(
        {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
            "id_token": issued.id_token,
        }
    )


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CODE:
            return failure(400, "invalid_grant", "The code has expired or has been revoked.")
        case Refusal.REFRESH:
            return failure(400, "invalid_grant", "The token has expired or has been revoked.")
        case Refusal.REDIRECT | Refusal.VERIFIER:
            return failure(400, "invalid_grant")
        case Refusal.CLIENT | Refusal.SECRET | Refusal.CLIENT_WAY:
            return failure(400, "invalid_client")
        case Refusal.GRANT_TYPE:
            return failure(400, "unsupported_grant_type")
        case _:
            return failure(400, "invalid_request")


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/auth/authorize",
        "token_endpoint": f"{root}/auth/token",
        "revocation_endpoint": f"{root}/auth/revoke",
        "jwks_uri": f"{root}/auth/keys",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "name"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }


APPLE = Player(
    id="apple",
    name="Apple",
    issuer="https://appleid.apple.com",
    subject=lambda persona: "000{}.{}.0101".format(hexes("apple-team", persona, 3), hexes("apple", persona, 32)),
    overrides={
        "authorization": "/auth/authorize",
        "token": "/auth/token",
        "jwks": "/auth/keys",
        "revocation": "/auth/revoke",
    },
    quirks=(
        "Answers come by form_post as soon as name or email is asked for.",
        "The client secret is an ES256 JWT of the client's own.",
        "The name comes with the first consent only, in the unsigned field user.",
        'email_verified is the string "true" or "false".',
        "Scopes must be separated by %20, + is refused. There is no userinfo.",
    ),
    authorization_path="/auth/authorize",
    sign_in_scopes=("name", "email"),
    sign_in_params={"response_mode": "form_post"},
    pkce=(),
    response_modes=("query", "fragment", "form_post"),
    check=_check,
    redirect_extras=_redirect_extras,
    denial={"error": "user_cancelled_authorize"},
    code_prefix="c",
    code_seconds=300,
    token_path="/auth/token",
    client_auth=("jwt",),
    access_prefix=lambda _client: "a",
    refresh_prefix="r",
    refresh=lambda _client: Refresh(),
    id_token=IdToken(claims=_claims, granted=lambda _scene: True),
    token_answer=_token,
    refuse=_refuse,
    refuse_api=lambda _reason: Answer(status=401, kind="empty"),
    revocations=(
        Revocation(
            path="/auth/revoke",
            done=Answer(kind="empty"),
            unknown=Answer(kind="empty"),
            refused=failure(400, "invalid_client"),
        ),
    ),
    jwks_path="/auth/keys",
    discovery=_discovery,
)
