"""The strict reader held against a second one: Node's URL, which follows the standard that browsers follow."""

import json
import random
import subprocess
from typing import Any

import pytest

from oneself.faults import Fault
from oneself.rules.redirects import with_query
from oneself.rules.urls import parse
from tests import node_run

HREF = "t => { try { return new URL(t).href } catch { return null } }"
FORM = "pairs => new URLSearchParams(pairs).toString()"

HONEST_HOSTS = ("app.example", "APP.example", "localhost", "127.0.0.1", "[::1]", "a_b.c", "my--app.x", "a-.b", "-a.b")
ODD_HOSTS = (
    *("127.1", "0x7f.1", "a.0x1", "[0:0::ffff:1.2.3.4]", "[1::]", "[::1.2.3.4]", "a.b.", "a..b", "1.2.3", "a.1", ""),
    *("xn--bcher-kva.de", "xn--ls8h.la", "xn--fa-hia.de", "xn--a", "xn--abc-"),
)
HOSTS = HONEST_HOSTS + ODD_HOSTS
PLAIN = "abcXYZ019-._~%!$&'()*+,;=:@/?[]{}|^`\"<>"
ODD = PLAIN + "#éÜ漢𝒳 \\\t\n\u3002\uff0e\u212a\u200b\u00ad"


def in_node(function: str, values: list[Any]) -> list[Any]:
    read = "JSON.parse(require('fs').readFileSync(0))"
    script = f"console.log(JSON.stringify({read}.map({function})))"
    told = subprocess.run(
        [node_run.find(), "-e", script],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return list(json.loads(told.stdout))


def some_url(chance: random.Random) -> str:
    host = chance.choice(HOSTS)
    if chance.random() < 0.3:
        place = chance.randrange(len(host) + 1)
        host = host[:place] + chance.choice(ODD) + host[place:]
    letters = PLAIN if chance.random() < 0.8 else ODD
    tail = "".join(chance.choices(letters, k=chance.randrange(8)))
    start = chance.choice(["http://", "https://", "HTTP://", "https:/", "https:\\\\"])
    port = chance.choice(["", "", ":80", ":443", ":3000", ":65535", ":0443", ":", ":65536"])
    return start + host + port + chance.choice(["", "/", "/a/", "?", "/a?", "#"]) + tail


@pytest.mark.node
def test_what_we_read_a_browser_reads_as_the_same_url() -> None:
    chance = random.Random(20_260_101)
    ours: dict[str, str] = {}
    for _ in range(40_000):
        text = some_url(chance)
        try:
            ours[text] = str(parse(text, "keep"))
        except Fault:
            continue
    assert len(ours) > 5_000, "too few were read for the comparison to mean anything"
    theirs = in_node(HREF, list(ours))
    differ = [(text, mine, href) for (text, mine), href in zip(ours.items(), theirs, strict=True) if mine != href]
    # A browser also looks up the letters of an A-label in the tables of UTS 46, and then goes nowhere.
    assert [case for case in differ if case[2] is not None or "xn--" not in case[0].lower()] == []


@pytest.mark.node
def test_a_query_is_encoded_as_a_browser_encodes_it() -> None:
    chance = random.Random(7)
    pairs = [["".join(chance.choices(ODD + "\r\x00", k=5)) for _ in range(2)] for _ in range(5_000)]
    theirs = in_node(FORM, [[pair] for pair in pairs])
    for (name, value), text in zip(pairs, theirs, strict=True):
        assert with_query("https://app.example/", [(name, value)]) == f"https://app.example/?{text}"
