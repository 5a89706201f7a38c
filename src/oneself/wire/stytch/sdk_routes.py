"""What the browser SDK can ask, as data; its answers are wrapped, and it calls from other origins."""

from functools import partial

from oneself.wire.stytch import absent, answers, bodies, sdk
from oneself.wire.stytch.access import ANYBODY, BROWSER, SIGNED_IN
from oneself.wire.stytch.route import route

_sdk = partial(route, prefix="sdk_", below="/sdk/v1", access=SIGNED_IN)

SDK = (
    _sdk(
        "GET",
        "/projects/bootstrap/{public_token}",
        "bootstrap",
        sdk.bootstrap,
        "How the browser SDK is to behave.",
        answers.BootstrapAnswer,
        access=BROWSER,
    ),
    _sdk("POST", "/events", "events", sdk.events, "Take telemetry and drop it.", answers.Answer, access=ANYBODY),
    _sdk(
        "POST",
        "/oauth/attach",
        "oauth_attach",
        sdk.attach,
        "Get a token that links an account to oneself.",
        answers.AttachAnswer,
        body=bodies.SdkAttachInput,
    ),
    _sdk(
        "POST",
        "/oauth/authenticate",
        "oauth_authenticate",
        sdk.authenticate,
        "Redeem the token that a trip ended with.",
        answers.OAuthAnswer,
        body=bodies.SdkOAuthInput,
        access=BROWSER,
    ),
    _sdk(
        "POST",
        "/sessions/authenticate",
        "sessions_authenticate",
        sdk.check,
        "Check one's own session, and prolong it.",
        answers.SessionAnswer,
        body=bodies.SdkSessionInput,
    ),
    _sdk("POST", "/sessions/revoke", "sessions_revoke", sdk.revoke, "Sign out.", answers.Answer),
    _sdk("GET", "/users/me", "users_me", sdk.me, "Read oneself.", answers.UserAnswer),
    _sdk(
        "PUT",
        "/users/me",
        "users_update_me",
        sdk.change_me,
        "Change oneself.",
        answers.SdkChangedUserAnswer,
        body=bodies.ChangeUserInput,
    ),
    _sdk(
        "DELETE",
        "/users/oauth/{oauth_user_registration_id}",
        "users_delete_oauth_registration",
        sdk.delete_registration,
        "Unlink an account from oneself.",
        answers.SdkUserAnswer,
    ),
    _sdk(
        "DELETE",
        "/users/emails/{email_id}",
        "users_delete_email",
        sdk.delete_email,
        "Take an email off oneself.",
        answers.SdkUserAnswer,
    ),
    _sdk(
        "DELETE",
        "/users/phone_numbers/{phone_id}",
        "users_delete_phone_number",
        sdk.delete_phone,
        "Take a phone number off oneself.",
        answers.SdkUserAnswer,
    ),
    _sdk(
        "POST",
        "/sessions/exchange_access_token",
        "sessions_exchange_access_token",
        absent.exchange_access_token,
        "Open a session for a connected app's token.",
        answers.SessionAnswer,
        body=bodies.AccessTokenInput,
        access=BROWSER,
    ),
    _sdk(
        "POST",
        "/sessions/attest",
        "sessions_attest",
        absent.attest,
        "Open a session for a trusted token.",
        answers.SessionAnswer,
        body=bodies.AttestInput,
        access=BROWSER,
    ),
    _sdk(
        "GET",
        "/users/connected_apps",
        "users_connected_apps",
        sdk.connected_apps,
        "List one's connected apps.",
        answers.ConnectedAppsAnswer,
    ),
    _sdk(
        "POST",
        "/users/connected_apps/{connected_app_id}/revoke",
        "users_revoke_connected_app",
        sdk.revoke_connected_app,
        "Revoke a connected app.",
        answers.Answer,
    ),
)
