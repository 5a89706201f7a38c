"""Routing: literals before parameters, segments as they were sent, and nothing normalised."""

from __future__ import annotations

import pytest

from oneself.asgi.routing import Router

ROUTER = Router(
    [
        ("GET", "/v1/users/{user_id}", "user"),
        ("PUT", "/v1/users/{user_id}", "change"),
        ("GET", "/v1/users/me", "me"),
        ("GET", "/v1/users/{user_id}/apps/{app_id}", "app"),
        ("GET", "/", "root"),
    ]
)


@pytest.mark.parametrize(
    ("path", "name", "params"),
    [
        ("/", "root", {}),
        ("/v1/users/me", "me", {}),
        ("/v1/users/a%2Fb", "user", {"user_id": "a%2Fb"}),
        ("/v1/users/", "user", {"user_id": ""}),
        # a literal that leads nowhere does not hide the parameter beside it
        ("/v1/users/me/apps/1", "app", {"user_id": "me", "app_id": "1"}),
    ],
)
def test_a_path_finds_its_route(path: str, name: str, params: dict[str, str]) -> None:
    found = ROUTER.find(path)
    assert found is not None
    assert (found[0]["GET"], found[1]) == (name, params)


@pytest.mark.parametrize(
    "path", ["", "//", "/v1", "/v1/users", "/v1/users/1/", "//v1/users/1", "/V1/users/1", "/v1/users/1/apps"]
)
def test_another_path_finds_nothing(path: str) -> None:
    assert ROUTER.find(path) is None


def test_methods_of_one_path_stand_together() -> None:
    found = ROUTER.find("/v1/users/1")
    assert found is not None
    assert set(found[0]) == {"GET", "PUT"}


def test_one_segment_has_one_name() -> None:
    with pytest.raises(ValueError, match="unlike another"):
        Router([("GET", "/a/{one}", 1), ("PUT", "/a/{other}", 2)])
