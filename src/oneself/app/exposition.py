"""Numbers as Prometheus reads them: each metric with its name, meaning and labels, in its client's own format."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from oneself.app.gauges import Gauges
from oneself.steps.numbers import SECONDS, Durations, Numbers

GAUGES: Mapping[str, tuple[str, str]] = {
    "oneself_workers": ("Processes that serve.", ""),
    "oneself_database_connections": ("Connections to the database, by state; most is what may be open.", "state"),
    "oneself_database_waiting": ("Callers that wait for a connection or for SQLite's writer.", ""),
    "oneself_refreshes_under_way": ("Refreshes of provider tokens that this server is making or waits for.", ""),
    "oneself_provider_calls": ("Calls to providers: under way, or waiting for a place.", "state"),
    "oneself_passwords_waiting": ("Passwords that are being hashed or wait for it.", ""),
    "oneself_grants_to_hand_back": ("Grants of unlinked accounts that the providers still have to end.", ""),
}
"""Each gauge's meaning and its one label, if it has any."""


class _Page(Collector):
    def __init__(self, numbers: Numbers, gauges: Gauges, about: Mapping[str, str]) -> None:
        self._numbers = numbers
        self._gauges = gauges
        self._about = about

    def collect(self) -> Iterable[Metric]:
        """Every metric, whether anything was counted yet or not."""
        numbers = self._numbers
        about = GaugeMetricFamily("oneself_info", "What serves here.", labels=list(self._about))
        about.add_metric(list(self._about.values()), 1)
        yield about
        yield _counter(
            "oneself_requests", "Requests that were answered.", "face method route status", numbers.requests.items()
        )
        yield _durations(numbers.durations)
        reads = (((outcome,), count) for outcome, count in numbers.reads.items())
        yield _counter("oneself_token_reads", "Reads of provider tokens, by outcome.", "outcome", reads)
        yield _counter(
            "oneself_refreshes", "Refreshes of provider tokens.", "provider outcome", numbers.refreshes.items()
        )
        failures = (((work,), count) for work, count in numbers.failures.items())
        yield _counter("oneself_background_failures", "Background work that did not succeed.", "work", failures)
        yield _counter("oneself_statements", "Statements to the database.", "", [((), numbers.statements)])
        yield _counter("oneself_commits", "Commits of the database.", "", [((), numbers.commits)])
        yield from self._states()

    def _states(self) -> Iterable[Metric]:
        for name, (meaning, label) in GAUGES.items():
            family = GaugeMetricFamily(name, meaning, labels=[label] if label else [])
            for (named, state), value in self._gauges.items():
                if named == name:
                    family.add_metric([state] if label else [], value)
            yield family


def _counter(name: str, meaning: str, labels: str, counts: Iterable[tuple[tuple[object, ...], int]]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=labels.split())
    for values, count in counts:
        family.add_metric([str(value) for value in values], count)
    return family


def _durations(durations: Mapping[tuple[str, str], Durations]) -> Metric:
    family = HistogramMetricFamily(
        "oneself_request_seconds",
        "How long requests took, from their first byte here to the last of their answer.",
        labels=["face", "route"],
    )
    bounds = [*map(str, SECONDS), "+Inf"]
    for place, one in durations.items():
        below = [sum(one.counts[: end + 1]) for end in range(len(one.counts))]
        family.add_metric(list(place), list(zip(bounds, map(float, below), strict=True)), one.total)
    return family


def page(numbers: Numbers, gauges: Gauges, about: Mapping[str, str], accept: str) -> tuple[bytes, str]:
    """The page for a client that takes `accept`, and its content type: OpenMetrics where it asks for that."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(_Page(numbers, gauges, about))
    return encode(registry), content_type
