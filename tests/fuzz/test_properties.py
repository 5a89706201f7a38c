"""The property-based run over both descriptions: valid keys, seeded ids, values as described.

Nothing is ever a fault of the server's; every success is as described; and every operation has both succeeded and
refused something for what it asks, or the table says why it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import stack_side, stytch_side
from tests.fuzz.conftest import SIDES, Budget, World
from tests.fuzz.described import Dialect, Operation
from tests.fuzz.drawing import Pool, requests
from tests.fuzz.impossible import NEVER_REFUSES, NEVER_SUCCEEDS
from tests.fuzz.people import PASSWORD, People, fresh_email
from tests.fuzz.sending import Answer, Sent
from tests.fuzz.sides import Side, nobodys
from tests.fuzz.standing import LOGIN_URL, PROVIDERS, RETURN_URL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROUNDS = 6


@dataclass
class Seen:
    """What one operation has done so far."""

    successes: int = 0
    refusals: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def pool_of(dialect: Dialect, ours: People, theirs: People) -> Pool:
    """Seeded texts: ids of people and of what is theirs in this project, in the other one, and of nobody."""
    found = Pool()
    for people in (ours, theirs):
        stage: stytch_side.Stage | stack_side.Stage = stytch_side.Stage(people)
        words = stytch_side.WORDS
        if dialect == "stack":
            stage, words = stack_side.Stage(people), stack_side.WORDS
        for name in words.keys() - {"password", "display_name"}:
            value = words[name](stage)
            if isinstance(value, str):
                found.setdefault(name, []).append(value)
    emails = [ours.person().email, theirs.person().email]
    for texts in found.values():
        texts.append(nobodys())
    shared = {
        "email": [fresh_email()],
        "email_address": [fresh_email(), *found["email"]],
        "primary_email": found["email"] + emails,
        "value": emails,
        "provider": [*PROVIDERS, "microsoft", "nope"],
        "provider_id": [*PROVIDERS, nobodys()],
        "provider_config_id": [*PROVIDERS, "microsoft", "nope"],
        "password": [PASSWORD, "x", "another password of mine"],
        "token": [nobodys(), "x" * 44],
        "login_redirect_url": [LOGIN_URL, f"{LOGIN_URL}?x=1", "https://evil.example/"],
        "signup_redirect_url": [LOGIN_URL, "https://evil.example/"],
        "redirect_uri": [RETURN_URL, "https://evil.example/"],
        "external_id": ["own|1", "own|2"],
        "phone_number": ["+12025550162", "12"],
        "filter_name": ["email_address", "nope"],
        "cursor": ["eA"],
        "creator_user_id": found["user_id"],
        "id": [*PROVIDERS, "nope"],
        "level": ["branch", "project", "environment", "nope"],
        "": [nobodys()],
    }
    for name, more in shared.items():
        found.setdefault(name, []).extend(more)
    return found


class Run:
    """The examples of one operation. A success spends the honest request, so the next one is made anew."""

    def __init__(self, world: World, side: Side, operation: Operation) -> None:
        self.world = world
        self.side = side
        self.operation = operation
        self.seen = Seen()
        self.honest = side.honest(world.ours, operation)
        self.callers = side.callers(world.ours, operation)

    def examples(self, budget: Budget, pool: Pool) -> Seen:
        """Try so many requests; and as many again, a few times, while the operation has not done both."""
        how = settings(
            max_examples=budget.examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        for again in range(ROUNDS):

            @seed(budget.seed * ROUNDS + again)
            @how
            @given(st.data())
            def run(data: st.DataObject) -> None:
                self.one(data.draw(requests(self.operation, self.honest, pool, self.callers)))

            run()
            if self.seen.problems or not _lacking((self.operation.dialect, self.operation.id), self.seen):
                break
        return self.seen

    def one(self, sent: Sent) -> None:
        """Send one request and note what came of it."""
        try:
            answer = self.world.ours.line.send(sent)
            if answer.status < 400:
                self._succeeded(sent, answer)
            else:
                self._refused(sent, answer)
        except AssertionError as wrong:
            self.seen.problems.append(f"{self.operation.id}: {sent.told()}\n    -> {wrong}"[:2000])

    def _succeeded(self, sent: Sent, answer: Answer) -> None:
        self.honest = self.side.honest(self.world.ours, self.operation)
        if answer.status == self.operation.success:
            self.seen.successes += 1
        if self.operation.response_schema is not None and answer.status == self.operation.success:
            wrong = self.operation.wrong_answers(self.side.success_body(self.operation, answer))
            assert not wrong, (answer.told(), wrong[:3])

    def _refused(self, sent: Sent, answer: Answer) -> None:
        name = self.side.refusal(self.operation, answer)
        if self.side.is_domain(name):
            self.seen.refusals.add(name)


def test_every_operation_succeeds_and_refuses_and_never_breaks(world: World, dialect: Dialect, budget: Budget) -> None:
    side = SIDES[dialect]
    problems: list[str] = []
    world.cleared()
    pool = pool_of(dialect, world.ours, world.theirs)
    for operation in world.descriptions[dialect].operations:
        seen = Run(world, side, operation).examples(budget, pool)
        problems += seen.problems[:5]
        problems += _lacking((dialect, operation.id), seen)
    assert not problems, "\n".join(problems)
    assert not world.server.tracebacks()


def _lacking(name: tuple[Dialect, str], seen: Seen) -> list[str]:
    """What an operation did not do although it can, or did although the table says that it cannot."""
    found = []
    if bool(seen.successes) == (name in NEVER_SUCCEEDS):
        found.append(f"{name}: {seen.successes} successes, and the table says {NEVER_SUCCEEDS.get(name, 'it can')!r}")
    if bool(seen.refusals) == (name in NEVER_REFUSES):
        told = sorted(seen.refusals) or "no refusal"
        found.append(f"{name}: {told}, and the table says {NEVER_REFUSES.get(name, 'it can')!r}")
    return found


def test_the_tables_name_only_what_is_published(world: World) -> None:
    published = {
        (description.dialect, operation.id)
        for description in world.descriptions.values()
        for operation in description.operations
    }
    assert NEVER_SUCCEEDS.keys() | NEVER_REFUSES.keys() <= published
