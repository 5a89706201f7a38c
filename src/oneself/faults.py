"""The one closed list of refusals that this server knows, in the domain's words, and the exception that carries one."""

from enum import StrEnum


class FaultCode(StrEnum):
    """Why something was refused. Each dialect maps (code, operation) to its own status and words."""

    # the caller and its keys
    PROJECT_UNKNOWN = "project_unknown"
    KEY_INVALID = "key_invalid"
    REQUEST_INVALID = "request_invalid"
    LIMIT_REACHED = "limit_reached"

    # users and what belongs to them
    USER_NOT_FOUND = "user_not_found"
    USER_UNAVAILABLE = "user_unavailable"
    EMAIL_IN_USE = "email_in_use"
    EMAIL_UNVERIFIED = "email_unverified"
    EMAIL_OWNER_UNVERIFIED = "email_owner_unverified"
    EMAIL_INVALID = "email_invalid"
    EMAIL_NOT_FOUND = "email_not_found"
    EMAIL_OWN_TWICE = "email_own_twice"
    EMAIL_VERIFIED = "email_verified"
    PHONE_IN_USE = "phone_in_use"
    PHONE_INVALID = "phone_invalid"
    PHONE_NOT_FOUND = "phone_not_found"
    EXTERNAL_ID_IN_USE = "external_id_in_use"
    EXTERNAL_ID_INVALID = "external_id_invalid"
    METADATA_TOO_LARGE = "metadata_too_large"
    METADATA_TOO_MANY_KEYS = "metadata_too_many_keys"
    SIGN_UP_CLOSED = "sign_up_closed"
    LAST_WAY_IN = "last_way_in"
    FACTORS_MANY = "factors_many"
    PASSWORD_WRONG = "password_wrong"

    # mail, and the one-time codes in it
    MAIL_OFF = "mail_off"
    MAIL_NOT_SENT = "mail_not_sent"
    MAIL_REFUSED = "mail_refused"
    CODE_UNKNOWN = "code_unknown"
    CODE_EXPIRED = "code_expired"
    CODE_USED = "code_used"
    CODE_WORN = "code_worn"
    OTP_OFF = "otp_off"
    SECOND_FACTOR_NEEDED = "second_factor_needed"
    SECOND_FACTOR_WRONG = "second_factor_wrong"

    # teams
    TEAM_NOT_FOUND = "team_not_found"
    TEAM_MEMBER_NOT_FOUND = "team_member_not_found"
    TEAM_MEMBER_TWICE = "team_member_twice"

    # external accounts
    ACCOUNT_NOT_FOUND = "account_not_found"
    ACCOUNT_IN_USE = "account_in_use"
    ACCOUNT_TWIN = "account_twin"
    ACCOUNT_SLOT_TAKEN = "account_slot_taken"
    ACCOUNT_OTHER = "account_other"
    ACCOUNT_SUBJECT_TAKEN = "account_subject_taken"

    # providers
    PROVIDER_UNKNOWN = "provider_unknown"
    PROVIDER_NOT_CONFIGURED = "provider_not_configured"
    PROVIDER_NOT_ENABLED = "provider_not_enabled"
    PROVIDER_NOT_NATIVE = "provider_not_native"
    PROVIDER_DENIED = "provider_denied"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_MISCONFIGURED = "provider_misconfigured"
    PROVIDER_GRANT_INVALID = "provider_grant_invalid"
    PROVIDER_REPLY_INVALID = "provider_reply_invalid"
    SHARED_SCOPES_REFUSED = "shared_scopes_refused"
    SHARED_TOKENS_REFUSED = "shared_tokens_refused"

    # one trip
    TICKET_INVALID = "ticket_invalid"
    FLOW_UNKNOWN = "flow_unknown"
    FLOW_EXPIRED = "flow_expired"
    FLOW_USED = "flow_used"
    FLOW_COOKIE_MISSING = "flow_cookie_missing"
    FLOW_PROVIDER_MISMATCH = "flow_provider_mismatch"
    APP_KEY_GONE = "app_key_gone"
    APP_KEY_NEEDED = "app_key_needed"
    REDIRECT_NOT_ALLOWED = "redirect_not_allowed"
    REDIRECT_INVALID = "redirect_invalid"
    REDIRECT_NOT_SET = "redirect_not_set"
    CHALLENGE_INVALID = "challenge_invalid"
    GRANT_UNKNOWN = "grant_unknown"
    GRANT_REDIRECT_MISMATCH = "grant_redirect_mismatch"
    VERIFIER_MISSING = "verifier_missing"
    VERIFIER_MISMATCH = "verifier_mismatch"
    VERIFIER_UNEXPECTED = "verifier_unexpected"
    VERIFIER_MALFORMED = "verifier_malformed"
    ATTACH_PROOF_MISSING = "attach_proof_missing"
    ASKER_GONE = "asker_gone"

    # sessions and tokens of ours
    SESSION_NOT_FOUND = "session_not_found"
    SESSION_FOREIGN = "session_foreign"
    SESSION_DURATION_INVALID = "session_duration_invalid"
    CLAIMS_TOO_LARGE = "claims_too_large"
    ID_TOKEN_INVALID = "id_token_invalid"
    TOKEN_MALFORMED = "token_malformed"
    TOKEN_SIGNATURE_INVALID = "token_signature_invalid"
    TOKEN_EXPIRED = "token_expired"

    # the vault
    CONNECTION_MISSING = "connection_missing"
    SCOPE_MISSING = "scope_missing"
    RECONNECT_NEEDED = "reconnect_needed"

    # the ground that we stand on
    MASTER_KEY_MISSING = "master_key_missing"
    SEAL_BROKEN = "seal_broken"
    DATABASE_UNAVAILABLE = "database_unavailable"
    DATABASE_CONTENDED = "database_contended"


class Fault(Exception):
    """A refusal: a code from the closed list, a detail for the log (never shown, never secret), and facts to render.

    `step` names the step of the flow that failed, for the log and the audit; `facts` are the values that a dialect's
    wording may interpolate (an e-mail, a provider, seconds until a retry as `retry_after`).
    """

    def __init__(self, code: FaultCode, detail: str = "", step: str = "", **facts: object) -> None:
        super().__init__(code.value, detail)
        self.code = code
        self.detail = detail
        self.step = step
        self.facts = facts

    def __str__(self) -> str:
        where = f" at {self.step}" if self.step else ""
        return f"{self.code.value}{where}: {self.detail}" if self.detail else f"{self.code.value}{where}"


class RowRefused(Exception):
    """One row of a file of users is not taken: why, and what its owner can do.

    Neither text holds a value out of the row: that may be a token, or written to harm whoever reads it.
    """

    def __init__(self, reason: str, what_to_do: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.what_to_do = what_to_do
