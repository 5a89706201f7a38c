"""Every operation of this dialect as data: where it is, who may call, what goes in and comes out."""

from typing import Any

from oneself.wire.http import Handler, Route
from oneself.wire.stytch import answers, bodies, oauth, sdk, search, sessions, trips, users
from oneself.wire.stytch.access import ANYBODY, BACKEND, BROWSER, SIGNED_IN


def _backend(method: str, template: str, handler: Handler, summary: str, response: Any, **more: Any) -> Route:
    operation = more.pop("operation")
    return Route(method, template, operation, handler, summary, response=response, access=BACKEND, **more)


def _sdk(
    method: str,
    template: str,
    handler: Handler,
    summary: str,
    response: Any,
    *,
    operation: str,
    body: Any = None,
    access: str = SIGNED_IN,
) -> Route:
    return Route(
        method,
        f"/sdk/v1{template}",
        f"sdk_{operation}",
        handler,
        summary,
        body=body,
        response=response,
        access=access,
    )


OAUTH = (
    _backend(
        "POST",
        "/v1/oauth/attach",
        oauth.attach,
        "Get a token that links an account to a chosen user.",
        answers.AttachAnswer,
        operation="oauth_attach",
        body=bodies.AttachInput,
    ),
    _backend(
        "POST",
        "/v1/oauth/authenticate",
        oauth.authenticate,
        "Redeem the token that a trip to a provider ended with.",
        answers.OAuthAnswer,
        operation="oauth_authenticate",
        body=bodies.OAuthInput,
    ),
    Route(
        "GET",
        "/v1/public/oauth/{provider}/start",
        "oauth_start",
        trips.begin,
        "Send a browser to a provider.",
        query=bodies.StartQuery,
        status=302,
        access=ANYBODY,
    ),
    Route(
        "GET",
        "/v1/oauth/callback/{callback_id}",
        "oauth_callback",
        trips.finish,
        "Take a provider's answer from the browser.",
        query=bodies.CallbackQuery,
        status=302,
        access=ANYBODY,
    ),
    Route(
        "POST",
        "/v1/oauth/callback/{callback_id}",
        "oauth_callback_form",
        trips.relay,
        "Take a provider's answer that comes as a form.",
        status=303,
        access=ANYBODY,
    ),
)

USERS = (
    _backend(
        "POST",
        "/v1/users",
        users.create,
        "Create a user.",
        answers.CreatedUserAnswer,
        operation="users_create",
        body=bodies.CreateUserInput,
        status=201,
    ),
    _backend(
        "POST",
        "/v1/users/search",
        search.search,
        "Find users.",
        answers.SearchAnswer,
        operation="users_search",
        body=bodies.SearchInput,
    ),
    _backend(
        "GET",
        "/v1/users/{user_id}",
        users.get,
        "Read a user.",
        answers.UserAnswer,
        operation="users_get",
    ),
    _backend(
        "PUT",
        "/v1/users/{user_id}",
        users.change,
        "Change a user.",
        answers.ChangedUserAnswer,
        operation="users_update",
        body=bodies.ChangeUserInput,
    ),
    _backend(
        "DELETE",
        "/v1/users/{user_id}",
        users.delete,
        "Delete a user.",
        answers.UserIdAnswer,
        operation="users_delete",
    ),
    _backend(
        "DELETE",
        "/v1/users/oauth/{oauth_user_registration_id}",
        users.delete_registration,
        "Unlink an account from its user.",
        answers.UserInsideAnswer,
        operation="users_delete_oauth_registration",
    ),
    _backend(
        "DELETE",
        "/v1/users/emails/{email_id}",
        users.delete_email,
        "Take an email off its user.",
        answers.UserInsideAnswer,
        operation="users_delete_email",
    ),
    _backend(
        "DELETE",
        "/v1/users/phone_numbers/{phone_id}",
        users.delete_phone,
        "Take a phone number off its user.",
        answers.UserInsideAnswer,
        operation="users_delete_phone_number",
    ),
    _backend(
        "DELETE",
        "/v1/users/{user_id}/external_id",
        users.delete_external_id,
        "Take the external id off a user.",
        answers.UserInsideAnswer,
        operation="users_delete_external_id",
    ),
    _backend(
        "GET",
        "/v1/users/{user_id}/connected_apps",
        users.connected_apps,
        "List a user's connected apps.",
        answers.ConnectedAppsAnswer,
        operation="users_connected_apps",
    ),
    _backend(
        "POST",
        "/v1/users/{user_id}/connected_apps/{connected_app_id}/revoke",
        users.revoke_connected_app,
        "Revoke a connected app.",
        answers.Answer,
        operation="users_revoke_connected_app",
    ),
)

SESSIONS = (
    _backend(
        "GET",
        "/v1/sessions",
        sessions.get,
        "List a user's sessions.",
        answers.SessionsAnswer,
        operation="sessions_get",
        query=bodies.SessionsQuery,
    ),
    _backend(
        "POST",
        "/v1/sessions/authenticate",
        sessions.authenticate,
        "Check a session, and prolong it.",
        answers.SessionAnswer,
        operation="sessions_authenticate",
        body=bodies.SessionInput,
    ),
    _backend(
        "POST",
        "/v1/sessions/revoke",
        sessions.revoke,
        "End a session.",
        answers.Answer,
        operation="sessions_revoke",
        body=bodies.RevokeInput,
    ),
    Route(
        "GET",
        "/v1/sessions/jwks/{project_id}",
        "sessions_jwks",
        sessions.jwks,
        "Read the public keys of session JWTs.",
        response=answers.KeysAnswer,
        access=ANYBODY,
    ),
)

SDK = (
    _sdk(
        "GET",
        "/projects/bootstrap/{public_token}",
        sdk.bootstrap,
        "How the browser SDK is to behave.",
        answers.BootstrapAnswer,
        operation="bootstrap",
        access=BROWSER,
    ),
    _sdk(
        "POST",
        "/events",
        sdk.events,
        "Take telemetry and drop it.",
        answers.Answer,
        operation="events",
        access=ANYBODY,
    ),
    _sdk(
        "POST",
        "/oauth/attach",
        sdk.attach,
        "Get a token that links an account to oneself.",
        answers.AttachAnswer,
        operation="oauth_attach",
        body=bodies.SdkAttachInput,
    ),
    _sdk(
        "POST",
        "/oauth/authenticate",
        sdk.authenticate,
        "Redeem the token that a trip ended with.",
        answers.OAuthAnswer,
        operation="oauth_authenticate",
        body=bodies.SdkOAuthInput,
        access=BROWSER,
    ),
    _sdk(
        "POST",
        "/sessions/authenticate",
        sdk.check,
        "Check one's own session, and prolong it.",
        answers.SessionAnswer,
        operation="sessions_authenticate",
        body=bodies.SdkSessionInput,
    ),
    _sdk(
        "POST",
        "/sessions/revoke",
        sdk.revoke,
        "Sign out.",
        answers.Answer,
        operation="sessions_revoke",
    ),
    _sdk("GET", "/users/me", sdk.me, "Read oneself.", answers.UserAnswer, operation="users_me"),
    _sdk(
        "PUT",
        "/users/me",
        sdk.change_me,
        "Change oneself.",
        answers.SdkChangedUserAnswer,
        operation="users_update_me",
        body=bodies.ChangeUserInput,
    ),
    _sdk(
        "DELETE",
        "/users/oauth/{oauth_user_registration_id}",
        sdk.delete_registration,
        "Unlink an account from oneself.",
        answers.SdkUserAnswer,
        operation="users_delete_oauth_registration",
    ),
    _sdk(
        "DELETE",
        "/users/emails/{email_id}",
        sdk.delete_email,
        "Take an email off oneself.",
        answers.SdkUserAnswer,
        operation="users_delete_email",
    ),
    _sdk(
        "DELETE",
        "/users/phone_numbers/{phone_id}",
        sdk.delete_phone,
        "Take a phone number off oneself.",
        answers.SdkUserAnswer,
        operation="users_delete_phone_number",
    ),
    _sdk(
        "GET",
        "/users/connected_apps",
        sdk.connected_apps,
        "List one's connected apps.",
        answers.ConnectedAppsAnswer,
        operation="users_connected_apps",
    ),
    _sdk(
        "POST",
        "/users/connected_apps/{connected_app_id}/revoke",
        sdk.revoke_connected_app,
        "Revoke a connected app.",
        answers.Answer,
        operation="users_revoke_connected_app",
    ),
)

ROUTES: tuple[Route, ...] = (*OAUTH, *USERS, *SESSIONS, *SDK)
