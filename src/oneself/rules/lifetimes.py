"""How long things live, and when a token counts as fresh; microseconds unless a name says otherwise."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

TICKET = 10 * MINUTE
FLOW = 10 * MINUTE
GRANT = 5 * MINUTE

# Rows of trips stay readable for an hour after they expire, so that a timeout can be told from an unknown state.
FLOW_KEPT = 60 * MINUTE

# For how long a grant that an unlink ended is tried to be handed back to its provider.
GRANTS_HANDED_BACK_FOR = 7 * DAY

# Codes in mails, and the code of a sign-in that waits for its second factor.
MAILED_CODE = 7 * DAY
ATTEMPT_CODE = 5 * MINUTE

# For how long a mail is tried to be sent; what is only kept to be looked at goes after the same time.
MAIL_GIVEN_UP_AFTER = DAY

MIN_SESSION_MINUTES = 5
MAX_SESSION_MINUTES = 527_040

# For how long the signature of a key that signs no more is still known: an expired JWT names its session for as long as
# that can live.
SIGNATURE_KNOWN = MAX_SESSION_MINUTES * MINUTE
# A key that signs no more stays published for this long, or for as long as what it signed is good.
SIGNING_KEY_OVERLAP = 30 * DAY

# A token is handed out while it lives at least this long; of a shorter-lived one, at least half of its life.
FRESH_MARGIN = 5 * MINUTE


def is_fresh(obtained_at: int, expires_at: int, now: int) -> bool:
    """Whether an access token may be handed out without asking the provider; 0 means that its end is not known."""
    if not expires_at:
        return True
    margin = min(FRESH_MARGIN, (expires_at - obtained_at) // 2)
    return expires_at - now > margin
