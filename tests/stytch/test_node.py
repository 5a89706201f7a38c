"""The vendor's Node SDK, run by Node, against the same server."""

from __future__ import annotations

import pytest

from tests import node_run
from tests.stytch.rig import Rig


@pytest.mark.node
def test_the_node_sdk_works_unmodified(dev: Rig) -> None:
    person, other = dev.persona(), dev.persona()
    said = node_run.run(
        "stytch_backend.mjs",
        send={
            "base_url": dev.base_url,
            "project_id": dev.project_id,
            "secret": dev.secret,
            "trips": [dev.trip("google", person.id)],
            "email": other.email,
        },
    )
    user_id = said["created"]["user_id"]
    assert said["created"]["status_code"] == 201
    assert said["got"]["emails"][0]["email"] == other.email
    assert said["updated"]["user"]["name"] == {
        "first_name": "N",
        "middle_name": "",
        "last_name": "O",
    }
    assert [user["user_id"] for user in said["searched"]["results"]] == [user_id]
    assert said["searched"]["results_metadata"] == {"total": 1, "next_cursor": None}
    assert len(said["attached"]["oauth_attach_token"]) == 44

    signed_in = said["signedIn"]
    assert signed_in["provider_type"] == "Google"
    assert signed_in["user_session"]["custom_claims"] == {"plan": "gold"}
    assert said["checked"]["session_token"] == signed_in["session_token"]
    assert said["local"]["user_id"] == signed_in["user_id"]
    assert "session" in said["remote"]
    assert len(said["listed"]["sessions"]) == 1
    assert said["keys"]["keys"][0]["kty"] == "RSA"
    assert said["revoked"]["status_code"] == 200
    assert said["apps"]["connected_apps"] == []
    assert said["deleted"]["user_id"] == user_id

    for name, status, error_type in (
        ("again", 400, "oauth_token_not_found"),
        ("over", 404, "session_not_found"),
        ("unlinked", 404, "oauth_user_registration_not_found"),
        ("missing", 404, "user_not_found"),
    ):
        assert said[name]["name"] == "StytchError", said[name]
        assert (said[name]["status_code"], said[name]["error_type"]) == (status, error_type)
        assert said[name]["request_id"].startswith("request-id-test-")
