"""Redirects, hosts and parsing: what a request says of where it is, which page sent it, and how it is written.

Each attack stands beside its honest twin.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.fuzz.conftest import World
from tests.fuzz.people import claims_of, fresh_email
from tests.fuzz.sending import Answer, Encoded, Line, Sent
from tests.fuzz.standing import APP, LOGIN_URL, RETURN_URL

EVIL = "evil.example"

# --- hosts ------------------------------------------------------------------------------------------------

PRETENCES: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "another host": {"host": EVIL},
    "a host with our name inside": {"host": f"localhost.{EVIL}"},
    "a host with a user": {"host": f"localhost@{EVIL}"},
    "no host": {"host": ""},
    "forwarded host": {"x-forwarded-host": EVIL, "x-forwarded-proto": "https", "x-forwarded-port": "443"},
    "forwarded": {"forwarded": f"for=1.2.3.4;host={EVIL};proto=https"},
    "original": {"x-original-url": "/v1/users", "x-rewrite-url": "/v1/users", "x-forwarded-prefix": "/x"},
    "from elsewhere": {"x-forwarded-for": "1.2.3.4", "x-real-ip": "1.2.3.4", "cf-connecting-ip": "1.2.3.4"},
}


@pytest.mark.parametrize("pretence", PRETENCES)
def test_no_header_says_where_this_server_is(world: World, pretence: str) -> None:
    headers = dict(PRETENCES[pretence])
    base, people, line = world.server.base_url, world.ours, world.ours.line
    query = (("public_token", people.keys.public_token),)
    away = line.send(Sent("GET", "/v1/public/oauth/google/start", query=query, headers=headers))
    assert dict(parse_qsl(urlsplit(away.location).query))["redirect_uri"].startswith(f"{base}/v1/oauth/callback/")
    assert all("domain" not in cookie.lower() for cookie in away.cookies)
    away = line.send(
        Sent("GET", "/api/v1/auth/oauth/authorize/google", query=people.authorize_query(), headers=headers)
    )
    assert dict(parse_qsl(urlsplit(away.location).query))["redirect_uri"].startswith(f"{base}/api/v1/auth/oauth/")
    opened = Sent(
        "POST",
        "/api/v1/auth/sessions",
        headers={**people.access("server"), **headers},
        body={"user_id": people.person().id},
    )
    assert claims_of(line.send(opened).json)["iss"].startswith(f"{base}/api/v1/projects/")
    refused = line.send(Sent("GET", "/v1/nothing", headers=headers))
    assert refused.json["error_url"].startswith(base)
    published = line.send(Sent("GET", "/openapi/stytch.json", headers=headers)).json
    assert published["servers"] == [{"url": base}]
    for answer in (away, refused):
        assert EVIL not in json.dumps([dict(answer.headers), answer.text])


def test_nobody_says_where_he_comes_from(world: World) -> None:
    body = {"token": world.ours.grant(), "session_duration_minutes": 60}
    headers = {**world.ours.sdk(), **PRETENCES["from elsewhere"]}
    came = Sent("POST", "/sdk/v1/oauth/authenticate", headers=headers, body=body)
    refused = world.ours.line.send(came)
    assert refused.json["error_type"] == "pkce_expected_code_verifier" or refused.status == 400
    tokens = world.ours.tokens()
    created = Sent(
        "POST",
        "/api/v1/auth/anonymous/sign-up",
        headers={**world.ours.access("client"), **PRETENCES["from elsewhere"]},
    )
    assert world.ours.line.send(created).status == 200
    addresses = {row[0] for row in world.watch.ground.run("SELECT ip_address FROM sessions")}
    assert addresses <= {"127.0.0.1", "::1", ""}
    assert tokens.access


# --- origins ----------------------------------------------------------------------------------------------

LOOK_ALIKES = (
    f"{APP}.{EVIL}",
    f"http://{EVIL}/{APP}",
    f"{APP}@{EVIL}",
    f"{APP}0",
    f"{APP}//",
    f"{APP}/x",
    f"{APP}?",
    f"{APP}#",
    f"{APP} ",
    f"{APP}, {APP}",
    f"{APP},{EVIL}",
    f"{APP}\t",
    "https://localhost:3000",
    "http://localhost",
    "http://localhost:03000",
    "http://xlocalhost:3000",
    "http://localhost.:3000",
    "http://127.0.0.1:3000",
    "http://[::1]:3000",
    "//localhost:3000",
    "localhost:3000",
    "null",
    "file://",
    "*",
    "\xff",
)


@pytest.mark.parametrize("origin", LOOK_ALIKES)
def test_a_page_that_only_looks_like_the_applications_reads_nothing(world: World, origin: str) -> None:
    people = world.ours
    sent = Sent("POST", "/sdk/v1/events", headers={"origin": origin})
    bootstrap = Sent("GET", f"/sdk/v1/projects/bootstrap/{people.keys.public_token}")
    asked = Sent("OPTIONS", "/sdk/v1/users/me", headers={"origin": origin, "access-control-request-method": "GET"})
    called = Sent(bootstrap.method, bootstrap.template, headers={**people.sdk(), "origin": origin})
    for answer in map(people.line.send, (sent, asked, called)):
        trimmed = origin.strip() == APP
        assert ("access-control-allow-origin" in answer.headers) <= trimmed, (origin, answer.headers)
        assert answer.headers.get("access-control-allow-origin") != "*"
        assert answer.status < 500


def test_the_applications_own_page_reads_the_answer(world: World) -> None:
    people = world.ours
    path = f"/sdk/v1/projects/bootstrap/{people.keys.public_token}"
    answer = people.line.send(Sent("GET", path, headers=people.sdk()))
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "origin" in answer.headers["vary"].lower()
    asked = people.line.send(Sent("OPTIONS", path, headers={"origin": APP, "access-control-request-method": "GET"}))
    assert asked.headers["access-control-allow-origin"] == APP


def test_stacks_answers_are_open_to_pages_but_never_with_credentials(world: World) -> None:
    for origin in (APP, f"http://{EVIL}", "null"):
        answer = world.ours.line.send(
            Sent("GET", "/api/v1/projects/current", headers={**world.ours.access("client"), "origin": origin})
        )
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


# --- headers out of texts -----------------------------------------------------------------------------------

CRLF = "%0d%0aset-cookie:%20stolen=1%0d%0a%0d%0a<script>alert(1)</script>"


def places_for_crlf(world: World) -> Iterator[Sent]:
    people = world.ours
    own = people.keys.public_token
    start = "/v1/public/oauth/google/start"
    for name in ("login_redirect_url", "signup_redirect_url", "code_challenge", "custom_scopes", "provider_prompt"):
        yield Sent("GET", start, query=(("public_token", own), (name, Encoded(LOGIN_URL + CRLF))))
    yield Sent("GET", start, query=(("public_token", Encoded(own + CRLF)),))
    for name in ("state", "redirect_uri", "error_redirect_url", "after_callback_redirect_url", "provider_scope"):
        query = tuple(pair for pair in people.authorize_query() if pair[0] != name)
        yield Sent("GET", "/api/v1/auth/oauth/authorize/google", query=(*query, (name, Encoded(RETURN_URL + CRLF))))
    callback = f"/v1/oauth/callback/{people.keys.callback_id}"
    for name in ("state", "code", "error", "error_description"):
        yield Sent("GET", callback, query=((name, Encoded("x" + CRLF)),), headers={"accept": "text/html"})
        yield Sent("POST", callback, raw=f"{name}=x{CRLF}".encode(), media="application/x-www-form-urlencoded")
        yield Sent("GET", "/api/v1/auth/oauth/callback/google", query=((name, Encoded("x" + CRLF)),))


def test_no_text_becomes_a_header_or_a_script(world: World) -> None:
    for sent in places_for_crlf(world):
        answer = world.ours.line.send(sent)
        assert answer.status < 500, (sent.told(), answer.told())
        assert not any(cookie.startswith("stolen") for cookie in answer.cookies), answer.cookies
        assert all("\r" not in value and "\n" not in value for value in answer.headers.values())
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert "<script" not in answer.text.lower()
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        else:
            assert answer.headers.get("content-type", "application/json").partition(";")[0] in (
                "application/json",
                "text/plain",
            )


def test_what_the_provider_says_is_not_shown_to_people(world: World) -> None:
    came = world.ours.arrival()
    state = dict(came.query)["state"]
    query = (
        ("state", state),
        ("error", "access_denied"),
        ("error_description", "<img src=x onerror=alert(1)>"),
        ("error_uri", "javascript:alert(1)"),
    )
    headers = {"cookie": came.cookies, "accept": "text/html"}
    answer = world.ours.line.send(Sent("GET", came.path, query=query, headers=headers))
    assert answer.status == 400
    assert "oauth_flow_callback_error" in answer.text
    assert "onerror" not in answer.text
    assert "javascript:" not in answer.text


# --- bytes that are hardly HTTP -------------------------------------------------------------------------------

HARDLY: Mapping[str, bytes] = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "an empty line": b"\r\n\r\n\r\n",
    "HTTP/0.9": b"GET /v1/users\r\n\r\n",
    "HTTP/3": b"GET /v1/users HTTP/3.0\r\n\r\n",
    "no version": b"GET /v1/users \r\n\r\n",
    "a space in the path": b"GET /v1/us ers HTTP/1.1\r\nhost: x\r\n\r\n",
    "a NUL in the path": b"GET /v1/us\x00ers HTTP/1.1\r\nhost: x\r\n\r\n",
    "a raw 8-bit path": b"GET /v1/users/\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
    "a path of 100 kB": b"GET /v1/" + b"x" * 100_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    "a header of 1 MB": b"GET /v1/users HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 1_000_000 + b"\r\n\r\n",
    "ten thousand headers": b"GET /v1/users HTTP/1.1\r\nhost: x\r\n" + b"x: y\r\n" * 10_000 + b"\r\n",
    "a folded header": b"GET /v1/users HTTP/1.1\r\nhost: x\r\nx: a\r\n b\r\n\r\n",
    "a NUL in a header": b"GET /v1/users HTTP/1.1\r\nhost: x\r\nx: a\x00b\r\n\r\n",
    "a header without a name": b"GET /v1/users HTTP/1.1\r\nhost: x\r\n: a\r\n\r\n",
    "a space before the colon": b"GET /v1/users HTTP/1.1\r\nhost : x\r\n\r\n",
    "two hosts": b"GET /v1/users HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    "no host": b"GET /v1/users HTTP/1.1\r\n\r\n",
    "an absolute target": b"GET http://evil.example/v1/users HTTP/1.1\r\nhost: x\r\n\r\n",
    "an absolute target of nothing": b"GET http:// HTTP/1.1\r\nhost: x\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    "a connect": b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n",
    "an upgrade": b"GET /v1/users HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "two lengths": b"POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "a negative length": b"POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{}",
    "a length in words": b"POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-length: two\r\n\r\n{}",
    "a length beyond all": b"POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n{}",
    "a length and chunks": (
        b"POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a strange encoding": b"POST /v1/users HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk that lies": b"POST /v1/users HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "a chunk beyond all": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "a GET in chunks": b"GET /v1/users HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "an unknown method": b"BREW /v1/users HTTP/1.1\r\nhost: x\r\n\r\n",
    "a method of 100 kB": b"X" * 100_000 + b" /v1/users HTTP/1.1\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("label", HARDLY)
def test_bytes_that_are_hardly_http_harm_nobody(world: World, label: str) -> None:
    world.watch.settle()
    status = answered(world.ours.line, HARDLY[label])
    assert status is None or 200 <= status < 500, status
    assert world.watch.changes() == []
    assert world.ours.line.send(Sent("GET", "/health")).status == 200
    assert not world.server.tracebacks()


def answered(line: Line, message: bytes) -> int | None:
    """The status of an answer to bytes on a connection of their own, or None where it was closed without one."""
    with socket.create_connection(line.address, timeout=20) as connection:
        connection.sendall(message)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while len(received) < 12:
            try:
                more = connection.recv(65_536)
            except ConnectionResetError:
                break
            if not more:
                break
            received += more
    return int(received[9:12]) if received.startswith(b"HTTP/1.") else None


@pytest.mark.parametrize("framing", ["content-length: 200\r\n\r\n", "transfer-encoding: chunked\r\n\r\n{size:x}\r\n"])
def test_a_body_that_breaks_off_is_nobodys_request(world: World, framing: str) -> None:
    headers = world.ours.basic(world.ours.keys.stytch_id, world.ours.keys.secret)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = {"email": fresh_email()}
    text = json.dumps(body)
    half = f"POST /v1/users HTTP/1.1\r\nhost: x\r\n{head}{framing.format(size=len(text))}{text}"
    world.watch.settle()
    assert answered(world.ours.line, half.encode()) is None
    assert world.watch.changes() == []
    assert world.ours.line.send(Sent("POST", "/v1/users", headers=headers, body=body)).status == 201


def test_what_follows_a_refused_body_is_a_request_of_its_own(world: World) -> None:
    """No byte of a body is ever taken for a request: neither a large one that was refused, nor one nobody read."""
    smuggled = b"GET /v1/oauth/smuggled HTTP/1.1\r\nhost: x\r\n\r\n"
    for method, path in (("POST", "/v1/users"), ("GET", "/v1/users/x"), ("POST", "/api/v1/users"), ("GET", "/")):
        body = smuggled * (2_000_000 // len(smuggled))
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        line = world.server.line()
        first: Answer = line.exchange(head + body, method)
        assert 400 <= first.status < 500 or path == "/"
        assert line.send(Sent("GET", "/health")).json["status"] == "ok"
        line.close()
