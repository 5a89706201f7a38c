"""One strict reader of URLs: what browsers and servers read alike passes, all else is refused.

Refused is what two parsers are known to read differently: userinfo, backslashes, tabs and other white space, control
and format characters, dot segments, hosts that are percent-encoded, not ASCII, end in a dot, or spell an address in
another notation than the usual one. Where the reader normalises, it does so as the WHATWG URL standard (section 4.4):
lower-case scheme and host, default ports, `/` for an empty path, other characters than ASCII percent-encoded.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, NoReturn
from urllib.parse import quote

from oneself.faults import Fault, FaultCode

MAX_URL = 4_096
"""Characters of the longest URL that is read."""

DEFAULT_PORTS = {"http": 80, "https": 443}

# Schemes that a browser runs, reads or opens itself: never an app to return to, even where registered.
_NEVER = frozenset(
    {
        *("about", "blob", "chrome", "data", "file", "filesystem", "ftp", "intent", "jar", "javascript"),
        *("mailto", "resource", "sms", "tel", "vbscript", "view-source", "ws", "wss"),
    }
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_DOT_SEGMENT = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
# What the WHATWG standard (section 1.3) leaves as it is in each part of a special URL; all else is percent-encoded.
# `%` stays, so that nothing is encoded twice.
_KEPT_IN_PATH = "!$%&'()*+,-./:;=@[]^_|~"
_KEPT_IN_QUERY = "!$%&()*+,-./:;=?@[]^_`{|}~"
_KEPT_IN_FRAGMENT = "!#$%&'()*+,-./:;=?@[]^_{|}~"


@dataclass(frozen=True, slots=True)
class Url:
    """A URL that was read strictly; `str()` gives its normal form: ASCII, fit for a Location header.

    Of a custom scheme (`myapp://callback`) the whole text up to the query is the path, host is
    empty and port None; the host of an http or https URL is lower-case, an IPv6 address in
    brackets, and the port is the effective one.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    query: str | None
    fragment: str | None

    def __str__(self) -> str:
        default = self.port is None or self.port == DEFAULT_PORTS[self.scheme]
        port = "" if default else f":{self.port}"
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.scheme}:{'//' if self.host else ''}{self.host}{port}{self.path}{query}{fragment}"


def parse(text: str, fragment: Literal["refuse", "drop", "keep"] = "refuse") -> Url:
    """Read an absolute http, https or custom-scheme URL; Fault(redirect_invalid) with its reason for any other.

    `fragment` says what a `#` part means: an error, nothing (it is cut off), or a part of the URL.
    A custom scheme that a browser handles itself (`javascript`, `data`, `file`, ...) is refused.
    """
    if not 0 < len(text) <= MAX_URL or not text.isprintable() or " " in text or "\\" in text:
        _invalid("empty, too long, or with a character that has no place in a URL")
    found = _SCHEME.match(text)
    if found is None:
        _invalid("not an absolute URL")
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme in _NEVER:
        _invalid("a scheme that is no app to return to")
    rest, hash_sign, after_hash = rest.partition("#")
    if hash_sign and fragment == "refuse":
        _invalid("with a fragment")
    before_query, question_mark, query = rest.partition("?")
    host, port, path = _hierarchy(scheme, before_query)
    return Url(
        scheme=scheme,
        host=host,
        port=port,
        path=quote(path, safe=_KEPT_IN_PATH),
        query=quote(query, safe=_KEPT_IN_QUERY) if question_mark else None,
        fragment=quote(after_hash, safe=_KEPT_IN_FRAGMENT) if hash_sign and fragment == "keep" else None,
    )


def is_ipv4(host: str) -> bool:
    """Tell whether the host of a `Url` is an IPv4 address."""
    return _NUMERIC_END.fullmatch(host) is not None


def split_port(authority: str) -> tuple[str, str | None]:
    """Part `host:port`, the colons inside brackets aside; None where there is no colon."""
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon and "]" not in port else (authority, None)


def _hierarchy(scheme: str, text: str) -> tuple[str, int | None, str]:
    """Read what stands between scheme and query: host, effective port, path."""
    if scheme not in DEFAULT_PORTS:
        authority = text[2:].partition("/")[0] if text.startswith("//") else ""
        if not text.strip("/") or "@" in authority:
            _invalid("a custom scheme with nothing behind it, or with userinfo")
        return "", None, text
    if not text.startswith("//"):
        _invalid("without // before the host")
    authority, slash, path = text[2:].partition("/")
    if any(_DOT_SEGMENT.fullmatch(segment) for segment in path.split("/")):
        _invalid("with dot segments")
    host, port = _authority(authority)
    return host, port or DEFAULT_PORTS[scheme], f"/{path}" if slash else "/"


def _authority(text: str) -> tuple[str, int | None]:
    # Before lower(): it turns the Kelvin sign into a plain k, and there are more of its kind.
    if not text.isascii():
        _invalid("with a host that is not ASCII; an international name is registered in its xn-- form")
    host, port = split_port(text.lower())
    if port is not None and (not _PORT.fullmatch(port) or int(port) > 65_535):
        _invalid("with an unusual port")
    if host.startswith("["):
        return _ipv6(host), int(port) if port else None
    if _NUMERIC_END.fullmatch(host):
        _ipv4(host)
    elif len(host) > 253 or not all(_is_label(label) for label in host.split(".")):
        _invalid("with an unusual host")
    return host, int(port) if port else None


def _ipv4(host: str) -> None:
    try:
        IPv4Address(host)
    except ValueError:
        _invalid("with an address in an unusual notation")


def _ipv6(host: str) -> str:
    try:
        address = IPv6Address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        _invalid("with an address in an unusual notation")
    if address.scope_id is not None or not host.endswith("]"):
        _invalid("with an address in an unusual notation")
    return f"[{_compressed(address)}]"


def _compressed(address: IPv6Address) -> str:
    # Newer Pythons write mapped addresses with dots, the WHATWG standard never does.
    mapped = address.ipv4_mapped
    return f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}" if mapped else address.compressed


def _is_label(label: str) -> bool:
    """Tell whether this is a plain label, or an A-label (RFC 5891) in the one Punycode that spells it."""
    if not _LABEL.fullmatch(label):
        return False
    if not label.startswith("xn--"):
        return True
    try:
        decoded = label[4:].encode().decode("punycode")
        return not decoded.isascii() and decoded.encode("punycode") == label[4:].encode()
    except ValueError:
        return False


def _invalid(detail: str) -> NoReturn:
    raise Fault(FaultCode.REDIRECT_INVALID, detail)
