"""The body of every endpoint, member by member, typed from the contract and held against a running server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from oneself.wire.stytch.routes import ROUTES
from tests.stytch.rig import Answer, Pkce, Rig
from tests.stytch.test_migrate import id_token
from tests.stytch.test_sdk_raw import signed_in
from tests.stytch.test_users import phone

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class Text:
    """A text of this form; never null."""

    def __init__(self, form: str = ".*") -> None:
        self.form = re.compile(form, re.DOTALL)


class Maybe:
    """This, or null."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Several:
    """One of these."""

    def __init__(self, *inner: Any) -> None:
        self.inner = inner


def mismatches(shape: Any, value: Any, at: str = "") -> Iterator[str]:
    """Every place where a value is not as its shape says; the members of objects are exactly the shape's."""
    if isinstance(shape, Maybe):
        yield from () if value is None else mismatches(shape.inner, value, at)
    elif isinstance(shape, Several):
        if all(any(True for _ in mismatches(inner, value, at)) for inner in shape.inner):
            yield f"{at}: {value!r} is none of what it may be"
    elif isinstance(shape, Text):
        if not isinstance(value, str) or not shape.form.fullmatch(value):
            yield f"{at}: {value!r} is not {shape.form.pattern!r}"
    elif isinstance(shape, type):
        if type(value) is not shape:
            yield f"{at}: {value!r} is no {shape.__name__}"
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{at}: {value!r} is no list"
        else:
            for place, part in enumerate(value):
                yield from mismatches(shape[0], part, f"{at}[{place}]")
    elif isinstance(shape, dict):
        yield from _object(shape, value, at)
    elif value != shape:
        yield f"{at}: {value!r} is not {shape!r}"


def _object(shape: dict[str, Any], value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no object"
        return
    if set(value) != set(shape):
        yield f"{at}: lacks {sorted(set(shape) - set(value))}, has {sorted(set(value) - set(shape))}"
    for name in set(value) & set(shape):
        yield from mismatches(shape[name], value[name], f"{at}.{name}")


def an(kind: str) -> Text:
    """An id of this kind."""
    return Text(f"{kind}-test-{UUID}")


TIME = Text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TOKEN = Text(r"[A-Za-z0-9_-]{44}")
JWT = Text(r"[\w-]+\.[\w-]+\.[\w-]{342}")
EMPTY = Text("")

EMAIL = {"email_id": an("email"), "email": Text(".+@.+"), "verified": bool}
PHONE = {"phone_id": an("phone-number"), "phone_number": Text(r"\+\d+"), "verified": bool}
PROVIDER = {
    "provider_type": Text("[A-Z][A-Za-z]+|oidc"),
    "provider_subject": Text(".+"),
    "profile_picture_url": Text(),
    "locale": Text(),
    "oauth_user_registration_id": an("oauth-user"),
}
USER: dict[str, Any] = {
    "user_id": an("user"),
    "status": Text("active|pending"),
    "name": {"first_name": Text(), "middle_name": Text(), "last_name": Text()},
    "emails": [EMAIL],
    "phone_numbers": [PHONE],
    "providers": [PROVIDER],
    "webauthn_registrations": [dict],
    "biometric_registrations": [dict],
    "totps": [dict],
    "crypto_wallets": [dict],
    "password": Maybe({"password_id": an("password"), "requires_reset": bool}),
    "trusted_metadata": dict,
    "untrusted_metadata": dict,
    "created_at": TIME,
    "external_id": Maybe(Text(".+")),
    "is_locked": bool,
    "lock_created_at": Maybe(TIME),
    "lock_expires_at": Maybe(TIME),
    "roles": [Text("stytch_user")],
}
_FACTOR = {"created_at": TIME, "updated_at": TIME, "last_authenticated_at": TIME}
_OAUTH = {"id": an("oauth-user"), "provider_subject": Text(".+"), "email_id": Several(EMPTY, an("email"))}
_FOREIGN = {"id": an("oauth-user"), "provider_id": Text(".+"), "external_id": Text(".+")}
FACTOR = Several(
    {"type": "oauth", "delivery_method": "oauth_google", "google_oauth_factor": _OAUTH, **_FACTOR},
    {"type": "oauth", "delivery_method": "oauth_github", "github_oauth_factor": _OAUTH, **_FACTOR},
    {"type": "sso", "delivery_method": "sso_oidc", "oidc_sso_factor": _FOREIGN, **_FACTOR},
    {"type": "password", "delivery_method": "knowledge", **_FACTOR},
)
SESSION = {
    "session_id": an("session"),
    "user_id": an("user"),
    "started_at": TIME,
    "last_accessed_at": TIME,
    "expires_at": TIME,
    "attributes": {"ip_address": Text(), "user_agent": Text()},
    "authentication_factors": [FACTOR],
    "custom_claims": dict,
    "roles": [Text("stytch_user")],
}
KEY = {
    "kty": "RSA",
    "use": "sig",
    "key_ops": ["verify"],
    "alg": "RS256",
    "kid": an("jwk"),
    "x5c": [str],
    "x5tS256": "",
    "n": Text(r"[\w-]{342}"),
    "e": "AQAB",
}
DONE = {"status_code": 200, "request_id": an("request-id")}
SIGNED_IN = {"session": SESSION, "session_token": TOKEN, "session_jwt": JWT, "user": USER}
LEFT = {**DONE, "user_id": an("user"), "user": USER}
OWN = {**LEFT, "__user": USER}
CHANGED = {**LEFT, "emails": [EMAIL], "phone_numbers": [PHONE], "crypto_wallets": [dict]}
NO_APPS = {**DONE, "connected_apps": []}
ATTACH = {**DONE, "oauth_attach_token": TOKEN}
OAUTH = {
    **DONE,
    **SIGNED_IN,
    "user_id": an("user"),
    "provider_subject": Text(".+"),
    "provider_type": "Google",
    "oauth_user_registration_id": an("oauth-user"),
    "provider_values": {
        "access_token": Text(".+"),
        "refresh_token": Text(),
        "id_token": Text(),
        "scopes": [Text(".+")],
        "expires_at": Maybe(TIME),
    },
    "reset_sessions": bool,
    "user_session": SESSION,
    "user_device": None,
}
WITHOUT_SESSION = {"session": None, "session_token": EMPTY, "session_jwt": EMPTY}


class Scene:
    """Whatever the requests are about."""

    def __init__(self, rig: Rig, elsewhere: Rig) -> None:
        self.rig, self.elsewhere = rig, elsewhere

    def user(self, **fields: Any) -> Any:
        return self.rig.client.users.create(email=self.rig.persona().email, **fields)

    def here(self) -> Any:
        return self.rig.sign_in("google", self.rig.persona())

    def backend(self, method: str, path: str, body: object = None) -> Answer:
        return self.rig.call(method, path, body)

    def page(self, method: str, path: str, body: object = None) -> Answer:
        return self.rig.sdk(method, path, body, signed_in(self.rig)["session_token"])

    def with_number(self) -> tuple[Any, str]:
        """Somebody with a number who is signed in at a page."""
        made = self.user(phone_number=phone())
        ticket = self.rig.client.oauth.attach("google", user_id=made.user_id).oauth_attach_token
        token = self.rig.trip("google", self.rig.persona().id, oauth_attach_token=ticket)
        return made, self.rig.client.oauth.authenticate(token, session_duration_minutes=5).session_token

    def password(self) -> dict[str, Any]:
        return {"email": self.rig.persona().email, "password": "correct horse"}


def _unlink_own(scene: Scene) -> Answer:
    made = signed_in(scene.rig)
    return scene.rig.sdk("DELETE", f"/users/oauth/{made['oauth_user_registration_id']}", None, made["session_token"])


def _own_email(scene: Scene) -> Answer:
    made = signed_in(scene.rig)
    email_id = made["user"]["emails"][0]["email_id"]
    return scene.rig.sdk("DELETE", f"/users/emails/{email_id}", None, made["session_token"])


def _own_number(scene: Scene) -> Answer:
    made, session = scene.with_number()
    return scene.rig.sdk("DELETE", f"/users/phone_numbers/{made.phone_id}", None, session)


def _redeem_on_a_page(scene: Scene) -> Answer:
    pkce = Pkce()
    token = scene.rig.trip("google", scene.rig.persona().id, code_challenge=pkce.challenge)
    body = {"token": token, "code_verifier": pkce.verifier, "session_duration_minutes": 60}
    return scene.rig.sdk("POST", "/oauth/authenticate", body)


def _redeem(scene: Scene) -> Answer:
    token = scene.rig.trip("google", scene.rig.persona().id)
    return scene.backend("POST", "/v1/oauth/authenticate", {"token": token, "session_duration_minutes": 60})


def _authenticate_password(scene: Scene) -> Answer:
    account = scene.password()
    scene.backend("POST", "/v1/passwords", account)
    return scene.backend("POST", "/v1/passwords/authenticate", {**account, "session_duration_minutes": 60})


def _delete_password(scene: Scene) -> Answer:
    made = scene.backend("POST", "/v1/passwords", scene.password()).json
    return scene.backend("DELETE", f"/v1/users/passwords/{made['user']['password']['password_id']}")


def _exchange(scene: Scene) -> Answer:
    path = f"/v1/users/{scene.user().user_id}/exchange_primary_factor"
    return scene.backend("PUT", path, {"email_address": scene.rig.persona().email})


def _migrate(scene: Scene) -> Answer:
    token = id_token(scene.elsewhere, scene.elsewhere.persona())
    return scene.backend("POST", "/v1/sessions/migrate", {"session_token": token, "session_duration_minutes": 5})


Given = tuple[Any, Callable[[Scene], Answer]]

BODIES: dict[str, Given] = {
    "oauth_attach": (
        ATTACH,
        lambda s: s.backend("POST", "/v1/oauth/attach", {"provider": "github", "user_id": s.user().user_id}),
    ),
    "oauth_authenticate": (OAUTH, _redeem),
    "users_create": (
        {**LEFT, "status_code": 201, "email_id": an("email"), "phone_id": EMPTY, "status": "active"},
        lambda s: s.backend("POST", "/v1/users", {"email": s.rig.persona().email}),
    ),
    "users_search": (
        {**DONE, "results": [USER], "results_metadata": {"total": int, "next_cursor": Text(".+")}},
        lambda s: (s.here(), s.user(), s.backend("POST", "/v1/users/search", {"limit": 2}))[-1],
    ),
    "users_get": ({**DONE, **USER}, lambda s: s.backend("GET", f"/v1/users/{s.here().user_id}")),
    "users_update": (
        CHANGED,
        lambda s: s.backend("PUT", f"/v1/users/{s.user(phone_number=phone()).user_id}", {"name": {"first_name": "A"}}),
    ),
    "users_delete": (
        {**DONE, "user_id": an("user")},
        lambda s: s.backend("DELETE", f"/v1/users/{s.user().user_id}"),
    ),
    "users_delete_oauth_registration": (
        LEFT,
        lambda s: s.backend("DELETE", f"/v1/users/oauth/{s.here().oauth_user_registration_id}"),
    ),
    "users_delete_email": (
        LEFT,
        lambda s: s.backend("DELETE", f"/v1/users/emails/{s.here().user.emails[0].email_id}"),
    ),
    "users_delete_phone_number": (
        LEFT,
        lambda s: s.backend("DELETE", f"/v1/users/phone_numbers/{s.user(phone_number=phone()).phone_id}"),
    ),
    "users_delete_password": (LEFT, _delete_password),
    "users_exchange_primary_factor": (LEFT, _exchange),
    "users_delete_external_id": (
        LEFT,
        lambda s: s.backend("DELETE", f"/v1/users/{s.user(external_id=str(uuid4())).user_id}/external_id"),
    ),
    "users_connected_apps": (NO_APPS, lambda s: s.backend("GET", f"/v1/users/{s.user().user_id}/connected_apps")),
    "sessions_get": (
        {**DONE, "sessions": [SESSION]},
        lambda s: s.backend("GET", f"/v1/sessions?user_id={s.here().user_id}"),
    ),
    "sessions_authenticate": (
        {**DONE, **SIGNED_IN},
        lambda s: s.backend("POST", "/v1/sessions/authenticate", {"session_token": s.here().session_token}),
    ),
    "sessions_revoke": (
        DONE,
        lambda s: s.backend("POST", "/v1/sessions/revoke", {"session_token": s.here().session_token}),
    ),
    "sessions_jwks": ({**DONE, "keys": [KEY]}, lambda s: s.backend("GET", f"/v1/sessions/jwks/{s.rig.project_id}")),
    "sessions_migrate": ({**DONE, **SIGNED_IN, "user_id": an("user"), "user_device": None}, _migrate),
    "passwords_create": (
        {**LEFT, **WITHOUT_SESSION, "email_id": an("email"), "user_device": None},
        lambda s: s.backend("POST", "/v1/passwords", s.password()),
    ),
    "passwords_authenticate": (
        {**DONE, **SIGNED_IN, "user_id": an("user"), "user_device": None},
        _authenticate_password,
    ),
    "sdk_bootstrap": (
        {
            **DONE,
            "project_name": Text(".+"),
            "disable_sdk_watermark": bool,
            "cname_domain": None,
            "email_domains": [str],
            "captcha_settings": {"enabled": False},
            "pkce_required_for_email_magic_links": bool,
            "pkce_required_for_password_resets": bool,
            "pkce_required_for_oauth": True,
            "pkce_required_for_sso": bool,
            "slug_pattern": None,
            "create_organization_enabled": bool,
            "password_config": None,
            "dfp_protected_auth_enabled": bool,
            "rbac_policy": None,
            "siwe_required_for_crypto_wallets": bool,
            "vertical": "CONSUMER",
            "opaque_errors": bool,
        },
        lambda s: s.rig.sdk("GET", f"/projects/bootstrap/{s.rig.public_token}"),
    ),
    "sdk_events": (DONE, lambda s: s.rig.sdk("POST", "/events", [])),
    "sdk_oauth_attach": (ATTACH, lambda s: s.page("POST", "/oauth/attach", {"provider": "github"})),
    "sdk_oauth_authenticate": (OAUTH, _redeem_on_a_page),
    "sdk_sessions_authenticate": ({**DONE, **SIGNED_IN}, lambda s: s.page("POST", "/sessions/authenticate", {})),
    "sdk_sessions_revoke": (DONE, lambda s: s.page("POST", "/sessions/revoke")),
    "sdk_users_me": ({**DONE, **USER}, lambda s: s.page("GET", "/users/me")),
    "sdk_users_update_me": (
        {**CHANGED, "__user": USER},
        lambda s: s.page("PUT", "/users/me", {"untrusted_metadata": {"a": 1}}),
    ),
    "sdk_users_delete_oauth_registration": (OWN, _unlink_own),
    "sdk_users_delete_email": (OWN, _own_email),
    "sdk_users_delete_phone_number": (OWN, _own_number),
    "sdk_users_connected_apps": (NO_APPS, lambda s: s.page("GET", "/users/connected_apps")),
}

# These answer with no body of the dialect's, always with a refusal, or to apps on devices alone
# (`tests/actions/test_native_wires.py`).
OTHERS = {
    *("oauth_start", "oauth_callback", "oauth_callback_form", "errors"),
    *("sessions_exchange_access_token", "sessions_attest"),
    *("sdk_sessions_exchange_access_token", "sdk_sessions_attest"),
    *(f"{face}users_delete_{kind}" for face in ("", "sdk_") for kind in ("webauthn_registration", "totp")),
    *(f"{face}users_delete_{kind}" for face in ("", "sdk_") for kind in ("biometric_registration", "crypto_wallet")),
    *("users_revoke_connected_app", "sdk_users_revoke_connected_app"),
    "sdk_oauth_google_id_token_authenticate",
}


@pytest.mark.parametrize("operation", BODIES)
def test_a_body_is_as_the_contract_says(minds: dict[str, Rig], operation: str) -> None:
    shape, ask = BODIES[operation]
    answer = ask(Scene(minds["migrating"], minds["plain"]))
    body = answer.json
    if operation.startswith("sdk_"):
        assert set(body) == {"data"}
        body = body["data"]
    assert list(mismatches(shape, body)) == []
    assert answer.status == body["status_code"]
    assert answer.headers["content-type"].startswith("application/json")


def test_every_endpoint_has_its_body_here() -> None:
    assert {*BODIES, *OTHERS} == {route.operation for route in ROUTES}
    assert set(BODIES).isdisjoint(OTHERS)


def test_without_a_session_its_texts_are_empty(minds: dict[str, Rig]) -> None:
    rig = minds["plain"]
    body = rig.call("POST", "/v1/oauth/authenticate", {"token": rig.trip("google", rig.persona().id)}).json
    assert list(mismatches({**OAUTH, **WITHOUT_SESSION, "user_session": None}, body)) == []


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (Text(), None),
        ({"a": Text()}, {}),
        ({"a": Text()}, {"a": "", "b": ""}),
        ([Text("x")], ["x", "y"]),
        (bool, 1),
        (int, True),
        (Maybe(Text("x")), "y"),
        (Several("a", "b"), "c"),
        (None, ""),
    ],
)
def test_a_shape_tells_what_does_not_fit(shape: Any, value: Any) -> None:
    assert list(mismatches(shape, value)) != []
