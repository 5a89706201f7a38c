"""Rules for lock files: every package with its hash, no host's address, and nothing that disagrees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][\w.\-]*)==(?P<version>[^\s;\\]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
ADDRESS = re.compile(r"https?:|git\+|://|\bresolved\b|--(extra-)?index-url|--find-links|--trusted-host")


def blocks(text: str) -> Iterator[str]:
    """The requirements of a Python lock file, each with its continuation lines joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    yield from (line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#"))


def versions(text: str) -> dict[str, str]:
    """Name to version of every requirement; names are folded as PyPI does (PEP 503)."""
    found = (REQUIREMENT.match(block) for block in blocks(text))
    return {folded(match["name"]): match["version"] for match in found if match}


def folded(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def python_findings(text: str) -> Iterator[str]:
    """What is wrong with a Python lock file."""
    if ADDRESS.search(text):
        yield "names an address"
    for block in blocks(text):
        if not REQUIREMENT.match(block):
            yield f"does not pin: {block[:60]}"
        elif not HASH.search(block):
            yield f"has no hash: {block[:60]}"


def node_findings(text: str) -> Iterator[str]:
    """What is wrong with a lock file of npm."""
    if ADDRESS.search(text):
        yield "names an address"
    for place, entry in json.loads(text)["packages"].items():
        if place and not entry.get("link") and not str(entry.get("integrity", "")).startswith("sha"):
            yield f"has no hash: {place}"
