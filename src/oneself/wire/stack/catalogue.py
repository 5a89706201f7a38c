"""Every known error of Stack's API as data: its name, its status, its words and its details."""

from typing import Any

from oneself.wire.stack.refusals import Refusal, Refused, spell

_DOCS = (
    "\n\nFor more information, see the docs on REST API authentication: "
    "https://docs.stack-auth.com/rest-api/overview#authentication"
)
_UNVERIFIED = (
    " but the email is not verified. Please login to your existing account with the method you used "
    "to sign up, and then verify your email to sign in with this login method."
)
_KEY_SENTENCE = " is not valid for the project {project_id!j}. Does the project and/or the key exist?"
_TOKEN_DEBUG = (
    "\n\nDebug info: Most likely, you fetched the access token before it expired (for example, in a "
    "server component, pre-rendered page, or on page load), but then didn't refresh it before it "
    "expired. If this is the case, and you're using the SDK, make sure you call getAccessToken() "
    "every time you need to use the access token. If you're not using the SDK, make sure you refresh "
    "the access token with the refresh endpoint."
)


def _entry(code: str, status: int, text: str, *details: str | tuple[str, Any]) -> tuple[str, Refusal]:
    return code, Refusal(status, text, code.partition("/")[0], tuple(details))


# A name with a slash is a second wording of the code before it.
CATALOGUE: dict[str, Refusal] = dict(
    [
        # --- the request ------------------------------------------------------------------------
        _entry("BODY_PARSING_ERROR", 400, "{message}"),
        _entry("SCHEMA_ERROR", 400, "{message}", "message"),
        # --- the caller's project and keys ------------------------------------------------------
        _entry(
            "PROJECT_KEY_WITHOUT_ACCESS_TYPE",
            400,
            "Either an API key or an admin access token was provided, but the x-stack-access-type "
            "header is missing. Set it to 'client', 'server', or 'admin' as appropriate.",
        ),
        _entry(
            "INVALID_ACCESS_TYPE",
            400,
            "The x-stack-access-type header must be 'client', 'server', or 'admin', but was '{access_type}'.",
        ),
        _entry(
            "ACCESS_TYPE_WITHOUT_PROJECT_ID",
            400,
            "The x-stack-access-type header was '{request_type}', but the x-stack-project-id header "
            "was not provided." + _DOCS,
            "request_type",
        ),
        _entry(
            "ACCESS_TYPE_REQUIRED",
            400,
            "You must specify an access level for this Stack project. Make sure project API keys are "
            "provided (eg. x-stack-publishable-client-key) and you set the x-stack-access-type header "
            "to 'client', 'server', or 'admin'." + _DOCS,
        ),
        _entry(
            "INSUFFICIENT_ACCESS_TYPE",
            401,
            "The x-stack-access-type header must be {allowed}, but was '{actual_access_type}'.",
            "actual_access_type",
            "allowed_access_types",
        ),
        _entry(
            "INVALID_PUBLISHABLE_CLIENT_KEY",
            401,
            "The publishable key" + _KEY_SENTENCE,
            "project_id",
        ),
        _entry("INVALID_SECRET_SERVER_KEY", 401, "The secret server key" + _KEY_SENTENCE, "project_id"),
        _entry(
            "INVALID_SUPER_SECRET_ADMIN_KEY",
            401,
            "The super secret admin key" + _KEY_SENTENCE,
            "project_id",
        ),
        _entry(
            "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT",
            401,
            "Publishable client keys are required for this project. Create one in Project Keys, or "
            "disable this requirement there to allow keyless client access.",
            "project_id",
        ),
        _entry("SERVER_AUTHENTICATION_REQUIRED", 401, "The secret server key must be provided."),
        _entry("ADMIN_AUTHENTICATION_REQUIRED", 401, "The super secret admin key must be provided."),
        _entry("UNPARSABLE_ADMIN_ACCESS_TOKEN", 401, "Admin access token is not parsable."),
        _entry(
            "ADMIN_ACCESS_TOKEN_EXPIRED",
            401,
            "Admin access token has expired. Please refresh it and try again. (The access token "
            "expired at {expired_at}.)",
            "expired_at_millis",
        ),
        _entry(
            "INVALID_PROJECT_FOR_ADMIN_ACCESS_TOKEN",
            401,
            "Admin access tokens must be created on the internal project.",
        ),
        _entry(
            "ADMIN_ACCESS_TOKEN_IS_NOT_ADMIN",
            401,
            "Admin access token does not have the required permissions to access this project.",
        ),
        _entry("EXPECTED_INTERNAL_PROJECT", 401, "The project ID is expected to be internal."),
        _entry(
            "CURRENT_PROJECT_NOT_FOUND",
            400,
            "The current project with ID {project_id} was not found. Please check the value of the "
            "x-stack-project-id header.",
            "project_id",
        ),
        _entry(
            "BRANCH_DOES_NOT_EXIST",
            400,
            "The branch with ID {branch_id} does not exist.",
            "branch_id",
        ),
        _entry("API_KEY_NOT_FOUND", 404, "API key not found."),
        # --- the caller's user ------------------------------------------------------------------
        _entry("UNPARSABLE_ACCESS_TOKEN", 401, "Access token is not parsable."),
        _entry(
            "ACCESS_TOKEN_EXPIRED",
            401,
            "Access token has expired. Please refresh it and try again.{about}" + _TOKEN_DEBUG,
            "expired_at_millis",
            "project_id",
            "user_id",
            "refresh_token_id",
        ),
        _entry(
            "INVALID_PROJECT_FOR_ACCESS_TOKEN",
            401,
            "Access token not valid for this project. Expected project ID {expected_project_id!j}, "
            "but the token is for project ID {actual_project_id!j}.",
            "expected_project_id",
            "actual_project_id",
        ),
        _entry(
            "ANONYMOUS_AUTHENTICATION_NOT_ALLOWED",
            401,
            "X-Stack-Access-Token is for an anonymous user, but anonymous users are not enabled. Set "
            "the X-Stack-Allow-Anonymous-User header of this request to 'true' to allow anonymous "
            "users.",
        ),
        _entry(
            "RESTRICTED_USER_NOT_ALLOWED",
            403,
            "The user in the access token is in restricted state. Reason: {reason}. Please pass the "
            "X-Stack-Allow-Restricted-User header if this is intended.",
            "restricted_reason",
        ),
        _entry("USER_AUTHENTICATION_REQUIRED", 401, "User authentication required for this endpoint."),
        _entry(
            "CANNOT_GET_OWN_USER_WITHOUT_USER",
            400,
            "You have specified 'me' as a userId, but did not provide authentication for a user.",
        ),
        _entry(
            "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED",
            401,
            "Refresh token not found for this project, or the session has expired/been revoked.",
        ),
        _entry("CANNOT_DELETE_CURRENT_SESSION", 400, "Cannot delete the current session."),
        # --- users ------------------------------------------------------------------------------
        _entry("USER_NOT_FOUND", 404, "User not found."),
        _entry(
            "USER_ID_DOES_NOT_EXIST",
            400,
            "The given user with the ID {user_id} does not exist.",
            "user_id",
        ),
        _entry(
            "USER_EMAIL_ALREADY_EXISTS",
            409,
            "A user with email {email!j} already exists.",
            "email",
            ("would_work_if_email_was_verified", False),
        ),
        _entry(
            "USER_EMAIL_ALREADY_EXISTS/unverified",
            409,
            "A user with email {email!j} already exists" + _UNVERIFIED,
            "email",
            ("would_work_if_email_was_verified", True),
        ),
        _entry(
            "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE",
            409,
            'This email "({contact_channel_value})" is already used for authentication by another account.',
            ("type", "email"),
            "contact_channel_value",
            ("would_work_if_email_was_verified", False),
        ),
        _entry(
            "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE/unverified",
            409,
            'This email "({contact_channel_value})" is already used for authentication by another '
            "account" + _UNVERIFIED,
            ("type", "email"),
            "contact_channel_value",
            ("would_work_if_email_was_verified", True),
        ),
        _entry("EMAIL_ALREADY_VERIFIED", 409, "The e-mail is already verified."),
        _entry(
            "EMAIL_IS_NOT_PRIMARY_EMAIL",
            400,
            "The given e-mail ({email}) must equal the user's primary e-mail ({primary_email}).",
            "email",
            "primary_email",
        ),
        _entry("EMAIL_PASSWORD_MISMATCH", 400, "Wrong e-mail or password."),
        _entry(
            "PASSWORD_AUTHENTICATION_NOT_ENABLED",
            400,
            "Password authentication is not enabled for this project.",
        ),
        _entry(
            "PASSWORD_TOO_SHORT",
            400,
            "Password too short. Minimum length is {min_length}.",
            "min_length",
        ),
        _entry("PASSWORD_CONFIRMATION_MISMATCH", 400, "Passwords do not match."),
        _entry(
            "USER_DOES_NOT_HAVE_PASSWORD",
            400,
            "This user does not have password authentication enabled.",
        ),
        _entry(
            "SIGN_UP_NOT_ENABLED",
            400,
            "Creation of new accounts is not enabled for this project. Please ask the project owner to enable it.",
        ),
        # --- teams and codes --------------------------------------------------------------------
        _entry("TEAM_NOT_FOUND", 404, "Team {team_id} not found.", "team_id"),
        _entry(
            "TEAM_MEMBERSHIP_NOT_FOUND",
            404,
            "User {user_id} is not found in team {team_id}.",
            "team_id",
            "user_id",
        ),
        _entry("TEAM_MEMBERSHIP_ALREADY_EXISTS", 409, "Team membership already exists."),
        _entry("VERIFICATION_CODE_NOT_FOUND", 404, "The verification code does not exist for this project."),
        _entry("VERIFICATION_CODE_EXPIRED", 400, "The verification code has expired."),
        _entry("VERIFICATION_CODE_ALREADY_USED", 409, "The verification link has already been used."),
        _entry(
            "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED",
            400,
            "The verification code nonce has reached the maximum number of attempts. This code is not valid anymore.",
        ),
        _entry(
            "MULTI_FACTOR_AUTHENTICATION_REQUIRED",
            400,
            "Multi-factor authentication is required for this user.",
            "attempt_code",
        ),
        _entry("INVALID_TOTP_CODE", 400, "The TOTP code is invalid. Please try again."),
        # --- OAuth ------------------------------------------------------------------------------
        _entry(
            "REDIRECT_URL_NOT_WHITELISTED",
            400,
            "Redirect URL not whitelisted. Did you forget to add this domain to the trusted domains "
            "list on the Stack Auth dashboard?",
        ),
        _entry(
            "INVALID_OAUTH_CLIENT_ID_OR_SECRET",
            400,
            "The OAuth client ID or secret is invalid. The client ID must be equal to the project ID "
            "(potentially with a hash and a branch ID), and the client secret must be a publishable "
            "client key.",
            "client_id",
        ),
        _entry("INVALID_AUTHORIZATION_CODE", 400, "The given authorization code is invalid."),
        _entry("INVALID_SCOPE", 400, 'The scope "{scope}" is not a valid OAuth scope for Stack.'),
        _entry(
            "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED",
            400,
            "The OAuth provider is not found or not enabled.",
        ),
        _entry(
            "OAUTH_EXTRA_SCOPE_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS",
            400,
            "Extra scopes are not available with shared OAuth keys. Please add your own OAuth keys on "
            "the Stack dashboard to use extra scopes.",
        ),
        _entry(
            "OAUTH_ACCESS_TOKEN_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS",
            400,
            "Access tokens are not available with shared OAuth keys. Please add your own OAuth keys "
            "on the Stack dashboard to use access tokens.",
        ),
        _entry(
            "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER",
            400,
            "The OAuth connection is not connected to any user.",
        ),
        _entry(
            "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER",
            409,
            "The OAuth connection is already connected to another user.",
        ),
        _entry(
            "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE",
            400,
            "The OAuth connection does not have the required scope.",
        ),
        _entry(
            "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN",
            400,
            "A provider with the same account ID is already used for signing in.",
        ),
        _entry("OUTER_OAUTH_TIMEOUT", 408, "The OAuth flow has timed out. Please sign in again."),
        _entry("OAUTH_PROVIDER_ACCESS_DENIED", 400, "The OAuth provider denied access to the user."),
        _entry(
            "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE",
            503,
            "The OAuth provider is temporarily unavailable. Please try signing in again.",
        ),
        _entry(
            "APPLE_BUNDLE_ID_NOT_CONFIGURED",
            400,
            "Apple Sign In is enabled, but no Bundle IDs are configured. Please add your app's Bundle "
            "ID in the Stack Auth dashboard under OAuth Providers > Apple > Apple Bundle IDs.",
        ),
        _entry(
            "INVALID_APPLE_CREDENTIALS",
            400,
            "The Apple Sign In credentials could not be verified. Please try signing in again.",
        ),
    ]
)


def known(name: str, **facts: Any) -> Refused:
    """Make the known error of that name in CATALOGUE, with the facts that its words ask for."""
    return spell(CATALOGUE[name], facts)
