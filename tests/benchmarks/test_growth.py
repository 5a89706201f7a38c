"""The benchmark of growing: whom it writes down, what it says of them, and that it runs on both databases."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import msgspec
import pytest

from benchmarks.growth import BATCH, Grown, batches
from benchmarks.growth_table import row
from benchmarks.load import Sample
from benchmarks.operations import Operation
from benchmarks.people import known, personas
from benchmarks.picture import BARS, LABELS, bars
from tests.server_process import ROOT, environment


@pytest.mark.parametrize("users", [1_000, BATCH, BATCH + 1, 2 * BATCH + 7])
def test_every_user_is_written_once_and_the_regulars_stand_among_all(users: int) -> None:
    regulars = known(personas(10, "known"))
    written = list(batches(regulars, users))
    everybody = [person for batch in written for person in batch]
    assert len(everybody) == len({person.persona.email for person in everybody}) == users
    wanted = {person.user_id for person in regulars}
    assert sum(person.user_id in wanted for person in everybody) == len(regulars)
    assert all(any(person.user_id in wanted for person in batch) for batch in written)


def test_the_table_says_by_how_much_a_request_costs_more() -> None:
    async def once(_connection: object) -> None:
        return None

    few, many = Sample(1.0, 0.1, [0.001] * 100), Sample(1.0, 0.1, [0.002] * 50)
    said = row(Grown(Operation("anything", "Stack", once), [few], [many]))
    assert said == ("Stack: anything", "1,000", "2,000", "2.00", "1.0", "2.0", "2.00", "1.10 at most")


def test_the_picture_shows_each_ratio_beside_the_promised_one() -> None:
    drawn = ElementTree.fromstring(bars("a < b", [("one & two", 0.5), ("three", 2.0)], 1.0))  # noqa: S314 - our own text
    space = {"svg": "http://www.w3.org/2000/svg"}
    widths = [float(bar.attrib["width"]) for bar in drawn.findall("svg:rect[@class='bar']", space)]
    line = drawn.find("svg:line", space)
    assert widths == [BARS / 4, BARS]
    assert line is not None
    assert float(line.attrib["x1"]) == LABELS + BARS / 2
    assert drawn.findtext("svg:text", namespaces=space) == "a < b"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_command_measures_among_few_and_many(engine: str) -> None:
    command = [sys.executable, "-m", "benchmarks", "--growth", "--engine", engine, "--users", "1200", "--json"]
    command += ["--seconds", "0.2", "--rounds", "1", "--connections", "2", "--only", "Stack list"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = msgspec.json.decode(done.stdout)["engines"].values()
    assert found["users"] == 1200
    assert [each["operation"] for each in found["operations"]] == ["list links", "list users, first page"]
    assert all(each[side]["cpu_micros"] > 0 for each in found["operations"] for side in ("few", "many"))
