"""How faults of the domain are said in this dialect: one table, by code and, where it matters, by
operation.
"""

from oneself.faults import Fault, FaultCode
from oneself.wire.stytch.refusals import Row

_NO_OAUTH_CONFIG = "No OAuth config was found for this provider in this project."
_TOKEN_GONE = "The OAuth token could not be found. It works once, for five minutes."
_OUR_FAULT = "Something went wrong on our side. The operator's log tells what, under this request id."
_BUSY = "The server cannot answer right now. Try again."

# The second part of a key is an operation, or the value of the fault's fact `which` (`.none` behind
# it where nothing at all is registered); None is the default of the code.
FAULTS: dict[tuple[FaultCode, str | None], Row] = {
    # the caller and its keys
    (FaultCode.KEY_INVALID, None): Row(401, "invalid_authorization_header", "The Authorization header must be Basic."),
    (FaultCode.REQUEST_INVALID, None): Row(400, "bad_request", "What the request asks for cannot be."),
    (FaultCode.LIMIT_REACHED, None): Row(429, "too_many_requests", "Too many requests have been made."),
    # users and what belongs to them
    (FaultCode.USER_NOT_FOUND, None): Row(404, "user_not_found", "User could not be found."),
    (FaultCode.USER_UNAVAILABLE, None): Row(403, "user_locked", "This user is disabled and cannot sign in."),
    (FaultCode.EMAIL_IN_USE, None): Row(400, "duplicate_email", "A user with the specified email already exists."),
    (FaultCode.EMAIL_UNVERIFIED, None): Row(
        400, "oauth_unverified_email", "The provider does not vouch for this email."
    ),
    (FaultCode.EMAIL_OWNER_UNVERIFIED, None): Row(
        400, "oauth_unverified_email", "The owner of this email has not verified it."
    ),
    (FaultCode.EMAIL_INVALID, None): Row(400, "invalid_email", "Email format is invalid."),
    (FaultCode.EMAIL_NOT_FOUND, None): Row(404, "email_not_found", "Email could not be found."),
    (FaultCode.PHONE_IN_USE, None): Row(
        400, "duplicate_phone_number", "A user with the specified phone number already exists."
    ),
    (FaultCode.PHONE_INVALID, None): Row(400, "invalid_phone_number", "Phone numbers must be in E.164 format."),
    (FaultCode.PHONE_NOT_FOUND, None): Row(404, "phone_number_not_found", "Phone number could not be found."),
    (FaultCode.EXTERNAL_ID_IN_USE, None): Row(
        400, "duplicate_user_external_id", "A user with the specified external_id already exists."
    ),
    (FaultCode.EXTERNAL_ID_INVALID, None): Row(
        400,
        "invalid_user_external_id",
        "An external_id has 1 to 128 characters of letters, digits and . _ - | and does not look"
        " like an id of this server.",
    ),
    (FaultCode.METADATA_TOO_LARGE, None): Row(400, "metadata_too_large", "A metadata object may hold at most 4 KB."),
    (FaultCode.METADATA_TOO_MANY_KEYS, None): Row(
        400, "metadata_too_many_keys", "A metadata object may have at most 20 keys."
    ),
    (FaultCode.SIGN_UP_CLOSED, None): Row(403, "sign_up_closed", "This project does not take new users."),
    (FaultCode.LAST_WAY_IN, None): Row(
        400,
        "cannot_delete_last_primary_factor",
        "This is the user's last way to sign in. Add another one first.",
    ),
    (FaultCode.PASSWORD_WRONG, None): Row(401, "unauthorized_credentials", "Unauthorized credentials."),
    (FaultCode.FACTORS_MANY, None): Row(
        400,
        "invalid_exchange_primary_factor_user",
        "Only a user with exactly one email or phone number, and nothing else, can exchange it.",
    ),
    # external accounts
    (FaultCode.ACCOUNT_NOT_FOUND, None): Row(
        404, "oauth_user_registration_not_found", "OAuth registration could not be found."
    ),
    (FaultCode.ACCOUNT_IN_USE, None): Row(
        400,
        "oauth_registration_in_use",
        "This account is already linked to another user. It was not moved.",
    ),
    # providers
    (FaultCode.PROVIDER_UNKNOWN, None): Row(400, "invalid_oauth_provider", "The OAuth provider is not known."),
    (FaultCode.PROVIDER_NOT_CONFIGURED, None): Row(400, "oauth_config_not_found", _NO_OAUTH_CONFIG),
    (FaultCode.PROVIDER_NOT_CONFIGURED, "apple"): Row(400, "apple_oauth_config_not_found", _NO_OAUTH_CONFIG),
    (FaultCode.PROVIDER_NOT_NATIVE, None): Row(400, "oauth_config_not_found", _NO_OAUTH_CONFIG),
    (FaultCode.PROVIDER_NOT_ENABLED, None): Row(
        400, "oauth_config_not_found", "The OAuth config of this provider is not enabled."
    ),
    (FaultCode.PROVIDER_DENIED, None): Row(
        400, "oauth_flow_callback_error", "The provider sent the person back without consent."
    ),
    (FaultCode.PROVIDER_UNAVAILABLE, None): Row(
        503, "server_unavailable", "The provider does not answer right now. Try again."
    ),
    (FaultCode.PROVIDER_MISCONFIGURED, None): Row(
        400,
        "oauth_token_exchange_invalid_client",
        "The provider refused the OAuth config of this project.",
    ),
    (FaultCode.PROVIDER_GRANT_INVALID, None): Row(
        400, "oauth_auth_code_error", "The provider refused the code that it had sent."
    ),
    (FaultCode.PROVIDER_REPLY_INVALID, None): Row(
        400, "unable_to_authorize_oauth_provider", "The provider's answer could not be trusted."
    ),
    (FaultCode.SHARED_SCOPES_REFUSED, None): Row(
        404,
        "default_provider_not_allowed",
        "Custom scopes need an OAuth client of your own at this provider.",
    ),
    # one trip
    (FaultCode.TICKET_INVALID, None): Row(
        400,
        "invalid_oauth_attach_token",
        "The attach token is unknown, used, expired, or for another provider.",
    ),
    (FaultCode.FLOW_UNKNOWN, None): Row(
        400, "oauth_invalid_state", "The state does not belong to a sign-in of this server."
    ),
    (FaultCode.FLOW_EXPIRED, None): Row(400, "expired_oauth_response", "This sign-in took too long. Start again."),
    (FaultCode.FLOW_USED, None): Row(400, "oauth_state_used", "This sign-in has already been finished."),
    (FaultCode.FLOW_COOKIE_MISSING, None): Row(
        400,
        "oauth_state_mismatch",
        "The state does not match this browser. A sign-in must end in the browser it began in.",
    ),
    (FaultCode.FLOW_PROVIDER_MISMATCH, None): Row(
        400, "oauth_invalid_callback_request", "This answer belongs to another provider."
    ),
    (FaultCode.REDIRECT_NOT_ALLOWED, None): Row(
        400,
        "no_match_for_provided_oauth_url",
        "The redirect URL is not registered for this project.",
    ),
    (FaultCode.REDIRECT_INVALID, "login"): Row(
        400, "invalid_login_redirect_url", "The login_redirect_url is not a valid URL."
    ),
    (FaultCode.REDIRECT_INVALID, "signup"): Row(
        400, "invalid_signup_redirect_url", "The signup_redirect_url is not a valid URL."
    ),
    (FaultCode.REDIRECT_NOT_SET, "login.none"): Row(
        400, "no_login_redirect_urls_set", "There are no login URLs set for this project."
    ),
    (FaultCode.REDIRECT_NOT_SET, "signup.none"): Row(
        400, "no_signup_redirect_urls_set", "There are no signup URLs set for this project."
    ),
    (FaultCode.REDIRECT_NOT_SET, "login"): Row(
        400,
        "no_default_login_redirect_url_set",
        "There is no default login URL set for this project.",
    ),
    (FaultCode.REDIRECT_NOT_SET, "signup"): Row(
        400,
        "no_default_signup_redirect_url_set",
        "There is no default signup URL set for this project.",
    ),
    (FaultCode.CHALLENGE_INVALID, None): Row(
        400,
        "invalid_pkce_code_challenge",
        "A code_challenge is the SHA-256 of the verifier in base64url: 43 characters.",
    ),
    (FaultCode.GRANT_UNKNOWN, None): Row(400, "oauth_token_not_found", _TOKEN_GONE),
    (FaultCode.VERIFIER_MISSING, None): Row(
        400, "pkce_expected_code_verifier", "This sign-in began with PKCE: code_verifier is due."
    ),
    (FaultCode.VERIFIER_MISMATCH, None): Row(
        400, "pkce_mismatch", "The code_verifier does not match. Start the sign-in again."
    ),
    (FaultCode.VERIFIER_UNEXPECTED, None): Row(
        400,
        "pkce_did_not_expect_code_verifier",
        "This sign-in began without PKCE: a code_verifier has nothing to prove.",
    ),
    (FaultCode.VERIFIER_MALFORMED, None): Row(
        400, "invalid_pkce_code_verifier", "A code_verifier has 43 to 256 unreserved characters."
    ),
    (FaultCode.ATTACH_PROOF_MISSING, None): Row(
        400,
        "oauth_attach_proof_required",
        "This attach must be finished with PKCE or with a session of the same user.",
    ),
    (FaultCode.ASKER_GONE, None): Row(
        400,
        "invalid_oauth_attach_token",
        "The session that asked for this attach has ended meanwhile.",
    ),
    # sessions of ours
    (FaultCode.SESSION_NOT_FOUND, None): Row(404, "session_not_found", "Session could not be found."),
    (FaultCode.SESSION_DURATION_INVALID, None): Row(
        400,
        "invalid_session_duration_minutes",
        "The session_duration_minutes must be between 5 and 527040.",
    ),
    (FaultCode.CLAIMS_TOO_LARGE, None): Row(400, "custom_claims_too_large", "Custom claims may hold at most 4 KB."),
    (FaultCode.ID_TOKEN_INVALID, None): Row(
        400,
        "oauth_invalid_id_token",
        "The ID token could not be verified for this project's apps, or its nonce is another.",
    ),
    (FaultCode.ID_TOKEN_INVALID, "sessions_migrate"): Row(
        400,
        "invalid_session_token",
        "The session_token is no ID token that the external issuer signed for this project, or it has expired.",
    ),
    (FaultCode.TOKEN_MALFORMED, None): Row(400, "unable_to_parse_session_jwt", "The session JWT could not be read."),
    (FaultCode.TOKEN_SIGNATURE_INVALID, None): Row(
        400, "unable_to_parse_session_jwt", "The session JWT could not be verified."
    ),
    # the ground that we stand on
    (FaultCode.PROJECT_UNKNOWN, None): Row(404, "project_not_found", "This project is gone."),
    (FaultCode.DATABASE_UNAVAILABLE, None): Row(503, "server_unavailable", _BUSY),
    (FaultCode.DATABASE_CONTENDED, None): Row(503, "server_unavailable", _BUSY),
    (FaultCode.MASTER_KEY_MISSING, None): Row(500, "internal_server_error", _OUR_FAULT),
    (FaultCode.SEAL_BROKEN, None): Row(500, "internal_server_error", _OUR_FAULT),
}

UNKNOWN = Row(500, "internal_server_error", "Something went wrong on the server.")


def row_of(fault: Fault, operation: str) -> Row:
    """Return the row for a fault met by `operation`: by its fact `which`, by the operation, by the
    code; `UNKNOWN` for a fault that this dialect cannot reach.
    """
    which = fault.facts.get("which")
    if isinstance(which, str):
        nothing_set = ".none" if fault.facts.get("any_set") is False else ""
        row = FAULTS.get((fault.code, which + nothing_set))
        if row is not None:
            return row
    return FAULTS.get((fault.code, operation)) or FAULTS.get((fault.code, None), UNKNOWN)
