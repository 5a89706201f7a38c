"""Every operation that is published: whatever is wrong with a request, the refusal is typed and changes nothing.

Each operation begins with an honest request; every part of it is spoiled in turn, and since no refusal may spend
anything, the very same honest request succeeds in the end.
"""

from __future__ import annotations

import pytest

from tests.fuzz.conftest import SIDES, Budget, World
from tests.fuzz.described import Dialect
from tests.fuzz.impossible import NEVER_SUCCEEDS
from tests.fuzz.people import People
from tests.fuzz.spoiling import cases, sampled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def ids_of_every_kind(people: People) -> dict[str, str]:
    """One id of each kind that this project has."""
    signed_in = people.kept("signed_in", people.signed_in)
    keys = people.keys
    return {
        "user": signed_in.user_id,
        "session": signed_in.session_id,
        "registration": signed_in.registration_id,
        "project": keys.stytch_id,
        "public token": keys.public_token,
        "callback": keys.callback_id,
    }


def test_whatever_is_wrong_is_refused_in_the_dialects_own_form(world: World, dialect: Dialect, budget: Budget) -> None:
    trial, side = world.trial(dialect), SIDES[dialect]
    for operation in world.descriptions[dialect].operations:
        world.cleared()
        others = ids_of_every_kind(world.ours)
        honest = side.honest(world.ours, operation)
        every = cases(side, operation, honest, others)
        chosen = sampled(every, budget.cases, f"{budget.seed}/{world.engine}/{operation.id}")
        unspent = trial.spoiled(operation, honest, chosen)
        if (dialect, operation.id) not in NEVER_SUCCEEDS:
            trial.honest(operation, unspent)
    print(f"{dialect} on {world.engine}: {trial.refused} refused, {trial.taken} taken")
    assert not trial.problems, "\n".join(trial.problems)
    assert not world.server.tracebacks()
