"""Leg 3 of a trip: whoever holds the grant and the verifier gets the decision made, all in one transaction."""

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import msgspec

from oneself.actions.runtime import Runtime, credentials_of, post_of, provider_name, tokens_leave
from oneself.crypto import opaque, pkce
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, Noun, Project, Secret, SessionRef, TokenSet, Trip
from oneself.steps import tokens
from oneself.steps.flow_secrets import grant_hash
from oneself.steps.redeeming import Redeemed, Redeeming, refusal, settle
from oneself.steps.sessions import SessionWish
from oneself.store import flows
from oneself.store.database import Tx

__all__ = ["RedeemRequest", "Redeemed", "redeem"]


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
    asks_second_factor: bool = False
    custom_claims: dict[str, Any] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Work:
    """What one try of the transaction needs beside the transaction."""

    rt: Runtime
    wanted: RedeemRequest
    how: Redeeming


async def redeem(rt: Runtime, project: Project, wanted: RedeemRequest) -> Redeemed:
    """Take the grant, decide on the facts of now, carry it out, keep the tokens, open the session: one commit.

    Raises Fault(GRANT_UNKNOWN), Fault(VERIFIER_MISSING), Fault(VERIFIER_MISMATCH), Fault(VERIFIER_UNEXPECTED),
    Fault(SECOND_FACTOR_NEEDED) where that is asked for and set, Fault(GRANT_REDIRECT_MISMATCH),
    Fault(ATTACH_PROOF_MISSING), Fault(ASKER_GONE), Fault(CLAIMS_TOO_LARGE), and every
    refusal of the linking law. What a refusal leaves behind is committed with it: a spent grant, an audit row.
    """
    flow_id = opaque.read_grant(wanted.grant.reveal())
    if flow_id is None:
        raise Fault(FaultCode.GRANT_UNKNOWN, "not a grant")
    how = Redeeming(
        project=project,
        key=await rt.projects.data_key(project.id),
        random=rt.random,
        reached=rt.reached,
        session=wanted.session,
        join=wanted.join,
        asks_second_factor=wanted.asks_second_factor,
        post=await post_of(rt, project),
        label=provider_name,
        custom_claims=wanted.custom_claims,
    )
    work = _Work(rt, wanted, how)
    tries = count()

    async def transaction(tx: Tx) -> Redeemed | Fault:
        return await _transact(tx, work, flow_id, crowded=next(tries) > 0)

    ended = await rt.db.write(transaction)
    rt.reached("redeem.committed")
    if isinstance(ended, Fault):
        raise ended
    return _given_out(rt, project, ended)


def _given_out(rt: Runtime, project: Project, redeemed: Redeemed) -> Redeemed:
    """What the application gets of it: all, but for tokens that stay here."""
    if tokens_leave(rt, project, credentials_of(project, redeemed.trip.config_id)):
        return redeemed
    kept = TokenSet(access_token="", scopes=redeemed.tokens.scopes)
    return replace(redeemed, tokens=kept)


async def _transact(tx: Tx, work: _Work, flow_id: str, *, crowded: bool) -> Redeemed | Fault:
    """One try; a Fault that is returned commits what happened until then, one that is raised undoes it.

    The first try reads the facts and takes the user's row as it was seen; where that failed because others were
    changing the same user, the next one is `crowded`: it waits for the rows first and reads the facts under their lock.
    """
    wanted, how, project = work.wanted, work.how, work.how.project
    flow = await flows.take(tx, project.id, flow_id, grant_hash(wanted.grant.reveal()), wanted.dialect)
    if flow is None or flow.kind != "identity":
        raise Fault(FaultCode.GRANT_UNKNOWN, "unknown, spent or expired", "take")
    work.rt.reached("redeem.taken")
    wrong = _wrong_proof(flow.trip, wanted)
    if wrong is not None:
        if not flow.trip.policy.wrong_verifier_spends:
            raise wrong
        return await refusal(tx, how, flow, wrong.code, wrong.detail)
    if wanted.redirect_uri is not None and wanted.redirect_uri != flow.trip.login_url:
        return await refusal(tx, how, flow, FaultCode.GRANT_REDIRECT_MISMATCH, "another redirect URI than at the start")
    credentials = credentials_of(project, flow.config_id)
    identity = tokens.unpark(how.key, project.id, flow.id, flow.parked)
    return await settle(tx, how, flow, credentials, identity, crowded=crowded)


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
