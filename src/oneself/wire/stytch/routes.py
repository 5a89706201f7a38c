"""Every operation of this dialect as data: where it is, who may call, what goes in and comes out."""

from functools import partial

from oneself.wire.http import Route
from oneself.wire.stytch import absent, answers, bodies, oauth, passwords, reference, search, sessions, trips, users
from oneself.wire.stytch.access import ANYBODY, BACKEND
from oneself.wire.stytch.route import route
from oneself.wire.stytch.sdk_routes import SDK

_route = partial(route, access=BACKEND)

OAUTH = (
    _route(
        "POST",
        "/v1/oauth/attach",
        "oauth_attach",
        oauth.attach,
        "Get a token that links an account to a chosen user.",
        answers.AttachAnswer,
        body=bodies.AttachInput,
    ),
    _route(
        "POST",
        "/v1/oauth/authenticate",
        "oauth_authenticate",
        oauth.authenticate,
        "Redeem the token that a trip to a provider ended with.",
        answers.OAuthAnswer,
        body=bodies.OAuthInput,
    ),
    _route(
        "GET",
        "/v1/public/oauth/{provider}/start",
        "oauth_start",
        trips.begin,
        "Send a browser to a provider.",
        None,
        query=bodies.StartQuery,
        status=302,
        access=ANYBODY,
    ),
    _route(
        "GET",
        "/v1/oauth/callback/{callback_id}",
        "oauth_callback",
        trips.finish,
        "Take a provider's answer from the browser.",
        None,
        query=bodies.CallbackQuery,
        status=302,
        access=ANYBODY,
    ),
    _route(
        "POST",
        "/v1/oauth/callback/{callback_id}",
        "oauth_callback_form",
        trips.relay,
        "Take a provider's answer that comes as a form.",
        None,
        status=303,
        access=ANYBODY,
    ),
)

USERS = (
    _route(
        "POST",
        "/v1/users",
        "users_create",
        users.create,
        "Create a user.",
        answers.CreatedUserAnswer,
        body=bodies.CreateUserInput,
        status=201,
    ),
    _route(
        "POST",
        "/v1/users/search",
        "users_search",
        search.search,
        "Find users.",
        answers.SearchAnswer,
        body=bodies.SearchInput,
    ),
    _route("GET", "/v1/users/{user_id}", "users_get", users.get, "Read a user.", answers.UserAnswer),
    _route(
        "PUT",
        "/v1/users/{user_id}",
        "users_update",
        users.change,
        "Change a user.",
        answers.ChangedUserAnswer,
        body=bodies.ChangeUserInput,
    ),
    _route("DELETE", "/v1/users/{user_id}", "users_delete", users.delete, "Delete a user.", answers.UserIdAnswer),
    _route(
        "DELETE",
        "/v1/users/oauth/{oauth_user_registration_id}",
        "users_delete_oauth_registration",
        users.delete_registration,
        "Unlink an account from its user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "DELETE",
        "/v1/users/emails/{email_id}",
        "users_delete_email",
        users.delete_email,
        "Take an email off its user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "DELETE",
        "/v1/users/phone_numbers/{phone_id}",
        "users_delete_phone_number",
        users.delete_phone,
        "Take a phone number off its user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "DELETE",
        "/v1/users/passwords/{password_id}",
        "users_delete_password",
        passwords.delete,
        "Take the password off its user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "DELETE",
        "/v1/users/webauthn_registrations/{webauthn_registration_id}",
        "users_delete_webauthn_registration",
        absent.delete_webauthn,
        "Take a WebAuthn registration off its user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "DELETE",
        "/v1/users/biometric_registrations/{biometric_registration_id}",
        "users_delete_biometric_registration",
        absent.delete_biometric,
        "Take a biometric registration off its user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "DELETE",
        "/v1/users/totps/{totp_id}",
        "users_delete_totp",
        absent.delete_totp,
        "Take a TOTP off its user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "DELETE",
        "/v1/users/crypto_wallets/{crypto_wallet_id}",
        "users_delete_crypto_wallet",
        absent.delete_wallet,
        "Take a crypto wallet off its user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "PUT",
        "/v1/users/{user_id}/exchange_primary_factor",
        "users_exchange_primary_factor",
        users.exchange_primary_factor,
        "Give a user another email or phone number for the only one.",
        answers.UserInsideAnswer,
        body=bodies.ExchangeInput,
    ),
    _route(
        "DELETE",
        "/v1/users/{user_id}/external_id",
        "users_delete_external_id",
        users.delete_external_id,
        "Take the external id off a user.",
        answers.UserInsideAnswer,
    ),
    _route(
        "GET",
        "/v1/users/{user_id}/connected_apps",
        "users_connected_apps",
        users.connected_apps,
        "List a user's connected apps.",
        answers.ConnectedAppsAnswer,
    ),
    _route(
        "POST",
        "/v1/users/{user_id}/connected_apps/{connected_app_id}/revoke",
        "users_revoke_connected_app",
        users.revoke_connected_app,
        "Revoke a connected app.",
        answers.Answer,
    ),
)

SESSIONS = (
    _route(
        "GET",
        "/v1/sessions",
        "sessions_get",
        sessions.get,
        "List a user's sessions.",
        answers.SessionsAnswer,
        query=bodies.SessionsQuery,
    ),
    _route(
        "POST",
        "/v1/sessions/authenticate",
        "sessions_authenticate",
        sessions.authenticate,
        "Check a session, and prolong it.",
        answers.SessionAnswer,
        body=bodies.SessionInput,
    ),
    _route(
        "POST",
        "/v1/sessions/revoke",
        "sessions_revoke",
        sessions.revoke,
        "End a session.",
        answers.Answer,
        body=bodies.RevokeInput,
    ),
    _route(
        "POST",
        "/v1/sessions/migrate",
        "sessions_migrate",
        absent.migrate,
        "Open a session for a token of another system.",
        answers.SessionAnswer,
        body=bodies.MigrateInput,
    ),
    _route(
        "POST",
        "/v1/sessions/exchange_access_token",
        "sessions_exchange_access_token",
        absent.exchange_access_token,
        "Open a session for a connected app's token.",
        answers.SessionAnswer,
        body=bodies.AccessTokenInput,
    ),
    _route(
        "POST",
        "/v1/sessions/attest",
        "sessions_attest",
        absent.attest,
        "Open a session for a trusted token.",
        answers.SessionAnswer,
        body=bodies.AttestInput,
    ),
    _route(
        "GET",
        "/v1/sessions/jwks/{project_id}",
        "sessions_jwks",
        sessions.jwks,
        "Read the public keys of session JWTs.",
        answers.KeysAnswer,
        access=ANYBODY,
    ),
)

PASSWORDS = (
    _route(
        "POST",
        "/v1/passwords",
        "passwords_create",
        passwords.create,
        "Create a user with a password.",
        answers.CreatedPasswordAnswer,
        body=bodies.CreatePasswordInput,
    ),
    _route(
        "POST",
        "/v1/passwords/authenticate",
        "passwords_authenticate",
        passwords.authenticate,
        "Check a password.",
        answers.PasswordAnswer,
        body=bodies.PasswordInput,
    ),
)

REFERENCE = (
    _route("GET", "/v1/errors", "errors", reference.errors, "Read what each error means.", None, access=ANYBODY),
)

ROUTES: tuple[Route, ...] = (*OAUTH, *USERS, *SESSIONS, *PASSWORDS, *REFERENCE, *SDK)
