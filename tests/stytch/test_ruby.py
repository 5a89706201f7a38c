"""The Ruby SDK's requests, byte by byte as it sends them, with this server's ids and tokens in their place."""

from __future__ import annotations

import base64
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from tests.stytch.rig import Rig


def bytes_of(rig: Rig, method: str, path: str, body: str = "") -> bytes:
    """One request with exactly the Ruby SDK's headers, in its order."""
    pair = base64.b64encode(f"{rig.project_id}:{rig.secret}".encode()).decode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "User-Agent: Stytch Ruby v11.1.0",
        "Content-Type: application/json",
        f"Authorization: Basic {pair}",
        "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
        "Accept: */*",
        f"Host: {urlsplit(rig.base_url).netloc}",
        *([f"Content-Length: {len(body)}"] if body else []),
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", body]).encode()


def send(rig: Rig, method: str, path: str, body: str = "") -> tuple[int, Any]:
    """Send one of its requests; the answer's status and body."""
    address = urlsplit(rig.base_url)
    with socket.create_connection((address.hostname or "", address.port or 80), timeout=20) as line:
        line.sendall(bytes_of(rig, method, path, body))
        read = b""
        while chunk := line.recv(65_536):
            read += chunk
    head, _, text = read.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert b"application/json" in head.lower()
    return status, json.loads(text)


def test_the_requests_of_the_ruby_sdk_are_answered(dev: Rig) -> None:
    user = dev.client.users.create(email=dev.persona().email)
    status, said = send(dev, "POST", "/v1/oauth/attach", f'{{"provider":"google","user_id":"{user.user_id}"}}')
    assert (status, len(said["oauth_attach_token"])) == (200, 44)

    token = dev.trip("google", dev.persona().id)
    status, made = send(dev, "POST", "/v1/oauth/authenticate", f'{{"token":"{token}","session_duration_minutes":60}}')
    assert (status, made["provider_type"]) == (200, "Google")

    status, checked = send(dev, "POST", "/v1/sessions/authenticate", f'{{"session_token":"{made["session_token"]}"}}')
    assert (status, checked["session"]["session_id"]) == (200, made["session"]["session_id"])

    status, keys = send(dev, "GET", f"/v1/sessions/jwks/{dev.project_id}")
    assert (status, len(keys["keys"])) == (200, 1)

    email = user.user.emails[0].email
    status, found = send(
        dev,
        "POST",
        "/v1/users/search",
        '{"limit":10,"query":{"operator":"AND","operands":'
        f'[{{"filter_name":"email_address","filter_value":["{email}"]}}]}}}}',
    )
    assert (status, [each["user_id"] for each in found["results"]]) == (200, [user.user_id])

    # the Ruby SDK hands a refusal back as it came, with its status inside
    status, refused = send(dev, "GET", "/v1/users/nope")
    assert (status, refused["status_code"], refused["error_type"]) == (404, 404, "user_not_found")
    status, gone = send(dev, "DELETE", f"/v1/users/{user.user_id}")
    assert (status, gone["user_id"]) == (200, user.user_id)
