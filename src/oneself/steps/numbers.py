"""What one process counts while it works: requests, reads of provider tokens, refreshes; labels from closed lists only.

Plain numbers on the event loop's thread: counting costs a look into a dict. `app` adds up processes and shows them.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

K = TypeVar("K")

# Upper bounds of a duration's classes, in seconds; what took longer is in the last class.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

ELSEWHERE = "none"
"""The route of a request that no route matched: a label must not grow with what strangers ask for."""


class Durations(msgspec.Struct):
    """How many took how long: one count for each class of SECONDS and one for longer ones, and all seconds together."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds


class Numbers(msgspec.Struct):
    """Counters since the process began. `requests` by face, method, route and status, `durations` by face and route,
    `reads` of provider tokens by outcome, `refreshes` by provider and outcome, `failures` of background work by its
    name; `statements` and `commits` of the database.
    """

    requests: dict[tuple[str, str, str, int], int] = msgspec.field(default_factory=dict)
    durations: dict[tuple[str, str], Durations] = msgspec.field(default_factory=dict)
    reads: dict[str, int] = msgspec.field(default_factory=dict)
    refreshes: dict[tuple[str, str], int] = msgspec.field(default_factory=dict)
    failures: dict[str, int] = msgspec.field(default_factory=dict)
    statements: int = 0
    commits: int = 0

    def face(self, face: str) -> Callable[[str, str, int, float], None]:
        """What counts one face's answers: by method, route, status, and the seconds that each took.

        The route is a template of ours, empty where none matched, and never the path that somebody asked for.
        """

        def answered(method: str, route: str, status: int, seconds: float) -> None:
            self._answered(face, method, route or ELSEWHERE, status, seconds)

        return answered

    def _answered(self, face: str, method: str, route: str, status: int, seconds: float) -> None:
        key = (face, method, route, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        place = (face, route)
        durations = self.durations.get(place)
        if durations is None:
            durations = self.durations[place] = Durations()
        durations.add(seconds)

    def read(self, outcome: str) -> None:
        """Count a read of a provider token: `stored`, `refreshed`, or a fault's code."""
        self.reads[outcome] = self.reads.get(outcome, 0) + 1

    def refreshed(self, provider: str, outcome: str) -> None:
        """Count what came of a refresh; `provider` is the provider's own id, not what a project calls it."""
        key = (provider, outcome)
        self.refreshes[key] = self.refreshes.get(key, 0) + 1

    def failed(self, work: str) -> None:
        """Count a piece of background work that did not succeed."""
        self.failures[work] = self.failures.get(work, 0) + 1

    def add(self, other: "Numbers") -> None:
        """Add another process's numbers to these."""
        _add(self.requests, other.requests)
        _add(self.reads, other.reads)
        _add(self.refreshes, other.refreshes)
        _add(self.failures, other.failures)
        self.statements += other.statements
        self.commits += other.commits
        for place, theirs in other.durations.items():
            ours = self.durations.setdefault(place, Durations())
            ours.counts = [sum(pair) for pair in zip(ours.counts, theirs.counts, strict=True)]
            ours.total += theirs.total


def _add(ours: dict[K, int], theirs: Mapping[K, int]) -> None:
    for key, count in theirs.items():
        ours[key] = ours.get(key, 0) + count
