"""Where a browser may be sent: both vendors' rules, the tricks against them, and queries that stay in one line."""

import time
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneself.faults import Fault, FaultCode
from oneself.rules.redirects import is_registered, is_spelled, is_trusted, parse, with_query

REGISTERED = [
    "http://localhost:3000/authenticate",
    "https://app.example/cb?tenant=1",
    "https://www.shop.example/in",
    "https://plain.example",
    "myapp://callback",
    "not a url",
    "https://bad.example/#fragment",
    "javascript:alert(1)",
]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000/authenticate",
        "HTTP://LOCALHOST:3000/authenticate",
        "https://app.example/cb?tenant=1",
        "https://app.example:443/cb?tenant=1",
        "https://www.app.example/cb?tenant=1",
        "https://shop.example/in",
        "https://www.shop.example/in",
        "https://plain.example/",
        "https://plain.example:443",
        "myapp://callback",
        "MyApp://callback",
    ],
)
def test_a_registered_url_is_found_in_every_honest_spelling(url: str) -> None:
    assert is_registered(parse(url), REGISTERED)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000/authenticate/",
        "http://localhost:3000/authenticat",
        "http://localhost:3000/authenticate/x",
        "http://localhost:3000/Authenticate",
        "http://localhost:3000/%61uthenticate",
        "http://localhost:3000//authenticate",
        "http://localhost:3000/authenticate?x=1",
        "http://localhost:3000/authenticate?",
        "http://localhost:3001/authenticate",
        "http://localhost/authenticate",
        "https://localhost:3000/authenticate",
        "http://www.localhost:3000/authenticate",
        "http://127.0.0.1:3000/authenticate",
        "http://localhost.evil.example:3000/authenticate",
        "https://app.example/cb",
        "https://app.example/cb?tenant=2",
        "https://app.example/cb?tenant=1&tenant=2",
        "https://app.example/cb?Tenant=1",
        "https://app.example:8443/cb?tenant=1",
        "http://app.example:443/cb?tenant=1",
        "https://sub.app.example/cb?tenant=1",
        "https://www.www.app.example/cb?tenant=1",
        "https://app.example.evil.example/cb?tenant=1",
        "https://evil-app.example/cb?tenant=1",
        "https://wwwapp.example/cb?tenant=1",
        "https://bad.example/",
        "myapp://callback/",
        "myapp://Callback",
        "myapp:callback",
        "myapp2://callback",
        "myapp://callback?x",
    ],
)
def test_any_other_url_is_not_registered(url: str) -> None:
    assert not is_registered(parse(url), REGISTERED)


def test_nothing_registered_allows_nothing() -> None:
    assert not is_registered(parse("https://app.example/"), [])


def test_a_fragment_that_was_kept_counts() -> None:
    assert not is_registered(parse("https://plain.example/#x", "keep"), REGISTERED)


def trusted(url: str, *domains: str, local: bool = False, mobile: bool = True) -> bool:
    return is_trusted(parse(url), domains, allow_localhost=local, allow_mobile=mobile)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://trusted.example/any/path?q", "https://trusted.example"),
        ("https://trusted.example:443/", "https://trusted.example"),
        ("https://trusted.example/", "https://trusted.example:443/handler"),
        ("https://TRUSTED.example/", "HTTPS://trusted.EXAMPLE/"),
        ("http://trusted.example:8080/x", "http://trusted.example:8080"),
        ("http://[::1]:3000/", "http://[0::1]:3000"),
        ("http://stack-test.localhost/x", "http://stack-test.*"),
        ("http://stack-test.localhost/x", "http://*.localhost"),
        ("http://stack-test.localhost/x", "http://**.localhost"),
        ("https://a.b.app.example/", "https://**.app.example"),
        ("https://api-v2.app.example/", "https://api-*.app.example"),
        ("https://api-.app.example/", "https://api-*.app.example"),
        ("https://x.app.example/", "https://*.APP.example/handler"),
        ("http://api-1:8107/", "http://api-*:8107"),
        ("https://x.app.example:8443/", "https://*.app.example:8443"),
        ("https://x.app.example/", "https://*.app.example:443"),
        ("http://x.app.example:3001/", "http://*.app.example:*"),
        ("http://x.app.example:3001/", "http://*.app.example:30*"),
    ],
)
def test_a_url_on_a_trusted_domain_is_trusted(url: str, domain: str) -> None:
    assert trusted(url, "nonsense", domain)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://trusted.example.evil.example/", "https://trusted.example"),
        ("https://eviltrusted.example/", "https://trusted.example"),
        ("https://sub.trusted.example/", "https://trusted.example"),
        ("https://www.trusted.example/", "https://trusted.example"),
        ("http://trusted.example/", "https://trusted.example"),
        ("https://trusted.example:8443/", "https://trusted.example"),
        ("https://trusted.example/", "https://trusted.example:8443"),
        ("http://trusted.example:443/", "https://trusted.example"),
        ("https://trusted.example/", "trusted.example"),
        ("https://trusted.example/", ""),
        ("https://evil.example/", "https://trusted.example@evil.example"),
        # `*` never crosses a dot, and a dot is a dot
        ("http://stack-test.localhost/", "https://stack-test.*"),
        ("http://stack-test.localhost/", "http://api-*:8107"),
        ("https://a.b.app.example/", "https://*.app.example"),
        ("https://app.example/", "https://*.app.example"),
        ("https://app.example/", "https://**.app.example"),
        ("https://evilapp.example/", "https://*.app.example"),
        ("https://x.app.example.evil.example/", "https://*.app.example"),
        ("https://x-app-example/", "https://*.app.example"),
        ("https://xapp.example/", "https://**.app.example"),
        ("https://api-v2.evil.app.example/", "https://api-*.app.example"),
        ("https://evil.example/", "https://*.app.example/.evil.example"),
        # a pattern without a port stands for the default port
        ("https://x.app.example:8443/", "https://*.app.example"),
        ("https://x.app.example/", "https://*.app.example:8443"),
        ("http://x.app.example:4000/", "http://*.app.example:30*"),
        ("http://x.app.example/", "HTTP*://x.app.example"),
        # wildcards too wide name nothing
        ("https://evil.example/", "https://**"),
        ("https://evil.example/", "https://*.*"),
        ("https://evil.example/", "https://**.*"),
        ("https://evil/", "https://*"),
        ("https://evil.example:8443/", "https://**:*"),
        ("https://evil.example/", "**"),
        ("https://evil.example/", "*://evil.example"),
        ("https://evil.example/", "https://*@evil.example"),
    ],
)
def test_a_url_beside_a_trusted_domain_is_not_trusted(url: str, domain: str) -> None:
    assert not trusted(url, domain)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://localhost:3000/cb",
        "https://localhost:1/",
        "http://a.b.localhost:9/",
        "http://127.0.0.1:8000/",
        "http://127.9.9.9/",
    ],
)
def test_localhost_is_trusted_where_the_project_says_so(url: str) -> None:
    assert trusted(url, local=True)
    assert not trusted(url, local=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost.evil.example/",
        "http://evillocalhost/",
        "http://127.0.0.1.evil.example/",
        "http://127.evil.example/",
        "http://128.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "myapp://localhost",
    ],
)
def test_what_only_looks_like_localhost_is_not_trusted(url: str) -> None:
    assert trusted("http://localhost/", local=True)
    assert not trusted(url, local=True)


def test_stacks_mobile_scheme_and_no_other() -> None:
    assert trusted("stack-auth-mobile-oauth-url://success")
    assert not trusted("stack-auth-mobile-oauth-url://success", mobile=False)
    assert not trusted("stack-auth-mobile-oauth-url2://success")
    assert not trusted("myapp://success", "myapp://success")


def test_a_hostile_pattern_costs_no_time() -> None:
    pattern = "https://" + "*a**" * 1000 + "!"
    before = time.thread_time()
    assert not trusted("https://" + "a" * 60 + "." + "a" * 60, pattern)
    assert time.thread_time() - before < 2


@pytest.mark.parametrize(
    ("url", "pairs", "expected"),
    [
        ("https://a.example/", [("token", "x")], "https://a.example/?token=x"),
        ("https://a.example/?", [("token", "x")], "https://a.example/?token=x"),
        ("https://a.example/?a=%2F+b&&c", [("t", "x")], "https://a.example/?a=%2F+b&&c&t=x"),
        ("https://a.example/?a=1#frag?x", [("t", "x")], "https://a.example/?a=1&t=x#frag?x"),
        ("myapp://cb", [("t", "x"), ("u", "y")], "myapp://cb?t=x&u=y"),
        ("https://a.example/", [], "https://a.example/"),
        ("https://a.example/?a=1", [], "https://a.example/?a=1"),
        # form encoding as browsers do it
        ("https://a.example/", [("m", "a b~*-._é&=#")], "https://a.example/?m=a+b%7E*-._%C3%A9%26%3D%23"),
        ("https://a.example/", [("m", "a\r\nSet-Cookie: x")], "https://a.example/?m=a%0D%0ASet-Cookie%3A+x"),
        ("https://a.example/", [("m\r\n", "\ud800")], "https://a.example/?m%0D%0A=%3F"),
        # whoever chose the URL does not choose our answer as well
        ("https://a.example/?code=evil&a=1", [("code", "x")], "https://a.example/?a=1&code=x"),
        ("https://a.example/?c%6Fde=evil&code", [("code", "x")], "https://a.example/?code=x"),
        (
            "https://a.example/?state=s&CODE=1",
            [("code", "x"), ("state", "y")],
            "https://a.example/?CODE=1&code=x&state=y",
        ),
        ("https://a.example/", [("a", "1"), ("a", "2")], "https://a.example/?a=1&a=2"),
    ],
)
def test_pairs_are_appended_and_the_rest_stays(url: str, pairs: list[tuple[str, str]], expected: str) -> None:
    assert with_query(url, pairs) == expected


@pytest.mark.parametrize("bad", ["\r\n", "\n", "\t", " ", "\x00", "é", "\x7f", "\ud800"])
def test_a_url_that_could_break_a_header_is_refused(bad: str) -> None:
    with pytest.raises(Fault) as caught:
        with_query(f"https://a.example/{bad}", [("t", "x")])
    assert caught.value.code is FaultCode.REDIRECT_INVALID
    assert with_query("https://a.example/", [("t", bad)]).isascii()


pairs_of_text = st.lists(st.tuples(st.text(min_size=1), st.text()))


@given(pairs_of_text, pairs_of_text)
def test_any_pairs_come_back_and_the_result_is_one_line(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    first = with_query("https://a.example/cb", old)
    text = with_query(first, new)
    assert all("!" <= char <= "~" for char in text)
    names = {name for name, _ in new}
    kept = [pair for pair in old if pair[0] not in names]
    assert parse_qsl(urlsplit(text).query, keep_blank_values=True) == kept + new
    assert text.startswith("https://a.example/cb")


@pytest.mark.parametrize("text", ["javascript:alert(1)", "https://a.example/#x", "https://user@a.example/", "", "a"])
def test_a_text_that_is_no_url_is_not_in_a_list_that_holds_it(text: str) -> None:
    """Whatever a list holds: the same letters are enough only for what reads as a URL."""
    assert not is_spelled(text, [text])
    assert is_spelled("https://a.example/", [text, "https://a.example/"])
    assert not is_spelled("https://A.example/", [text, "https://a.example/"]), "that is for the reader"
