"""One reading of all sources: what is wrong so far, where secrets lie in files of their own, and hints."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

FILE_SUFFIX = "_file"
_LARGEST_SECRET_BYTES = 65_536


class ConfigError(Exception):
    """The settings cannot be used; `problems` says why, a sentence or two each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that came from the environment: a text, whatever its setting's type is."""

    name: str
    text: str


@dataclass(slots=True)
class Reading:
    """One reading of all sources: which file it was, where its relative paths begin, and what is wrong."""

    origin: str
    folder: Path
    problems: list[str] = field(default_factory=list)

    def refuse(self, where: str, words: str) -> None:
        """Note a problem of the setting at `where` in the file."""
        self.problems.append(f"{self.origin}: `{where}` {words}")


def secret_file(file: Path, label: str, reading: Reading) -> str:
    """What a file with a secret holds, without blanks around it; a problem is noted under `label`."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_SECRET_BYTES + 1)
        if len(data) <= _LARGEST_SECRET_BYTES:
            return data.decode().strip()
        why = "is larger than any secret"
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        why = "is not UTF-8 text"
    reading.problems.append(f"{label} names {file}, which {why}. Check the path and its permissions.")
    return ""


def hint(name: str, known: Iterable[str]) -> str:
    """What was probably meant by a name that is not known."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean `{close[0]}`?" if close else " `oneself settings` lists all there are."
