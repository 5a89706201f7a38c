"""Leg 3 of a trip: whoever holds the grant and the verifier gets the decision made, all in one transaction."""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import msgspec

from oneself.actions.runtime import Runtime, credentials_of
from oneself.crypto import opaque, pkce
from oneself.crypto.seal import DataKey
from oneself.faults import Fault, FaultCode
from oneself.model import (
    Dialect,
    ExternalAccount,
    Flow,
    Identity,
    Noun,
    Project,
    ProviderCredentials,
    Secret,
    Session,
    SessionRef,
    TokenSet,
    Trip,
    UserView,
)
from oneself.rules.linking import Facts, Refuse, decide
from oneself.steps import tokens
from oneself.steps.flow_secrets import grant_hash
from oneself.steps.linking import Applied, Linking, apply, read_facts
from oneself.steps.recording import Deed, record
from oneself.steps.sessions import SessionWish, join_session, oauth_factor, open_session, token_hash
from oneself.steps.teams import with_personal_team
from oneself.store import flows, sessions, users
from oneself.store.database import Tx


class RedeemRequest(Noun, frozen=True, kw_only=True):
    """What the application presents. `redirect_uri` is None where the dialect does not compare it.

    `session` is the session to open (None for none); `join` an existing one that gets the factor instead.
    """

    dialect: Dialect
    grant: Secret
    verifier: Secret | None = None
    redirect_uri: str | None = None
    session: SessionWish | None = None
    join: SessionRef | None = None
    custom_claims: dict[str, Any] = msgspec.field(default_factory=dict)


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
class _Work:
    """What one try of the transaction needs beside the transaction."""

    rt: Runtime
    project: Project
    wanted: RedeemRequest
    key: DataKey


async def redeem(rt: Runtime, project: Project, wanted: RedeemRequest) -> Redeemed:
    """Take the grant, decide on the facts of now, carry it out, keep the tokens, open the session: one commit.

    Raises Fault(GRANT_UNKNOWN), Fault(VERIFIER_MISSING), Fault(VERIFIER_MISMATCH), Fault(VERIFIER_UNEXPECTED),
    Fault(GRANT_REDIRECT_MISMATCH), Fault(ATTACH_PROOF_MISSING), Fault(ASKER_GONE), Fault(CLAIMS_TOO_LARGE), and every
    refusal of the linking law. What a refusal leaves behind is committed with it: a spent grant, an audit row.
    """
    flow_id = opaque.read_grant(wanted.grant.reveal())
    if flow_id is None:
        raise Fault(FaultCode.GRANT_UNKNOWN, "not a grant")
    work = _Work(rt, project, wanted, await rt.projects.data_key(project.id))

    tries = count()

    async def transaction(tx: Tx) -> Redeemed | Fault:
        return await _transact(tx, work, flow_id, crowded=next(tries) > 0)

    ended = await rt.db.write(transaction)
    rt.reached("redeem.committed")
    if isinstance(ended, Fault):
        raise ended
    return ended


async def _transact(tx: Tx, work: _Work, flow_id: str, *, crowded: bool) -> Redeemed | Fault:
    """One try; a Fault that is returned commits what happened until then, one that is raised undoes it.

    The first try reads the facts and takes the user's row as it was seen; where that failed because others were
    changing the same user, the next one is `crowded`: it waits for the rows first and reads the facts under their lock.
    """
    wanted, project = work.wanted, work.project
    flow = await flows.take(tx, project.id, flow_id, grant_hash(wanted.grant.reveal()), wanted.dialect)
    if flow is None or flow.kind != "identity":
        raise Fault(FaultCode.GRANT_UNKNOWN, "unknown, spent or expired", "take")
    work.rt.reached("redeem.taken")
    wrong = _wrong_proof(flow.trip, wanted)
    if wrong is not None:
        if not flow.trip.policy.wrong_verifier_spends:
            raise wrong
        return wrong
    if wanted.redirect_uri is not None and wanted.redirect_uri != flow.trip.login_url:
        return Fault(FaultCode.GRANT_REDIRECT_MISMATCH, "another redirect URI than at the start", "redeem")
    joined = await _joined(tx, work)
    refused = await _refused_finisher(tx, work, flow, joined)
    if refused is not None:
        return await _refusal(tx, work, flow, refused.code, refused.detail)
    credentials = credentials_of(project, flow.config_id)
    identity = tokens.unpark(work.key, project.id, flow.id, flow.parked)
    facts = await _facts(tx, work, flow, credentials, identity)
    if crowded:
        for user_id in sorted(facts.views):
            await users.lock(tx, project.id, user_id)
        facts = await _facts(tx, work, flow, credentials, identity)
    decision = decide(facts, flow.trip.policy)
    if isinstance(decision, Refuse):
        return await _refusal(tx, work, flow, decision.code, decision.reason, email=identity.profile.email)
    how = Linking(
        project_id=project.id,
        trip=flow.trip,
        profile=identity.profile,
        policy=flow.trip.policy,
        allow_connected_accounts=credentials.allow_connected_accounts,
        random=work.rt.random,
    )
    work.rt.reached("redeem.decided")
    applied = await apply(tx, how, facts, decision)
    work.rt.reached("redeem.applied")
    if applied.created:
        applied = replace(applied, view=await with_personal_team(tx, project, applied.view, work.rt.random))
    return await _conclude(tx, work, flow, identity, applied, joined, type(decision).__name__, decision.reason)


async def _facts(tx: Tx, work: _Work, flow: Flow, credentials: ProviderCredentials, identity: Identity) -> Facts:
    return await read_facts(
        tx,
        work.project.id,
        flow.trip,
        flow.asker,
        identity.profile,
        credentials.allow_sign_in,
        credentials.allow_connected_accounts,
    )


async def _conclude(
    tx: Tx,
    work: _Work,
    flow: Flow,
    identity: Identity,
    applied: Applied,
    joined: Session | None,
    decision: str,
    reason: str,
) -> Redeemed:
    """Keep the tokens, open or join the session, write the audit row."""
    user_id, project_id = applied.view.user.id, work.project.id
    await tokens.keep(tx, work.key, project_id, user_id, applied.account.id, identity.tokens)
    work.rt.reached("redeem.kept")
    session, session_token = await _session(tx, work, applied, joined)
    deed = Deed(
        action=f"redeem.{flow.trip.intent}",
        decision=decision,
        reason=reason,
        actor="backend" if flow.asker and flow.asker.by_backend else "self",
        dialect=flow.dialect,
        account_id=applied.account.id,
        flow_id=flow.id,
    )
    await record(tx, project_id, user_id, applied.view.user.version, deed, work.rt.random)
    work.rt.reached("redeem.recorded")
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
    tx: Tx, work: _Work, applied: Applied, joined: Session | None
) -> tuple[Session | None, Secret | None]:
    wish = work.wanted.session
    factor = oauth_factor(applied.account, tx.now)
    user_id = applied.view.user.id
    if joined is not None and joined.user_id == user_id and not applied.reset_sessions:
        kind = wish.kind if wish else joined.kind
        more = wish or SessionWish(kind=kind, lifetime=0, custom_claims=work.wanted.custom_claims)
        return await join_session(tx, work.project.id, joined, more, factor), None
    if wish is None:
        return None, None
    return await open_session(tx, work.project.id, user_id, wish, factor, work.rt.random)


async def _joined(tx: Tx, work: _Work) -> Session | None:
    """The session that the application presents, if it lives; one that does not is as if there were none."""
    ref = work.wanted.join
    if ref is None:
        return None
    if ref.token is not None:
        hashed = token_hash(work.wanted.dialect, ref.token.reveal())
        return await sessions.by_token(tx, work.project.id, hashed, tx.now)
    return await sessions.by_id(tx, work.project.id, ref.session_id, tx.now)


def _wrong_proof(trip: Trip, wanted: RedeemRequest) -> Fault | None:
    """The application's PKCE (RFC 7636 section 4.6): asked for exactly when the trip began with a challenge."""
    verifier = wanted.verifier
    if not trip.app_challenge:
        if verifier is None:
            return None
        return Fault(FaultCode.VERIFIER_UNEXPECTED, "the trip began without a challenge", "redeem")
    if verifier is None:
        return Fault(FaultCode.VERIFIER_MISSING, "the trip began with a challenge", "redeem")
    if trip.app_challenge_method == "S256" and not pkce.is_verifier(verifier.reveal()):
        return Fault(FaultCode.VERIFIER_MALFORMED, "not 43 to 128 unreserved characters", "redeem")
    if pkce.verify(trip.app_challenge_method, trip.app_challenge, verifier.reveal()):
        return None
    return Fault(FaultCode.VERIFIER_MISMATCH, "not the verifier of this trip", "redeem")


async def _refused_finisher(tx: Tx, work: _Work, flow: Flow, joined: Session | None) -> Fault | None:
    """Who may finish an attach (docs/decisions.md): the asking session must still live; impersonation never links."""
    asker, policy = flow.asker, flow.trip.policy
    if flow.trip.intent != "attach" or asker is None:
        return None
    same_user = joined is not None and joined.user_id == asker.user_id and not joined.is_impersonation
    by_pkce = bool(flow.trip.app_challenge)
    if policy.attach_proof == "session" and not same_user:
        return Fault(FaultCode.ATTACH_PROOF_MISSING, "the project asks for a session of the same user", "redeem")
    if policy.attach_proof == "pkce" and not by_pkce:
        return Fault(FaultCode.ATTACH_PROOF_MISSING, "the project asks for PKCE", "redeem")
    if policy.attach_proof == "asker" and not asker.by_backend and not (same_user or by_pkce):
        return Fault(FaultCode.ATTACH_PROOF_MISSING, "an attach by a session asks for PKCE or that user", "redeem")
    if asker.session_id and await sessions.by_id(tx, work.project.id, asker.session_id, tx.now) is None:
        return Fault(FaultCode.ASKER_GONE, "the asking session is over", "redeem")
    return None


async def _refusal(tx: Tx, work: _Work, flow: Flow, code: FaultCode, reason: str, **facts: object) -> Fault:
    """The refusal as a value, its audit row written: the grant stays spent."""
    deed = Deed(
        action=f"redeem.{flow.trip.intent}",
        decision=f"Refuse:{code.value}",
        reason=reason,
        actor="self",
        dialect=flow.dialect,
        flow_id=flow.id,
    )
    user_id = flow.asker.user_id if flow.asker else ""
    await record(tx, work.project.id, user_id, 0, deed, work.rt.random)
    return Fault(code, reason, "redeem", **facts)
