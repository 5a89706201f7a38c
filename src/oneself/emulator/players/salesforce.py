"""Plays a Salesforce login host (login, test or My Domain), as help.salesforce.com describes it.

The client's option `rotation=on` is the app's setting that gives refresh tokens for one use.
"""

from collections.abc import Mapping

from oneself.emulator.answers import Answer, Json, Refusal, failure, present, rfc6749
from oneself.emulator.clients import Client
from oneself.emulator.personas import Persona, hexes
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Resource, Revocation, Scene

_SESSION = 7_200


def _org(person: Persona) -> str:
    domain = Persona(id=person.work_domain or "personal")
    return "00D" + hexes("salesforce-org", domain, 12).upper() + "AAA"


def _identity(scene: Scene) -> str:
    return f"{scene.issuer}/id/{_org(scene.persona)}/{scene.subject}"


def _claims(scene: Scene) -> Json:
    return {**_userinfo_body(scene), "auth_time": scene.now}


def _userinfo_body(scene: Scene) -> Json:
    person = scene.persona
    said: Json = {
        "sub": _identity(scene),
        "user_id": scene.subject,
        "organization_id": _org(person),
        "preferred_username": f"{person.handle}@{person.work_domain or 'personal.example'}.dev",
        "nickname": person.handle,
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "zoneinfo": "America/Los_Angeles",
        "photos": {"picture": person.picture, "thumbnail": person.picture},
        "picture": person.picture,
        "active": True,
        "user_type": "STANDARD",
        "locale": person.locale.replace("-", "_"),
        "utcOffset": -28_800_000,
        # A timestamp's text, where OpenID Connect has a number.
        "updated_at": "2026-01-02T03:04:05.000+0000",
    }
    if person.email:
        said |= {"email": person.email, "email_verified": person.email_verified}
    return said


def _userinfo(scene: Scene) -> Answer:
    return Answer(body=_userinfo_body(scene))


def _identity_document(scene: Scene) -> Answer:
    person = scene.persona
    if scene.path.get("user", scene.subject) != scene.subject:
        return _refuse_api("scope")
    return Answer(
        body={
            "id": _identity(scene),
            "asserted_user": True,
            "user_id": scene.subject,
            "organization_id": _org(person),
            "username": f"{person.handle}@{person.work_domain or 'personal.example'}.dev",
            "display_name": person.name,
            "email": person.email,
            "email_verified": person.email_verified,
            "active": True,
        }
    )


def _token(issued: Issued) -> Json:
    scene = issued.scene
    # No expires_in: the life of a session is the organisation's own setting.
    return present(
        {
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "signature": hexes("salesforce-signature", scene.persona, 44),
            "scope": " ".join(scene.scopes),
            "id_token": issued.id_token,
            "instance_url": f"{scene.root}/instance",
            "id": f"{scene.root}/id/{_org(scene.persona)}/{scene.subject}",
            "token_type": "Bearer",
            "issued_at": str(scene.now * 1_000),
        }
    )


def _refuse(refusal: Refusal) -> Answer:
    match refusal:
        case Refusal.REFRESH:
            return failure(400, "invalid_grant", "expired access/refresh token")
        case Refusal.CODE:
            return failure(400, "invalid_grant", "expired authorization code")
        case Refusal.REDIRECT:
            return failure(400, "redirect_uri_mismatch", "redirect_uri must match configuration")
        case Refusal.VERIFIER:
            return failure(400, "invalid_grant", "invalid code verifier")
        case Refusal.CLIENT:
            return failure(400, "invalid_client_id", "client identifier invalid")
        case Refusal.SECRET:
            return failure(400, "invalid_client", "invalid client credentials")
        case _:
            return rfc6749(refusal)


def _refuse_api(reason: str) -> Answer:
    word = {"missing": "Missing_OAuth_Token", "dead": "Bad_OAuth_Token", "scope": "Wrong_Scope"}[reason]
    return Answer(status=403, kind="text", body=word)


def _discovery(root: str, issuer: str, _path: Mapping[str, str]) -> Json:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/services/oauth2/authorize",
        "token_endpoint": f"{root}/services/oauth2/token",
        "revocation_endpoint": f"{root}/services/oauth2/revoke",
        "userinfo_endpoint": f"{root}/services/oauth2/userinfo",
        "jwks_uri": f"{root}/id/keys",
        "scopes_supported": ["openid", "profile", "email", "id", "refresh_token", "offline_access"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }


def _refresh(client: Client) -> Refresh:
    rotating = client.option("rotation", "off") == "on"
    return Refresh(
        granted=lambda scene: scene.has("refresh_token", "offline_access"),
        rotation="single_use" if rotating else "reusable",
        gives_new=lambda _count: rotating,
    )


SALESFORCE = Player(
    id="salesforce",
    name="Salesforce",
    issuer="{root}",
    subject=lambda persona: "005" + hexes("salesforce", persona, 12).upper() + "AAA",
    overrides={
        "base": "",
        "authorization": "/services/oauth2/authorize",
        "token": "/services/oauth2/token",
        "userinfo": "/services/oauth2/userinfo",
        "jwks": "/id/keys",
        "revocation": "/services/oauth2/revoke",
    },
    quirks=(
        "The token answer has no expires_in; instance_url and id come with it.",
        "A refresh token needs the scope refresh_token or offline_access; a refresh gives no new one.",
        "sub is an address, user_id the subject; updated_at is a text.",
        "A dead grant says expired access/refresh token.",
    ),
    authorization_path="/services/oauth2/authorize",
    sign_in_scopes=("openid", "profile", "email", "refresh_token"),
    pkce=("S256",),
    pkce_default="S256",
    response_modes=("query", "fragment"),
    denial={"error": "access_denied", "error_description": "end-user denied authorization"},
    code_prefix="aPrx",
    token_path="/services/oauth2/token",
    access_prefix=lambda _client: "00Ddemo!AQ",
    access_seconds=lambda _client: _SESSION,
    refresh_prefix="5Aep",
    refresh=_refresh,
    id_token=IdToken(claims=_claims, seconds=120),
    token_answer=_token,
    refuse=_refuse,
    resources=(
        Resource(name="userinfo", path="/services/oauth2/userinfo", answer=_userinfo, methods=("GET", "POST")),
        Resource(name="identity", path="/id/{org}/{user}", answer=_identity_document),
    ),
    refuse_api=_refuse_api,
    revocations=(
        Revocation(
            path="/services/oauth2/revoke",
            client="none",
            done=Answer(kind="empty"),
            unknown=failure(400, "unsupported_token_type", "this token type is not supported"),
        ),
    ),
    jwks_path="/id/keys",
    discovery=_discovery,
)
