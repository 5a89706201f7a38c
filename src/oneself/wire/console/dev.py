"""What the development page shows of its server: put together by whoever starts it, all of it in clear."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and a value: a key, a link, a provider's id and label."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """The first lines of one SDK."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class DevPage:
    """The project that the page signs people in to, its keys in clear, and what a developer copies.

    `project_id` is ours. `providers` are the project's names for its providers with their labels.
    `session_seconds` is how long somebody stays signed in on the page. `trust` says for each kind of client how it is
    made to trust the server's certificate, where that needs saying.
    """

    project_id: str
    project_name: str
    providers: tuple[Entry, ...]
    keys: tuple[Entry, ...]
    links: tuple[Entry, ...]
    snippets: tuple[Snippet, ...]
    session_seconds: int
    trust: tuple[Entry, ...] = ()
