"""The second half of a sign-in: what waited for a time-based one-time password goes on when it comes."""

from dataclasses import dataclass, field

from oneself.actions.runtime import Runtime, credentials_of, post_of, provider_name
from oneself.crypto.seal import DataKey
from oneself.faults import Fault, FaultCode
from oneself.model import Flow, Noun, Project, Secret, Session, UserView
from oneself.steps import codes, second_factor, tokens
from oneself.steps.mailing import Post
from oneself.steps.recording import Deed, record
from oneself.steps.redeeming import Redeeming, settle
from oneself.steps.second_factor import Attempt, Door
from oneself.steps.sessions import SessionWish, open_session
from oneself.store import users, views
from oneself.store.database import Tx
from oneself.store.retrying import Again


class SecondFactor(Noun, frozen=True, kw_only=True):
    """What is brought: the code of the sign-in that waits, and the password of this half minute."""

    code: Secret
    password: Secret
    session: SessionWish


@dataclass(frozen=True, slots=True)
class Passed:
    """Who is in now, and the session opened for them."""

    view: UserView
    session: Session
    token: Secret = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Work:
    """What one try of the transaction needs beside the transaction."""

    rt: Runtime
    project: Project
    key: DataKey = field(repr=False)
    post: Post | None
    wanted: SecondFactor


async def sign_in(rt: Runtime, project: Project, wanted: SecondFactor) -> Passed:
    """Check the second factor and finish what waits for it, a link that a provider proved included: one commit.

    A wrong password is counted, and five of them end the attempt; a right one works once, even within its half minute.
    Raises Fault(CODE_UNKNOWN), Fault(CODE_EXPIRED) also where the user's ways in have changed since, Fault(CODE_USED),
    Fault(CODE_WORN), Fault(SECOND_FACTOR_WRONG), Fault(USER_UNAVAILABLE), and for a trip every refusal of its redeem.
    """
    key = await rt.projects.data_key(project.id)
    how = _Work(rt, project, key, await post_of(rt, project), wanted)

    async def work(tx: Tx) -> Passed | Fault:
        return await _transact(tx, how)

    ended = await rt.db.write(work)
    if isinstance(ended, Fault):
        raise ended
    return ended


async def _transact(tx: Tx, how: _Work) -> Passed | Fault:
    door = Door(how.project.id, how.key, how.rt.random)
    user_id, attempt, epoch = await second_factor.begin(tx, door, how.wanted.code)
    view = await views.read(tx, how.project.id, user_id)
    if view is None:
        raise Fault(FaultCode.CODE_UNKNOWN, "its user is gone")
    if view.user.status == "disabled":
        raise Fault(FaultCode.USER_UNAVAILABLE, "the user is disabled")
    if view.user.security_epoch != epoch:
        raise Fault(FaultCode.CODE_EXPIRED, "the user's ways in have changed since")
    user = second_factor.checked(door, view.user, how.wanted.password.reveal(), tx.now)
    if user is None:
        # as a value: the try stays counted
        return Fault(FaultCode.SECOND_FACTOR_WRONG, "not the password of this moment, or used already")
    if not await users.take(tx, how.project.id, user_id, view.user.version, tx.now):
        raise Again("the user moved since it was read")
    await users.update(tx, how.project.id, user)
    await codes.spend(tx, how.project.id, "second_factor", how.wanted.code)
    if attempt.flow is not None:
        return await _finished_trip(tx, how, user_id, attempt.flow)
    return await _opened(tx, how, view, attempt, view.user.version + 1)


async def _opened(tx: Tx, how: _Work, view: UserView, attempt: Attempt, version: int) -> Passed:
    assert attempt.factor is not None
    wish = how.wanted.session
    session, token = await open_session(tx, how.project.id, view.user.id, wish, attempt.factor, how.rt.random)
    deed = Deed(
        action="second_factor.sign_in", decision="SignIn", reason="second_factor", actor="self", dialect=wish.kind
    )
    await record(tx, how.project.id, view.user.id, version, deed, how.rt.random)
    return Passed(view, session, token)


async def _finished_trip(tx: Tx, how: _Work, user_id: str, flow: Flow) -> Passed | Fault:
    """The redeem of the trip, on the facts of now, as if it came only now."""
    redeeming = Redeeming(
        project=how.project,
        key=how.key,
        random=how.rt.random,
        reached=how.rt.reached,
        session=how.wanted.session,
        verb="second_factor",
        asks_second_factor=True,
        passed=user_id,
        post=how.post,
        label=provider_name,
    )
    identity = tokens.unpark(how.key, how.project.id, flow.id, flow.parked)
    credentials = credentials_of(how.project, flow.config_id)
    ended = await settle(tx, redeeming, flow, credentials, identity, crowded=True)
    if isinstance(ended, Fault):
        return ended
    assert ended.session is not None
    assert ended.session_token is not None
    return Passed(ended.view, ended.session, ended.session_token)
