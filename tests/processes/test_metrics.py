"""Prometheus' metrics: for whoever has the token, with labels that nobody's requests can multiply, over all workers."""

from __future__ import annotations

import os
import re
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ENGINES
from tests.postgres_server import Cluster
from tests.processes.fleet import Fleet, fleet
from tests.stack.wire import Answer, send

TOKEN = "7d1f0c6e9b3a4852a1c3e5f708192a3b4c5d6e7f"
USER_ROUTE = "/v1/users/{user_id}"
PATIENCE_SECONDS = 30.0

Numbers = dict[tuple[str, ...], float]


def scrape(made: Fleet, token: str = TOKEN, method: str = "GET") -> Answer:
    """What the endpoint answers."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return send(made.stytch().base_url, method, "/metrics", headers)


def numbers(made: Fleet) -> Numbers:
    """Every sample by its name and its labels' values, in the order of the labels' names."""
    answer = scrape(made)
    assert answer.status == 200, answer.text
    found: Numbers = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found[sample.name, *(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def until(made: Fleet, wanted: Callable[[Numbers], bool]) -> Numbers:
    """The numbers once they are as wanted: workers hear of each other's about once a second."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not wanted(found := numbers(made)):
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module", params=ENGINES)
def counted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Cluster, emulator: str
) -> Iterator[Fleet]:
    """One server that shows its metrics, on each engine."""
    folder = tmp_path_factory.mktemp("counted")
    name = postgres.create_database()
    url = f"sqlite:///{folder / 'oneself.sqlite3'}" if request.param == "sqlite" else postgres.url(name)
    with fleet(folder, url, emulator, 1, metrics_token=TOKEN) as made:
        yield made
    postgres.drop_database(name)


def test_only_the_token_opens_the_page(counted: Fleet) -> None:
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", "é"):
        refused = scrape(counted, wrong)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert b"oneself_" not in refused.raw
    assert scrape(counted).status == 200
    assert scrape(counted, method="HEAD").raw == b""
    assert scrape(counted, method="POST").status == 405
    assert send(counted.stytch().base_url, "GET", "/metrics/x").status == 404


def test_without_a_token_there_is_no_such_page(one: Fleet) -> None:
    assert scrape(one).status == scrape(one, "").status == 404


def test_requests_are_counted_by_route_and_not_by_path(counted: Fleet) -> None:
    stytch = counted.stytch()
    before = numbers(counted)
    for _ in range(7):
        stytch.call("GET", f"/users/user-test-{secrets.token_hex(8)}")
        send(stytch.base_url, "GET", f"/v1/{secrets.token_hex(8)}")
        send(stytch.base_url, "GET", f"/{secrets.token_hex(8)}")
        send(stytch.base_url, "PURGE", f"/v1/users/{secrets.token_hex(8)}")
    after = numbers(counted)
    new = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key)}
    requests = {key[1:]: count for key, count in new.items() if key[0] == "oneself_requests_total"}
    assert requests.pop(("console", "GET", "none", "404")) == 7
    assert sum(count for key, count in requests.items() if key[2] == USER_ROUTE) == 7
    assert sum(count for key, count in requests.items() if key[2] == "none") == 14
    assert {key[1] for key in requests} <= {"GET", "other"}
    assert new["oneself_request_seconds_count", "stytch", USER_ROUTE] == 7
    assert new["oneself_request_seconds_bucket", "stytch", "+Inf", USER_ROUTE] == 7


def test_refreshes_reads_statements_and_states_are_told(counted: Fleet) -> None:
    before = numbers(counted)
    stack = counted.stack()
    person, _ = stack.sign_in(counted.newcomer(), "github")
    for _ in range(3):
        path = f"/connected-accounts/{person.user_id}/github/access-token"
        assert stack.call("POST", path, {}, access="server").status == 201
    refused = stack.call("POST", path, {"scope": "repo"}, access="server")
    assert refused.status == 400
    after = numbers(counted)
    told = {key: after[key] - before.get(key, 0) for key in after}
    assert told["oneself_token_reads_total", "stored"] == 3
    assert told["oneself_token_reads_total", "scope_missing"] == 1
    assert told["oneself_statements_total",] >= 10
    assert told["oneself_commits_total",] >= 4
    assert after["oneself_workers",] == 1
    assert 1 <= after["oneself_database_connections", "open"] <= after["oneself_database_connections", "most"]
    for state in ("oneself_database_waiting", "oneself_refreshes_under_way", "oneself_passwords_waiting"):
        assert after[state,] == 0
    assert after["oneself_grants_to_hand_back",] == 0
    assert any(key[0] == "oneself_info" for key in after)


@pytest.mark.races
def test_workers_add_up_and_one_that_ended_is_not_forgotten(tmp_path: Path, postgres: Cluster, emulator: str) -> None:
    name = postgres.create_database()
    options = ("--workers", "3")
    with fleet(tmp_path, postgres.url(name), emulator, 1, options, metrics_token=TOKEN) as made:
        key = ("oneself_requests_total", "stytch", "GET", USER_ROUTE, "404")
        until(made, lambda found: found["oneself_workers",] == 3)
        for _ in range(60):
            made.stytch().call("GET", f"/users/{FOREIGN}")
        until(made, lambda found: found.get(key, 0) == 60)
        victim = int(re.findall(r"process (\d+) answers", made.logs())[0])
        os.kill(victim, signal.SIGTERM)
        until(made, lambda _: len(re.findall(r"process (\d+) answers", made.logs())) == 4)
        until(made, lambda found: found["oneself_workers",] == 3)
        # whoever answers, and as often as one asks: nothing that was counted is lost, and nothing counted twice
        for _ in range(12):
            assert numbers(made)[key] == 60
    postgres.drop_database(name)


FOREIGN = "user-test-00000000-0000-4000-8000-000000000000"
