"""Plays Microsoft's identity platform (Entra ID and personal accounts), learn.microsoft.com/entra.

A persona with a work domain belongs to that domain's tenant, anyone else to the tenant of personal
accounts. The client's option `xms_edov=off` leaves the optional claim out, as in apps that did not
ask for it.
"""

import hashlib
from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.personas import Persona, uuid_shaped
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Scene

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


def _tenant(person: Persona) -> str:
    if not person.work_domain:
        return CONSUMERS
    return uuid_shaped("microsoft-tenant", Persona(id=person.work_domain))


def _pairwise(scene: Scene) -> str:
    # `sub` belongs to one app; `oid` is the same in all apps of the tenant.
    return hashlib.sha256(f"{scene.subject}/{scene.client.client_id}".encode()).hexdigest()[:43]


def _claims(scene: Scene) -> Json:
    person, tid = scene.persona, _tenant(scene.persona)
    said: Json = {
        "iss": scene.issuer.replace("{tid}", tid),
        "sub": _pairwise(scene),
        "tid": tid,
        "ver": "2.0",
        "nbf": scene.now,
    }
    if scene.has("profile"):
        said |= {"oid": scene.subject, "name": person.name}
        said["preferred_username"] = person.email or f"{person.handle}@outlook.example"
    if scene.has("email") and person.email:
        said["email"] = person.email
        if scene.client.option("xms_edov", "on") == "on" and person.work_domain:
            # Seen as true, "true" and "1"; there is no flag for personal accounts.
            said["xms_edov"] = "1" if person.email_verified else "0"
    return said


def _email_words(person: Persona) -> str:
    proven = person.work_domain and person.email_verified
    return "verified by the domain's owner" if proven else "proves nothing"


def _userinfo(scene: Scene) -> Answer:
    person = scene.persona
    said = present(
        {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": person.email if scene.has("email") else "",
            "picture": "https://graph.microsoft.com/v1.0/me/photo/$value",
        }
    )
    return Answer(body={"sub": _pairwise(scene), **said})


def _me(scene: Scene) -> Answer:
    person = scene.persona
    return Answer(
        body={
            "id": scene.subject,
            "displayName": person.name or None,
            "givenName": person.given_name or None,
            "surname": person.family_name or None,
            "mail": person.email if person.work_domain else None,
            "userPrincipalName": person.email or f"{person.handle}@outlook.example",
        }
    )


def _token(issued: Issued) -> Json:
    scopes = [scope for scope in issued.scene.scopes if scope != "offline_access"]
    said: Json = {
        "token_type": "Bearer",
        "scope": " ".join(scopes),
        "expires_in": issued.expires_in,
        "ext_expires_in": issued.expires_in,
        "access_token": issued.access_token,
    }
    return said | present({"refresh_token": issued.refresh_token, "id_token": issued.id_token})


_CODES = {
    Refusal.CODE: ("invalid_grant", 70008, "The provided authorization code has expired or was used."),
    Refusal.REDIRECT: ("invalid_grant", 500112, "The reply address does not match the requested one."),
    Refusal.VERIFIER: ("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge."),
    Refusal.REFRESH: ("invalid_grant", 700082, "The refresh token has expired due to inactivity."),
    Refusal.CLIENT: ("unauthorized_client", 700016, "Application was not found in the directory."),
    Refusal.SECRET: ("invalid_client", 7000215, "Invalid client secret provided."),
    Refusal.GRANT_TYPE: ("unsupported_grant_type", 70003, "The grant type is not supported."),
}


def _refuse(refusal: Refusal) -> Answer:
    if refusal not in _CODES:
        return rfc6749(refusal)
    error, number, words = _CODES[refusal]
    trace = "11111111-2222-4333-8444-555555555555"
    return failure(
        401 if error == "invalid_client" else 400,
        error,
        f"AADSTS{number}: {words} Trace ID: {trace}",
        error_codes=[number],
        timestamp="2026-01-02 03:04:05Z",
        trace_id=trace,
        correlation_id=trace,
        error_uri=f"https://login.microsoftonline.com/error?code={number}",
    )


def _refuse_api(reason: str) -> Answer:
    if reason == "scope":
        return _problem(403, "Authorization_RequestDenied", "Insufficient privileges.")
    return _problem(401, "InvalidAuthenticationToken", "Access token is missing, expired or invalid.")


def _problem(status: int, code: str, message: str) -> Answer:
    return Answer(status=status, body={"error": {"code": code, "message": message}})


def _discovery(root: str, issuer: str, path: Mapping[str, str]) -> Json:
    tenant = path.get("tenant", "common")
    # Multi-tenant authorities announce the template itself as their issuer.
    shown = issuer
    if tenant == "consumers":
        shown = issuer.replace("{tid}", CONSUMERS)
    elif tenant not in ("common", "organizations"):
        shown = issuer.replace("{tid}", tenant)
    return {
        "issuer": shown.replace("{tid}", "{tenantid}"),
        "authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{root}/{tenant}/oauth2/v2.0/token",
        "jwks_uri": f"{root}/{tenant}/discovery/v2.0/keys",
        "userinfo_endpoint": f"{root}/graph/oidc/userinfo",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }


MICROSOFT = Player(
    id="microsoft",
    name="Microsoft",
    issuer="{root}/{{tid}}/v2.0",
    subject=lambda persona: uuid_shaped("microsoft", persona),
    overrides={
        "base": "",
        "authorization": "/{tenant}/oauth2/v2.0/authorize",
        "token": "/{tenant}/oauth2/v2.0/token",
        "jwks": "/{tenant}/discovery/v2.0/keys",
        "userinfo": "/graph/oidc/userinfo",
    },
    email_words=_email_words,
    quirks=(
        "The issuer names the person's tenant; discovery of common announces {tenantid} literally.",
        "sub is pairwise; tid and oid identify the person (oid needs the profile scope).",
        'email proves nothing; xms_edov is "1" or "0" for work accounts, absent for personal ones.',
        "Every refresh gives a new refresh token, and the old one still works.",
    ),
    authorization_path="/{tenant}/oauth2/v2.0/authorize",
    sign_in_scopes=("openid", "profile", "email", "User.Read", "offline_access"),
    response_modes=("query", "fragment", "form_post"),
    denial={
        "error": "access_denied",
        "error_description": "AADSTS65004: User declined to consent to access the app.",
    },
    code_prefix="0.A",
    token_path="/{tenant}/oauth2/v2.0/token",
    access_prefix=lambda _client: "eyJ.",
    access_seconds=lambda _client: 3761,
    refresh_prefix="0.",
    refresh=lambda _client: Refresh(
        granted=lambda scene: scene.has("offline_access"),
        gives_new=lambda _count: True,
        seconds=7_776_000,
    ),
    id_token=IdToken(claims=_claims, at_hash=False),
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(name="userinfo", path="/graph/oidc/userinfo", answer=_userinfo, methods=("GET", "POST")),
        Resource(name="me", path="/graph/v1.0/me", answer=_me, scopes=("User.Read",)),
    ),
    refuse_api=_refuse_api,
    jwks_path="/{tenant}/discovery/v2.0/keys",
    jwks_extras=lambda issuer: {"issuer": issuer.replace("{tid}", "{tenantid}")},
    discovery=_discovery,
    discovery_path="/{tenant}/v2.0/.well-known/openid-configuration",
)
