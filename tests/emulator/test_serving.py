"""What the emulator answers before any provider does: no such address, no such method, too much of a body."""

from __future__ import annotations

from tests.emulator.rig import Rig, ask


def test_an_address_of_nobody_and_one_of_somebody(rig: Rig) -> None:
    assert ask("GET", rig.at("google", "/nowhere")).status == 404
    assert ask("GET", rig.at("google", "/oauth2/v3/certs/")).status == 404
    assert ask("GET", rig.at("google", "/oauth2/v3/certs")).status == 200


def test_another_method_is_told_which_there_are(rig: Rig) -> None:
    reply = ask("PUT", rig.at("google", "/token"))
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    reply = ask("OPTIONS", rig.at("google", "/o/oauth2/v2/auth"))
    assert (reply.status, reply.headers["allow"]) == (204, "GET, POST")


def test_a_path_is_read_however_it_was_encoded(rig: Rig) -> None:
    token = rig.sign_in("discord")["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    for path in ("/api/users/@me", "/api/users/%40me", "/%61pi/users/@me"):
        assert ask("GET", rig.at("discord", path), headers=bearer).json()["email"] == "ada@corp.example"
    assert ask("GET", rig.at("discord", "/api%2Fusers/@me"), headers=bearer).status == 404


def test_a_fault_finds_its_endpoint_however_the_path_was_encoded(rig: Rig) -> None:
    rig.control("POST", "/faults", {"kind": "server_error", "provider": "discord", "endpoint": "userinfo"})
    assert ask("GET", rig.at("discord", "/api/users/%40me")).status == 500
    assert rig.control("GET", "/counts")["discord.userinfo"] == 1


def test_a_body_has_a_bound(rig: Rig) -> None:
    assert ask("POST", rig.at("google", "/token"), form={"code": "x" * 1_000_001}).status == 413
    assert ask("POST", rig.at("google", "/token"), form={"code": "x" * 100_000}).status == 400
