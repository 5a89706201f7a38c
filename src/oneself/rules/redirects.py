"""Where a browser may be sent: URLs compared after parsing, never by prefix of text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from urllib.parse import quote_plus, unquote_plus

from oneself.faults import Fault, FaultCode
from oneself.rules.urls import DEFAULT_PORTS, Url, is_ipv4, parse, split_port

__all__ = ["STACK_MOBILE_SCHEME", "Url", "is_registered", "is_spelled", "is_trusted", "parse", "with_query"]

_VISIBLE = re.compile(r"[!-~]*")
_PLAIN = re.compile(r"[A-Za-z0-9_.*-]*")

STACK_MOBILE_SCHEME = "stack-auth-mobile-oauth-url"


def is_registered(url: Url, registered: Iterable[str]) -> bool:
    """Tell whether `url` is one of the `registered` URLs, path and query included (Stytch, URL validation).

    Scheme and host are compared without case, a default port equals none, and `www.` before a
    domain makes no difference; everything else is exact. A registered text that is no URL matches
    nothing.
    """
    wanted = _identity(url)
    return any(_identity(candidate) == wanted for candidate in _readable(registered))


def is_spelled(text: str, registered: Sequence[str]) -> bool:
    """Tell whether `text` is a `registered` URL letter by letter, so that it need not be read to be compared."""
    return text in registered and _read(text) is not None


def is_trusted(url: Url, domains: Iterable[str], *, allow_localhost: bool, allow_mobile: bool = True) -> bool:
    """Tell whether `url` lies on one of the trusted `domains` (Stack Auth, trusted redirect URLs).

    A domain is a base URL: scheme, host and effective port must be equal, the path is not compared.
    With `*` (any run without dots) or `**` (any run) in its host it is a pattern; without a port it
    then stands for the default port, and a port may be a pattern too. `allow_localhost` adds
    `localhost`, `*.localhost` and `127.x.x.x` on every port, `allow_mobile` the scheme of Stack's
    mobile SDKs. A domain that is unreadable, or a pattern that names nothing (`https://**`),
    matches nothing.
    """
    if url.scheme not in DEFAULT_PORTS:
        return allow_mobile and url.scheme == STACK_MOBILE_SCHEME
    if allow_localhost and _is_local(url.host):
        return True
    return any(_on_domain(url, domain) for domain in domains)


def with_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return `url` with `pairs` appended to its query, form-encoded as browsers do (WHATWG URL section 5.2).

    What was in the query stays, letter by letter, except parameters of the same names: whoever
    chose the URL must not choose our answer as well. A fragment stays behind the query.
    Fault(redirect_invalid) if `url` holds anything but visible ASCII, so that no value can break
    out of a header line.
    """
    if not _VISIBLE.fullmatch(url):
        raise Fault(FaultCode.REDIRECT_INVALID, "not visible ASCII")
    added = [(name, value) for name, value in pairs]
    names = {name for name, _ in added}
    base, hash_sign, fragment = url.partition("#")
    base, _, query = base.partition("?")
    kept = [part for part in query.split("&") if query and _name_of(part) not in names]
    kept += [f"{_form(name)}={_form(value)}" for name, value in added]
    return f"{base}{'?' if kept else ''}{'&'.join(kept)}{hash_sign}{fragment}"


def _identity(url: Url) -> tuple[str, str, int | None, str, str | None, str | None]:
    bare = url.host.removeprefix("www.")
    host = bare if "." in bare else url.host
    return url.scheme, host, url.port, url.path, url.query, url.fragment


def _readable(texts: Iterable[str]) -> Iterator[Url]:
    for text in texts:
        url = _read(text)
        if url is not None:
            yield url


@lru_cache(maxsize=4096)
def _read(registered: str) -> Url | None:
    """Read a URL of a project's list, or None. Remembered: a list is asked at every start, and seldom changes."""
    try:
        return parse(registered)
    except Fault:
        return None


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return host.startswith("127.") and is_ipv4(host)


def _on_domain(url: Url, domain: str) -> bool:
    if "*" in domain:
        return _on_pattern(url, domain)
    return any((base.scheme, base.host, base.port) == (url.scheme, url.host, url.port) for base in _readable([domain]))


def _on_pattern(url: Url, pattern: str) -> bool:
    scheme, separator, rest = pattern.partition("://")
    host, port = split_port(re.split(r"[/?#]", rest, maxsplit=1)[0].lower())
    if not separator or scheme != url.scheme or not host.strip("*.") or "@" in host:
        return False
    if not _glob(host, url.host):
        return False
    return url.port == DEFAULT_PORTS[url.scheme] if port is None else _glob(port, str(url.port))


def _glob(pattern: str, text: str) -> bool:
    """Match all of `text`, in time that a hostile pattern cannot raise above the product of the lengths."""
    tokens = re.findall(r"\*\*|.", pattern)
    places = _skipping(tokens, {0})
    for char in text:
        after = set()
        for place in places:
            token = tokens[place] if place < len(tokens) else ""
            if token == "**" or (token == "*" and char != "."):
                after.add(place)
            elif token == char:
                after.add(place + 1)
        places = _skipping(tokens, after)
    return len(tokens) in places


def _skipping(tokens: list[str], places: set[int]) -> set[int]:
    """Add the places behind each star: a run may be empty."""
    reached = set(places)
    for place in range(len(tokens)):
        if place in reached and tokens[place] in ("*", "**"):
            reached.add(place + 1)
    return reached


def _form(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return quote_plus(text, safe="*", errors="replace").replace("~", "%7E")


def _name_of(part: str) -> str:
    return unquote_plus(part.partition("=")[0])
