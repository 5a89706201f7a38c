"""The strict reader: honest URLs in their normal form, and each trick refused beside its honest twin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneself.faults import Fault, FaultCode
from oneself.rules.urls import MAX_URL, is_ipv4, parse


def refused(text: str) -> Fault:
    with pytest.raises(Fault) as caught:
        parse(text)
    assert caught.value.code is FaultCode.REDIRECT_INVALID
    return caught.value


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://app.example/cb", "https://app.example/cb"),
        ("HTTPS://App.Example/Cb", "https://app.example/Cb"),
        ("https://app.example", "https://app.example/"),
        ("https://app.example?a=b", "https://app.example/?a=b"),
        ("https://app.example:443/cb", "https://app.example/cb"),
        ("http://app.example:80/cb", "http://app.example/cb"),
        ("http://app.example:443/cb", "http://app.example:443/cb"),
        ("http://localhost:3000/authenticate", "http://localhost:3000/authenticate"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("http://[::1]:3000/x", "http://[::1]:3000/x"),
        ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]/"),
        ("http://[::FFFF:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://a_b.example/", "https://a_b.example/"),
        ("https://pr--7-.-x.example/", "https://pr--7-.-x.example/"),  # WHATWG: CheckHyphens is false
        ("https://app.example/über?q=ü", "https://app.example/%C3%BCber?q=%C3%BC"),
        ("https://app.example/%C3%BC%2F?q=%zz&r=a+b", "https://app.example/%C3%BC%2F?q=%zz&r=a+b"),
        ('https://app.example/<a>"?<', "https://app.example/%3Ca%3E%22?%3C"),
        ("https://app.example/a//b;c=d/...", "https://app.example/a//b;c=d/..."),
        ("https://app.example/?", "https://app.example/?"),
        ("https://app.example/?a=?b=/../", "https://app.example/?a=?b=/../"),
        ("https://app.example/@user", "https://app.example/@user"),
        ("myapp://callback?x=1", "myapp://callback?x=1"),
        ("COM.Example.App:/oauth", "com.example.app:/oauth"),
        ("myapp:callback", "myapp:callback"),
    ],
)
def test_honest_urls_are_read_and_normalised(text: str, normal: str) -> None:
    url = parse(text)
    assert str(url) == normal
    assert parse(normal) == url


TWIN = "https://app.example/cb"


@pytest.mark.parametrize(
    "trick",
    [
        # userinfo
        "https://app.example@evil.example/cb",
        "https://user:pass@app.example/cb",
        "https://@app.example/cb",
        "https://app.example%40evil.example/cb",
        "myapp://user@callback",
        # backslashes
        "https://app.example\\@evil.example/cb",
        "https:\\\\app.example/cb",
        "https://evil.example\\.app.example/cb",
        "https://app.example/cb\\..\\x",
        # fragments
        "https://app.example/cb#",
        "https://app.example/cb#x",
        "https://evil.example#.app.example/cb",
        "https://evil.example#@app.example/cb",
        # white space, control and format characters, anywhere
        "https://app.example/c\tb",
        "https://app.example/c\nb",
        "https://app.example/cb\r\nSet-Cookie: a=b",
        "ht\ntps://app.example/cb",
        "https://app.exa\tmple/cb",
        " https://app.example/cb",
        "https://app.example/cb ",
        "https://app.example/c b",
        "https://app.example/cb\x00",
        "https://app.example/cb\x7f",
        "https://app.example/\u00a0",
        "https://app.example/\u2028",
        "https://app.example/\u202e",
        "https://app.example/\u200b",
        "\ufeffhttps://app.example/cb",
        "https://app.example/\ud800",
        # hosts in another spelling
        "https://app.example./cb",
        "https://.app.example/cb",
        "https://app..example/cb",
        "https://app%2eexample/cb",
        "https://%61pp.example/cb",
        "https://ａpp.example/cb",
        "https://app。example/cb",
        "https://bücher.example/cb",
        "https://аpp.example/cb",  # a Cyrillic a
        "https://bücher.xn--bcher-kva.example/cb",
        "https://\u212aelvin.example/cb",  # the Kelvin sign, whose lower case is a plain k
        "https://xn--app-.example/cb",  # Punycode for what needs none
        "https://xn--.example/cb",
        "https://xn--a-\udcff.example/cb",
        "https://xn--99999999999.example/cb",
        "https://app.exam!ple/cb",
        "https://app.example,evil.example/cb",
        "https://app.example;evil.example/cb",
        "https://*.example/cb",
        "https://" + "a" * 64 + ".example/cb",
        "https://" + "a." * 127 + "example/cb",
        "https:///cb",
        "https://",
        "https://?a=b",
        # addresses in another notation
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://0x7f000001/cb",
        "http://0x7f.0.0.1/cb",
        "http://0177.0.0.1/cb",
        "http://127.0.0.1./cb",
        "http://127.0.0.256/cb",
        "http://127.0.0.1.1/cb",
        "http://1.2.3.0x/cb",
        "http://app.example.1/cb",
        "http://[::1/cb",
        "http://::1/cb",
        "http://[::1]x/cb",
        "http://[fe80::1%25eth0]/cb",
        "http://[fe80::1%eth0]/cb",
        "http://[127.0.0.1]/cb",
        "http://[]/cb",
        # ports
        "https://app.example:/cb",
        "https://app.example:0/cb",
        "https://app.example:0443/cb",
        "https://app.example:65536/cb",
        "https://app.example:443:80/cb",
        "https://app.example:-1/cb",
        "https://app.example:+443/cb",
        "https://app.example:４４３/cb",
        "https://app.example:4e2/cb",
        # dot segments
        "https://app.example/cb/../admin",
        "https://app.example/./cb",
        "https://app.example/cb/..",
        "https://app.example/cb/%2e%2E/admin",
        "https://app.example/cb/.%2e/admin",
        # not absolute, or not with two slashes
        "",
        "app.example/cb",
        "//app.example/cb",
        "/cb",
        "https:app.example/cb",
        "https:/app.example/cb",
        "https:///app.example/cb",
        "://app.example",
        "1app://cb",
        "myapp:",
        "myapp://",
        # schemes that a browser handles itself
        "javascript:alert(1)",
        "JavaScript://app.example/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example/x",
        "view-source:https://app.example/",
        "ftp://app.example/",
        "ws://app.example/",
        "about:blank",
        "intent://x",
        # too long
        TWIN + "a" * MAX_URL,
    ],
)
def test_tricks_are_refused_and_their_honest_twin_is_not(trick: str) -> None:
    assert refused(trick).detail
    assert str(parse(TWIN)) == TWIN


@pytest.mark.parametrize(
    ("text", "dropped", "kept"),
    [
        ("https://app.example/cb#x?y", "https://app.example/cb", "https://app.example/cb#x?y"),
        ("https://app.example/cb?a#", "https://app.example/cb?a", "https://app.example/cb?a#"),
        ("https://evil.example#.app.example/", "https://evil.example/", "https://evil.example/#.app.example/"),
        ("myapp://cb#ü", "myapp://cb", "myapp://cb#%C3%BC"),
    ],
)
def test_a_fragment_is_dropped_or_kept_where_the_caller_says_so(text: str, dropped: str, kept: str) -> None:
    assert str(parse(text, "drop")) == dropped
    assert str(parse(text, "keep")) == kept


def test_an_address_is_told_from_a_name() -> None:
    assert is_ipv4(parse("http://127.0.0.1/").host)
    assert not is_ipv4(parse("http://127.0.0.1.example/").host)
    assert not is_ipv4(parse("http://[::1]/").host)


@given(st.text() | st.text("htps:/\\@#?%.:[]0123456789xnabc-_ é\t\n").map(lambda tail: "https://" + tail))
def test_garbage_raises_only_the_fault_and_the_rest_is_stable_ascii(text: str) -> None:
    try:
        url = parse(text, "keep")
    except Fault as fault:
        assert fault.code is FaultCode.REDIRECT_INVALID
        return
    normal = str(url)
    assert normal.isascii()
    assert normal.isprintable()
    assert " " not in normal
    assert parse(normal, "keep") == url
