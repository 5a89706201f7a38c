"""A provider that nobody has heard of, added in its three places and nowhere else, is everybody's at once."""

from __future__ import annotations

import msgspec
import pytest

from oneself.actions import access_token, accounts, projects, provider_check, revoking
from oneself.emulator.players import endpoints_for
from oneself.model import Profile, ProjectConfig, ProviderCredentials
from oneself.providers import registry
from oneself.providers.reading import at, email, mapping, subject, text, verdict
from oneself.providers.spec import Document, Evidence, Provider, Refresh, Revocation
from oneself.rules.lifetimes import DAY
from oneself.wire.stytch import render
from tests.actions.conftest import World


def profile(evidence: Evidence) -> Profile:
    """What a provider's file reads: here of the emulated server that keeps habits of its own."""
    user = mapping(evidence.documents.get("userinfo"))
    address = email(at(user, "profile", "mail"))
    return Profile(
        subject=subject(user.get("id")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=verdict(address, at(user, "profile", "mail_ok") == 1),
        display_name=text(at(user, "profile", "shown")),
    )


ACME = Provider(
    id="acme",
    name="Acme",
    kind="oauth2",
    issuer="https://acme.example",
    profile=profile,
    email_proof="flag",
    endpoints=(
        ("authorization", "https://acme.example/authorize"),
        ("token", "https://acme.example/token"),
        ("revocation", "https://acme.example/revoke"),
    ),
    documents=(Document(name="userinfo", url="https://acme.example/user"),),
    scopes=("read",),
    scope_separator=",",
    answer_separator=",",
    refresh=Refresh(rotation="single_use"),
    revocation=Revocation(),
)


@pytest.fixture
async def with_acme(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The registry with one line more, and a project that has a client there."""
    monkeypatch.setattr(registry, "PROVIDERS", (*registry.PROVIDERS, ACME))
    monkeypatch.setattr(registry, "_BY_ID", {**registry._BY_ID, ACME.id: ACME})
    secret = await projects.seal_client_secret(world.rt, world.project.id, "acme", "acme-secret")
    entry = ProviderCredentials(
        config_id="acme",
        provider="acme",
        client_id="acme-client",
        client_secret=secret,
        endpoints=endpoints_for("generic_oauth2", world.emulator),
    )

    def changed(config: ProjectConfig) -> ProjectConfig:
        return msgspec.structs.replace(config, providers=(*config.providers, entry))

    world.project = await projects.change_config(world.rt, world.project, changed)
    return world


@pytest.mark.parametrize("dialect", ["stytch", "stack"])
async def test_it_signs_in_refreshes_is_checked_and_is_handed_back(with_acme: World, dialect: str) -> None:
    world = with_acme
    first = await world.redeem(await world.grant("acme", "ada", dialect=dialect), dialect=dialect)
    assert (first.created, first.account.provider) == (True, "acme")
    assert [one.address for one in first.view.emails] == ["ada@corp.example"]
    assert (await world.sign_in("google", "ada")).view.user.id == first.view.user.id, "its word on addresses counts"
    shown = render.user_body(world.project, first.view)
    assert [one.provider_type for one in shown.providers] == ["acme"]

    world.clock.ahead += 2 * DAY
    fresh = await access_token.fresh(world.rt, world.project, first.view.user.id, "acme")
    assert fresh.access_token != first.tokens.access_token
    trials = await provider_check.trials(world.rt, world.project, "acme", {"stytch": "http://localhost:8000/callback"})
    assert [trial.ok for trial in trials] == [True, True]
    await accounts.remove(world.rt, world.project, first.account.id, first.view.user.id)
    assert await revoking.drain(world.rt) == 1
    assert (await world.control("counts", "GET"))["oauth2.revocation"] == 1
