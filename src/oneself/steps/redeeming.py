"""What every redeem comes to, over an open transaction: who may finish an attach, the decision on the facts of now,
and what it leaves behind. A refusal is given as a value, so that its audit row is committed with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from oneself.crypto.seal import DataKey
from oneself.faults import Fault, FaultCode
from oneself.model import (
    ExternalAccount,
    Flow,
    Identity,
    Project,
    ProviderCredentials,
    Secret,
    Session,
    SessionRef,
    TokenSet,
    Trip,
    UserView,
)
from oneself.rules.linking import Create, Facts, Link, Reclaim, Refuse, SignIn, decide
from oneself.steps import tokens
from oneself.steps.linking import Applied, Linking, apply, read_facts
from oneself.steps.mailing import Post, tell, tell_of_addresses
from oneself.steps.recording import Deed, record
from oneself.steps.second_factor import Attempt, Door, hold
from oneself.steps.sessions import SessionWish, join_session, oauth_factor, open_session, token_hash
from oneself.steps.teams import with_personal_team
from oneself.store import sessions, users
from oneself.store.database import Tx

Point = Literal[
    "redeem.decided", "redeem.applied", "redeem.kept", "redeem.session", "redeem.recorded", "redeem.refused"
]


@dataclass(frozen=True, slots=True)
class Redeemed:
    """How a trip ended: whose account it is, its tokens, and the session that was opened or joined.

    `session_token` is None where there is no session or an existing one was joined.
    """

    view: UserView
    account: ExternalAccount
    trip: Trip
    tokens: TokenSet = field(repr=False)
    created: bool = False
    reset_sessions: bool = False
    session: Session | None = None
    session_token: Secret | None = None


@dataclass(frozen=True, slots=True)
class Redeeming:
    """What one try needs beside the transaction. `session` is the one to open (None for none), `join` an existing one
    that gets the factor instead; `verb` names the deed in the audit, and `reached` is told of each point passed.
    """

    project: Project
    key: DataKey
    random: Callable[[int], bytes]
    reached: Callable[[Point], None]
    session: SessionWish | None = None
    join: SessionRef | None = None
    custom_claims: dict[str, Any] = field(default_factory=dict)
    verb: str = "redeem"
    # whether users who have a second factor are asked for it, and who has brought it already
    asks_second_factor: bool = False
    passed: str = ""
    # how users are told of a new way in (None: not at all), and what a provider is called then
    post: Post | None = None
    label: Callable[[str], str] = str


async def _joined_session(tx: Tx, how: Redeeming, dialect: str) -> Session | None:
    """The session that the application presents, if it lives; one that does not is as if there were none.

    Read after the facts: an unlink that trimmed its factors in between moved the user's version, and is seen by that.
    """
    ref = how.join
    if ref is None:
        return None
    if ref.token is not None:
        return await sessions.by_token(tx, how.project.id, token_hash(dialect, ref.token.reveal()), tx.now)
    return await sessions.by_id(tx, how.project.id, ref.session_id, tx.now)


async def settle(
    tx: Tx,
    how: Redeeming,
    flow: Flow,
    credentials: ProviderCredentials,
    identity: Identity,
    *,
    crowded: bool,
) -> Redeemed | Fault:
    """Decide on the facts of now and carry it out; `crowded` waits for the users' rows before it reads."""
    facts = await _facts(tx, how, flow, credentials, identity)
    if crowded:
        for user_id in sorted(facts.views):
            await users.lock(tx, how.project.id, user_id)
        facts = await _facts(tx, how, flow, credentials, identity)
    joined = await _joined_session(tx, how, flow.dialect)
    refused = await _refused_finisher(tx, how, flow, joined)
    if refused is not None:
        return await refusal(tx, how, flow, refused.code, refused.detail)
    decision = decide(facts, flow.trip.policy)
    if isinstance(decision, Refuse):
        return await refusal(tx, how, flow, decision.code, decision.reason, email=identity.profile.email)
    if isinstance(decision, Create) and decision.upgrade and await _asker_left(tx, how, flow):
        return await refusal(tx, how, flow, FaultCode.ASKER_GONE, "the asking session is over")
    held = await _held(tx, how, flow, facts, decision)
    if held is not None:
        return held
    linking = Linking(
        project_id=how.project.id,
        dialect=flow.dialect,
        trip=flow.trip,
        profile=identity.profile,
        policy=flow.trip.policy,
        allow_connected_accounts=credentials.allow_connected_accounts,
        random=how.random,
    )
    how.reached("redeem.decided")
    applied = await apply(tx, linking, facts, decision)
    how.reached("redeem.applied")
    if isinstance(decision, Link | SignIn):
        await _tell(tx, how, facts.views[decision.user_id], applied)
    if applied.created:
        applied = replace(applied, view=await with_personal_team(tx, how.project, applied.view, how.random))
    return await _conclude(tx, how, flow, identity, applied, joined, type(decision).__name__, decision.reason)


async def _refused_finisher(tx: Tx, how: Redeeming, flow: Flow, joined: Session | None) -> Fault | None:
    """Who may finish an attach (docs/decisions.md): the asking session must still live; impersonation never links."""
    asker, policy = flow.asker, flow.trip.policy
    if flow.trip.intent != "attach" or asker is None:
        return None
    if flow.trip.only_account:
        return None  # it links nothing, and only the account that is linked already can finish it
    same_user = joined is not None and joined.user_id == asker.user_id and not joined.is_impersonation
    by_pkce = bool(flow.trip.app_challenge)
    if policy.attach_proof == "session" and not same_user:
        return Fault(FaultCode.ATTACH_PROOF_MISSING, "the project asks for a session of the same user", "redeem")
    if policy.attach_proof == "pkce" and not by_pkce:
        return Fault(FaultCode.ATTACH_PROOF_MISSING, "the project asks for PKCE", "redeem")
    if policy.attach_proof == "asker" and not asker.by_backend and not (same_user or by_pkce):
        return Fault(FaultCode.ATTACH_PROOF_MISSING, "an attach by a session asks for PKCE or that user", "redeem")
    if await _asker_left(tx, how, flow):
        return Fault(FaultCode.ASKER_GONE, "the asking session is over", "redeem")
    return None


async def _asker_left(tx: Tx, how: Redeeming, flow: Flow) -> bool:
    """Whether the session that asked has ended since; what it asked for is then not done in its user's name."""
    session_id = flow.asker.session_id if flow.asker else ""
    return bool(session_id) and await sessions.by_id(tx, how.project.id, session_id, tx.now) is None


async def _facts(tx: Tx, how: Redeeming, flow: Flow, credentials: ProviderCredentials, identity: Identity) -> Facts:
    return await read_facts(
        tx,
        how.project.id,
        flow.trip,
        flow.asker,
        identity.profile,
        credentials.allow_sign_in,
        credentials.allow_connected_accounts,
    )


async def _held(
    tx: Tx, how: Redeeming, flow: Flow, facts: Facts, decision: SignIn | Link | Create | Reclaim
) -> Fault | None:
    """The trip waits for its user's second factor, where there is one: what it proved is kept with it, still sealed.

    A user taken over by the address's owner loses the second factor with everything else, so nobody is asked for it.
    """
    if not how.asks_second_factor or isinstance(decision, Create | Reclaim):
        return None
    view = facts.views[decision.user_id]
    door = Door(how.project.id, how.key, how.random, how.passed)
    return await hold(tx, door, view, Attempt(flow=flow)) if door.is_shut(view) else None


async def _tell(tx: Tx, how: Redeeming, before: UserView, applied: Applied) -> None:
    """Tell a user of an account that may sign in from now on, or else of an address that a known one brought along."""
    account = applied.account
    could = any(old.id == account.id and old.allow_sign_in for old in before.accounts)
    if account.allow_sign_in and not could:
        await tell(tx, how.post, before, "account_linked", how.label(account.provider))
    else:
        await tell_of_addresses(tx, how.post, before, applied.view.emails)


async def _conclude(
    tx: Tx,
    how: Redeeming,
    flow: Flow,
    identity: Identity,
    applied: Applied,
    joined: Session | None,
    decision: str,
    reason: str,
) -> Redeemed:
    """Keep the tokens, open or join the session, write the audit row."""
    user_id, project_id = applied.view.user.id, how.project.id
    if identity.tokens.access_token or identity.tokens.refresh_token:
        await tokens.keep(tx, how.key, project_id, user_id, applied.account.id, identity.tokens)
    how.reached("redeem.kept")
    session, session_token = await _session(tx, how, applied, joined)
    how.reached("redeem.session")
    deed = Deed(
        action=f"{how.verb}.{flow.trip.intent}",
        decision=decision,
        reason=reason,
        actor="backend" if flow.asker and flow.asker.by_backend else "self",
        dialect=flow.dialect,
        account_id=applied.account.id,
        flow_id=flow.id,
    )
    await record(tx, project_id, user_id, applied.view.user.version, deed, how.random)
    how.reached("redeem.recorded")
    return Redeemed(
        view=applied.view,
        account=applied.account,
        trip=flow.trip,
        tokens=identity.tokens,
        created=applied.created,
        reset_sessions=applied.reset_sessions,
        session=session,
        session_token=session_token,
    )


async def _session(
    tx: Tx, how: Redeeming, applied: Applied, joined: Session | None
) -> tuple[Session | None, Secret | None]:
    wish = how.session
    factor = oauth_factor(applied.account, tx.now)
    user_id = applied.view.user.id
    if joined is not None and joined.user_id == user_id and not applied.reset_sessions:
        kind = wish.kind if wish else joined.kind
        more = wish or SessionWish(kind=kind, lifetime=0, custom_claims=how.custom_claims)
        return await join_session(tx, how.project.id, joined, more, factor), None
    if wish is None:
        return None, None
    return await open_session(tx, how.project.id, user_id, wish, factor, how.random)


async def refusal(tx: Tx, how: Redeeming, flow: Flow, code: FaultCode, reason: str, **facts: object) -> Fault:
    """The refusal as a value, its audit row written: the grant stays spent."""
    deed = Deed(
        action=f"{how.verb}.{flow.trip.intent}",
        decision=f"Refuse:{code.value}",
        reason=reason,
        actor="self",
        dialect=flow.dialect,
        flow_id=flow.id,
    )
    user_id = flow.asker.user_id if flow.asker else ""
    await record(tx, how.project.id, user_id, 0, deed, how.random)
    how.reached("redeem.refused")
    return Fault(code, reason, "redeem", **facts)
