"""What the wire refuses by itself, before any action is asked: shapes, ids, tokens and keys."""

from typing import NamedTuple


class Row(NamedTuple):
    """One refusal on the wire: HTTP status, `error_type`, and the words for the developer."""

    status: int
    error_type: str
    message: str


class Refusal(Exception):
    """What the wire refuses before any action is asked; `error_type` names a row of `WIRE`.

    `message` replaces the row's words where the place of the mistake helps.
    """

    def __init__(self, error_type: str, message: str = "") -> None:
        super().__init__(error_type)
        self.row = WIRE[error_type]
        self.message = message or self.row.message


def _rows(*rows: Row) -> dict[str, Row]:
    return {row.error_type: row for row in rows}


WIRE: dict[str, Row] = _rows(
    # keys and ways
    Row(401, "invalid_authorization_header", "The Authorization header must be Basic."),
    Row(400, "invalid_project_id_authentication", "The project id in the header is malformed."),
    Row(400, "invalid_secret_authentication", "The secret in the header is malformed."),
    Row(401, "unauthorized_credentials", "Unauthorized credentials."),
    Row(400, "public_token_required", "The parameter public_token is required."),
    Row(404, "public_token_not_found", "No project has this public token."),
    Row(404, "project_not_found", "No project has this id."),
    Row(401, "user_unauthenticated", "This call needs an active session."),
    Row(400, "bad_domain_for_stytch_sdk", "This origin is not authorised for the project."),
    Row(404, "route_not_found", "The route provided is not supported."),
    Row(400, "invalid_b2b_endpoint", "This is an endpoint for B2B projects, and this server has consumer projects."),
    Row(405, "method_not_allowed", "The route does not answer to this method."),
    Row(413, "request_too_large", "The request body is too large."),
    Row(500, "internal_server_error", "Something went wrong on the server."),
    # bodies and parameters
    Row(400, "bad_request", "The request could not be read."),
    Row(400, "invalid_argument", "A field of the request has the wrong type or is missing."),
    Row(400, "invalid_id", "The id is malformed or of another kind."),
    Row(400, "invalid_user_id", "The user id is malformed."),
    Row(400, "invalid_email_id", "The email id is malformed."),
    Row(400, "invalid_session_id", "The session id is malformed."),
    Row(400, "invalid_oauth_user_registration_id", "The registration id is malformed."),
    Row(404, "connected_app_not_found", "This user has no such connected app."),
    Row(400, "invalid_create_user_request", "Give an email or a phone_number."),
    Row(
        400,
        "invalid_rbac_role_assignment",
        "Roles other than the default one are not configured in this project.",
    ),
    Row(400, "invalid_exchange_primary_factor_fields", "Give exactly one of email_address and phone_number."),
    Row(400, "weak_password", "The password needs 8 characters or more, and some variety."),
    Row(404, "password_not_found", "Password could not be found."),
    Row(404, "webauthn_registration_not_found", "WebAuthn registration could not be found."),
    Row(404, "biometric_registration_not_found", "Biometric registration could not be found."),
    Row(404, "totp_not_found", "TOTP could not be found."),
    Row(404, "crypto_wallet_not_found", "Crypto wallet could not be found."),
    Row(400, "product_not_configured", "This product is not configured in this project."),
    # attach
    Row(
        400,
        "no_user_selection_arguments",
        "Give exactly one of user_id, session_token and session_jwt.",
    ),
    Row(
        400,
        "too_many_user_selection_arguments",
        "Give only one of user_id, session_token and session_jwt.",
    ),
    # sessions
    Row(400, "no_session_arguments", "Give session_token or session_jwt."),
    Row(400, "too_many_session_arguments", "Give only one of session_token and session_jwt."),
    Row(
        400,
        "no_session_revoke_arguments",
        "Give one of session_id, session_token and session_jwt.",
    ),
    Row(
        400,
        "too_many_session_revoke_arguments",
        "Give only one of session_id, session_token and session_jwt.",
    ),
    Row(400, "invalid_session_token", "Session token format is invalid."),
    Row(400, "unable_to_parse_session_jwt", "The session JWT could not be read or verified."),
    Row(400, "jwt_invalid_audience", "The session JWT was made for another project."),
    Row(400, "jwt_invalid_issuer", "The session JWT has another issuer."),
    Row(400, "jwt_invalid_claims", "The session JWT lacks the claims of a session."),
    Row(
        400,
        "stytch_claims_in_custom_claims",
        "Custom claims may not begin with https://stytch.com/.",
    ),
    Row(
        403,
        "consumer_session_authorization_error",
        "The session's roles do not allow this action on this resource.",
    ),
    Row(401, "cannot_update_trusted_metadata", "Trusted metadata is written by the backend only."),
    # search
    Row(400, "user_search_invalid_limit", "The limit must be between 0 and 1000."),
    Row(400, "user_search_invalid_cursor", "The cursor did not come from this search."),
    Row(400, "user_search_invalid_operator", "The operator must be AND or OR."),
    Row(400, "user_search_missing_filter_name", "An operand lacks its filter_name."),
    Row(400, "user_search_missing_filter_value", "An operand lacks its filter_value."),
    Row(400, "user_search_filter_name_must_be_string", "A filter_name must be a string."),
    Row(400, "user_search_filter_name_not_recognized", "A filter_name is not known."),
    Row(400, "user_search_expected_string", "This filter takes a string."),
    Row(400, "user_search_expected_bool", "This filter takes a boolean."),
    Row(400, "user_search_expected_object", "This filter takes an object."),
    Row(400, "user_search_expected_timestamp", "This filter takes an RFC 3339 timestamp."),
    Row(400, "user_search_expected_array_of_string", "This filter takes an array of strings."),
    Row(400, "user_search_invalid_status_filter", "The status must be active or pending."),
    Row(400, "user_search_invalid_oauth_provider_filter", "A provider is not known."),
    Row(
        400,
        "user_search_cannot_mix_internal_and_external_user_ids",
        "A filter on user_id takes internal or external ids, not both.",
    ),
    Row(
        400,
        "user_search_maximum_filter_value_count_exceeded",
        "A filter takes at most 100 values, and a query at most 20 operands.",
    ),
)
