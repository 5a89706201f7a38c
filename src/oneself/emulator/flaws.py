"""Ways in which an id_token can be made wrong on purpose."""

FLAWS = (
    "alg_none",
    "hs256_public_key",
    "bad_signature",
    "no_kid",
    "unknown_kid",
    "foreign_key",
    "jku",
    "crit",
)
"""Ways in which an id_token can be made wrong; wrong claims are made by a persona's `answers`."""
