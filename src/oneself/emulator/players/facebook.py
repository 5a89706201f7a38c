"""Plays Facebook Login and the Graph API, as developers.facebook.com describes them.

The client's option `require_proof=yes` demands `appsecret_proof` with every Graph call.
"""

import hashlib
import hmac
from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, present
from oneself.emulator.personas import digits
from oneself.emulator.player import IdToken, Issued, Player, Resource, Revocation, Scene, unflagged


def _problem(status: int, code: int, message: str, subcode: int = 0) -> Answer:
    error: Json = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1b2C3"}
    if subcode:
        error["error_subcode"] = subcode
    return Answer(status=status, body={"error": error})


def _email(scene: Scene) -> str:
    # Absent when there is none, when the scope was unticked; never with a flag.
    return scene.persona.email if scene.has("email") else ""


def _me(scene: Scene) -> Answer:
    proof = scene.query.get("appsecret_proof", "")
    wanted = hmac.new(scene.client.client_secret.encode(), scene.token.encode(), hashlib.sha256).hexdigest()
    if proof != wanted and (proof or scene.client.option("require_proof", "no") == "yes"):
        return _problem(400, 100, "Invalid appsecret_proof provided in the API argument")
    person = scene.persona
    url = person.picture or "https://platform-lookaside.fbsbx.example/silhouette.png"
    picture = {"data": {"url": url, "height": 50, "width": 50, "is_silhouette": not person.picture}}
    known = present(
        {
            "id": scene.subject,
            "name": person.name,
            "first_name": person.given_name,
            "last_name": person.family_name,
            "email": _email(scene),
            "picture": picture,
        }
    )
    fields = scene.query.get("fields", "id,name").split(",")
    return Answer(body={name: known[name] for name in dict.fromkeys(["id", *fields]) if name in known})


def _debug(scene: Scene) -> Answer:
    return Answer(
        body={
            "data": {
                "app_id": scene.client.client_id,
                "type": "USER",
                "is_valid": True,
                "user_id": scene.subject,
                "expires_at": scene.expires_at or 0,
                "scopes": list(scene.scopes),
            }
        }
    )


def _claims(scene: Scene) -> Json:
    person = scene.persona
    return present(
        {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "picture": person.picture,
            "email": _email(scene),
        }
    )


def _token(issued: Issued) -> Json:
    said = {"access_token": issued.access_token, "token_type": "bearer", "expires_in": issued.expires_in}
    return {**said, **present({"id_token": issued.id_token})}


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.CLIENT:
            return _problem(400, 101, "Error validating application. Cannot get application info.")
        case Refusal.SECRET | Refusal.CLIENT_WAY:
            return _problem(400, 1, "Error validating client secret.")
        case Refusal.REFRESH:
            return _problem(400, 190, "Error validating access token: Session has expired.", 463)
        case Refusal.CODE:
            return _problem(400, 100, "This authorization code has been used or has expired.", 36009)
        case Refusal.REDIRECT:
            return _problem(400, 100, "Error validating verification code. Check redirect_uri.", 36008)
        case Refusal.VERIFIER:
            return _problem(400, 100, "Invalid code_verifier.")
        case _:
            return _problem(400, 100, "Invalid parameter")


def _refuse_api(reason: str) -> Answer:
    if reason == "missing":
        return _problem(400, 2500, "An active access token must be used to query the current user.")
    if reason == "scope":
        return _problem(403, 10, "Application does not have permission for this action")
    return _problem(400, 190, "Error validating access token: the user has not authorized it.", 463)


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/v25.0/dialog/oauth",
        "token_endpoint": f"{root}/v25.0/oauth/access_token",
        "jwks_uri": f"{root}/.well-known/oauth/openid/jwks/",
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }


FACEBOOK = Player(
    id="facebook",
    name="Facebook",
    issuer="https://www.facebook.com",
    subject=lambda persona: digits("facebook", persona, 17),
    overrides={
        "base": "/v25.0",
        "graph": "/v25.0",
        "authorization": "/v25.0/dialog/oauth",
        "token": "/v25.0/oauth/access_token",
        "userinfo": "/v25.0/me",
        "revocation": "/v25.0/{subject}/permissions",
    },
    email_words=unflagged,
    quirks=(
        "There are no refresh tokens: fb_exchange_token trades a live access token for a new one.",
        "Errors are objects with code and error_subcode; a dead token is code 190.",
        "The redirect ends in #_=_; who declines comes back with error_reason=user_denied.",
        "The e-mail carries no flag and can be unticked.",
        "PKCE and the id_token exist with the openid scope only.",
    ),
    authorization_path="/{version}/dialog/oauth",
    sign_in_scopes=("email", "public_profile"),
    document_query={"fields": "id,name,first_name,last_name,email,picture"},
    scope_separators=" ,",
    pkce_when=lambda asked: "openid" in asked.get("scope", ""),
    response_modes=("query", "fragment"),
    response_type_needed=False,
    redirect_fragment="#_=_",
    denial={
        "error": "access_denied",
        "error_reason": "user_denied",
        "error_code": "200",
        "error_description": "Permissions error",
    },
    code_prefix="AQ",
    token_path="/{version}/oauth/access_token",
    token_methods=("GET", "POST"),
    client_auth=("post",),
    access_prefix=lambda _client: "EAA",
    access_seconds=lambda _client: 5_183_999,
    refresh=lambda _client: None,
    exchange=("fb_exchange_token", "fb_exchange_token"),
    id_token=IdToken(claims=_claims),
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(name="userinfo", path="/{version}/me", answer=_me, token_in="bearer_or_query"),
        Resource(
            name="debug_token",
            path="/{version}/debug_token",
            answer=_debug,
            token_in="query",
            token_field="input_token",
        ),
    ),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/{version}/{user_id}/permissions",
            methods=("DELETE",),
            body="bearer",
            client="none",
            kills="person",
            takes="access",
            done=Answer(body={"success": True}),
            unknown=_problem(400, 190, "Error validating access token: Session has expired.", 463),
        ),
    ),
    jwks_path="/.well-known/oauth/openid/jwks/",
    discovery=_discovery,
    discovery_path="/.well-known/openid-configuration/",
)
