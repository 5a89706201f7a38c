"""Links that ask one person for more: to a provider's consent for an account that is connected already, and no other.

A link is sealed, not stored: whoever is refused a token writes no row. It is worth nothing to anybody else: the trip
that it begins keeps tokens for the account that it names and only if that very account comes back, so it needs no proof
from whoever finishes it.
"""

import msgspec

from oneself.actions.runtime import Runtime
from oneself.crypto import b64
from oneself.faults import Fault, FaultCode
from oneself.model import Noun, Project
from oneself.rules import scopes as scope_rules
from oneself.rules.lifetimes import DAY
from oneself.store import projects as project_store

LIFETIME = DAY
_COLUMN = "consent"


class Consent(Noun, frozen=True, kw_only=True):
    """What a link asks for: these scopes, of this user's account; then the browser goes to `return_url`."""

    user_id: str
    account_id: str
    config_id: str
    scopes: tuple[str, ...]
    return_url: str
    expires_at: int


_CONSENT = msgspec.msgpack.Decoder(Consent)


async def sealed(
    rt: Runtime, project: Project, user_id: str, config_id: str, refused: Fault, wanted: tuple[str, ...], url: str
) -> str | None:
    """The link's last part, for a read that was `refused`; None where no account is there that could consent.

    What was granted is asked for again beside what is `wanted`, so that the new grant can stand for the old one.
    """
    account_id, granted = refused.facts.get("account_id"), refused.facts.get("granted")
    if not isinstance(account_id, str) or not isinstance(granted, str):
        return None
    asked = Consent(
        user_id=user_id,
        account_id=account_id,
        config_id=config_id,
        scopes=scope_rules.merged(granted.split(), wanted),
        return_url=url,
        expires_at=rt.clock() + LIFETIME,
    )
    key = await rt.projects.data_key(project.id)
    return f"{project.id}.{b64.encode(key.seal(msgspec.msgpack.encode(asked), project.id, _COLUMN))}"


async def opened(rt: Runtime, link: str) -> tuple[Project, Consent]:
    """The project and the wish of a link. Raises Fault(FLOW_UNKNOWN) for what is none of ours, Fault(FLOW_EXPIRED)."""
    project_id, _, text = link.partition(".")
    body = b64.decode(text)
    project = await rt.projects.by(project_store.BY_ID, project_id)
    if project is None or not body:
        raise Fault(FaultCode.FLOW_UNKNOWN, "not a link of ours")
    key = await rt.projects.data_key(project.id)
    try:
        asked = _CONSENT.decode(key.open(body, project.id, _COLUMN))
    except Fault:
        raise Fault(FaultCode.FLOW_UNKNOWN, "not a link of ours") from None
    if asked.expires_at <= rt.clock():
        raise Fault(FaultCode.FLOW_EXPIRED, "the link is too old")
    return project, asked
