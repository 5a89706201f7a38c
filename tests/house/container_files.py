"""How the Dockerfile and compose.yaml are read, and what they must hold; no container engine is needed."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

LOOPBACK = re.compile(r"https?://(127\.0\.0\.1|localhost)\b")
ADDRESS = re.compile(r"\w+://")
INSTALLERS = re.compile(r"\b(curl|wget|apt-get|apk|git clone|npm|uv)\b")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<rest>[^}]*))?\}")


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, continuation lines joined; `stage` counts from 0."""

    word: str
    rest: str
    stage: int

    @property
    def listed(self) -> list[str]:
        """The arguments, whether written as a JSON list or as words."""
        text = self.rest.split("CMD", 1)[1].strip() if self.word == "HEALTHCHECK" else self.rest
        words: list[str] = json.loads(text) if text.startswith("[") else shlex.split(text)
        return words


def dockerfile(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    found: list[Instruction] = []
    stage = -1
    for line in re.sub(r"\\\n\s*", " ", plain).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            stage += word.upper() == "FROM"
            found.append(Instruction(word.upper(), rest.strip(), stage))
    return found


def last_stage(instructions: list[Instruction]) -> list[Instruction]:
    """The instructions that make the image itself."""
    final = instructions[-1].stage
    return [each for each in instructions if each.stage == final]


def environment(instructions: list[Instruction]) -> dict[str, str]:
    """The variables that the image sets."""
    pairs = [word for each in last_stage(instructions) if each.word == "ENV" for word in shlex.split(each.rest)]
    return dict(pair.split("=", 1) for pair in pairs)


def one(instructions: list[Instruction], word: str) -> Instruction:
    """The image's only instruction of this kind; the last one counts, as it does for the engine."""
    return [each for each in last_stage(instructions) if each.word == word][-1]


def install_findings(instructions: list[Instruction], locks: Collection[str]) -> Iterator[str]:
    """What is installed without a hash, or fetched from a place that a lock file does not pin."""
    for each in instructions:
        if each.word != "RUN":
            continue
        if ADDRESS.search(LOOPBACK.sub("", each.rest)):
            yield f"names an address: {each.rest}"
        if INSTALLERS.search(each.rest):
            yield f"fetches without a lock file: {each.rest}"
        for command in each.rest.split("&&"):
            words = shlex.split(command)
            if words[1:2] != ["install"] or not words[0].endswith("pip"):
                continue
            files = [after for before, after in pairwise(words) if before == "-r"]
            hashed = "--require-hashes" in words and files and set(files) <= set(locks)
            offline = {"--no-index", "--no-deps", "--no-build-isolation"} <= set(words)
            if not (hashed or offline):
                yield f"installs what no lock file pins: {command.strip()}"


def account_findings(instructions: list[Instruction]) -> Iterator[str]:
    """Whether the image runs as somebody who is not root, said as a number that engines can check."""
    users = [each.rest for each in last_stage(instructions) if each.word == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        yield f"runs as {users[-1] if users else 'root'}"


def copied(instructions: list[Instruction]) -> list[str]:
    """The files of the repository that are copied in."""
    plain = [each.rest.split() for each in instructions if each.word == "COPY" and "--from" not in each.rest]
    return [name for words in plain for name in words[:-1]]


def ignored(name: str, rules: str) -> bool:
    """Whether a .dockerignore keeps a top-level file out; later rules win, `!` lets in again."""
    out = False
    for rule in rules.splitlines():
        bare = rule.strip().lstrip("!").rstrip("/")
        if bare and not bare.startswith("#") and fnmatch.fnmatch(name, bare):
            out = not rule.startswith("!")
    return out


def interpolated(text: str, given: Mapping[str, str]) -> str:
    """A value of compose.yaml with its variables filled in; KeyError for a required one that is not given."""

    def fill(match: re.Match[str]) -> str:
        name, kind, rest = match["name"], match["kind"], match["rest"]
        return given.get(name) or rest if kind == "-" else given[name]

    return VARIABLE.sub(fill, text)


def unguarded(text: str) -> list[str]:
    """The variables that would silently be empty when nobody sets them."""
    return [match["name"] for match in VARIABLE.finditer(text) if match["kind"] is None]


def order(services: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Which service waits for which, and for what."""
    return {
        name: {other: rule["condition"] for other, rule in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
