"""Tries spoiled requests one after the other and keeps count: what each was answered, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.fuzz.described import Operation
from tests.fuzz.ground import Watch
from tests.fuzz.impossible import RELAY_ANYTHING
from tests.fuzz.people import People
from tests.fuzz.sending import Answer, Hang, Sent
from tests.fuzz.sides import Side
from tests.fuzz.spoiling import Case

# What these refusals spend is part of the contract (a guessed verifier, a wrong redirect URI).
SPENDING = {
    "pkce_mismatch",
    "pkce_expected_code_verifier",
    "pkce_did_not_expect_code_verifier",
    "invalid_pkce_code_verifier",
}
SPENDING_WORDS = "Invalid redirect URI."
# A state is claimed by the first answer that fits it, so whatever is wrong with that answer ends the trip.
CALLBACKS = {"oauth_callback", "oauth_callback_form"}
MOST_PROBLEMS = 40


@dataclass
class Trial:
    """All that was tried on one server in one dialect, and what was wrong with the answers."""

    people: People
    side: Side
    watch: Watch
    problems: list[str] = field(default_factory=list)
    refused: int = 0
    taken: int = 0

    def spoiled(self, operation: Operation, honest: Sent, cases: Iterable[Case]) -> Sent:
        """Try every case on an honest request; gives the honest request that is still unspent.

        A success spends what the request was about, so another honest request takes its place.
        """
        self.watch.settle()
        for case in cases:
            if len(self.problems) >= MOST_PROBLEMS:
                break
            sent = case.spoil(honest)
            if self.one(operation, sent, case):
                honest = self.side.honest(self.people, operation)
                self.watch.settle()
        return honest

    def one(self, operation: Operation, sent: Sent, case: Case) -> bool:
        """Try one case; whether it spent what the request was about."""
        try:
            answer = self.people.line.send(sent)
        except (Hang, ConnectionError) as failed:
            self._tell(operation, case, sent, f"{type(failed).__name__}: {failed}")
            return False
        if answer.status < 400:
            self._succeeded(operation, sent, case, answer)
            return bool(self.watch.changes())
        return self._refused(operation, sent, case, answer)

    def honest(self, operation: Operation, sent: Sent) -> bool:
        """The honest twin: it succeeds as described. Whether it did."""
        answer = self.people.line.send(sent)
        wrong = f"{answer.told()}" if answer.status != operation.success else self._undescribed(operation, answer)
        if wrong:
            self.problems.append(f"{operation.id}: the honest twin {sent.told()}\n    -> {wrong}")
        return not wrong

    def _succeeded(self, operation: Operation, sent: Sent, case: Case, answer: Answer) -> None:
        self.taken += 1
        # What became a request of another operation may succeed as one of that.
        elsewhere = case.elsewhere and answer.status != operation.success
        if case.must_refuse and not elsewhere and (operation.dialect, operation.id) not in RELAY_ANYTHING:
            self._tell(operation, case, sent, f"was taken: {answer.told()}")
        elif not case.elsewhere:
            wrong = self._undescribed(operation, answer)
            if wrong:
                self._tell(operation, case, sent, wrong)

    def _undescribed(self, operation: Operation, answer: Answer) -> str:
        """What is wrong with the body of a success, if anything."""
        if operation.response_schema is None or answer.status != operation.success:
            return ""
        return "; ".join(operation.wrong_answers(self.side.success_body(operation, answer))[:3])

    def _refused(self, operation: Operation, sent: Sent, case: Case, answer: Answer) -> bool:
        self.refused += 1
        try:
            name = self.side.refusal(None if case.elsewhere else operation, answer)
        except (AssertionError, ValueError, KeyError) as wrong:
            self._tell(operation, case, sent, f"{answer.told()}\n    {wrong}")
            return bool(self.watch.changes())
        if name in SPENDING or name.startswith(SPENDING_WORDS):
            return True
        changes = self.watch.changes()
        if changes and operation.id in CALLBACKS and all(change[2:].startswith("flows ") for change in changes):
            return True
        if changes:
            self._tell(operation, case, sent, f"{answer.told()} changed:\n    " + "\n    ".join(changes[:5]))
        return False

    def _tell(self, operation: Operation, case: Case, sent: Sent, what: str) -> None:
        self.problems.append(f"{operation.id}: {case.label}: {sent.told()}\n    -> {what}"[:3000])
