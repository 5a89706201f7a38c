"""Every provider through the whole core, as recorded: sign-in, link, refresh, denied, away, dead, unverified."""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from oneself.actions import access_token, attach, callback, projects, redeem, start, users
from oneself.actions.attach import AttachAsker
from oneself.actions.callback import CallbackRequest, Landing
from oneself.actions.projects import Declaration, DeclaredProvider
from oneself.actions.redeem import Redeemed, RedeemRequest
from oneself.actions.runtime import Runtime, client_of
from oneself.actions.start import Started, StartRequest
from oneself.actions.users import NewUser
from oneself.crypto.seal import KeyRing, generate_line
from oneself.faults import Fault, FaultCode
from oneself.model import Project, ProjectConfig, ProviderCredentials, RedirectUrl, Secret
from oneself.providers.registry import PROVIDERS
from oneself.providers.spec import Provider
from oneself.rules.lifetimes import MINUTE
from oneself.store.opening import open_database
from tests.actions.conftest import LOGIN, SIGNUP, WISH, Clock, opened_runtime
from tests.providers.recorded import credentials, label, recording, undone
from tests.upstream.played import claims_of, failing, secret_of
from tests.upstream.scripted import Scripted, says, scripted
from tests.upstream.signing import jwks, p256, rsa, signed

AWAY = says({"error": "invalid_grant"}, 503)


@dataclass
class Stage:
    """One recorded account of one provider, the core that meets it, and the server that plays it."""

    rt: Runtime
    clock: Clock
    server: Scripted
    provider: Provider
    account: dict[str, Any]
    project: Project

    async def another_project(self) -> Project:
        """A project of its own, so that no scene knows of another."""
        settings = credentials(self.provider, self.account)
        names = {"authorization", "token", "jwks", *(one.name for one in self.provider.documents)}
        names |= {"refresh"} & set(dict(self.provider.endpoints))
        settings = msgspec.structs.replace(
            settings,
            config_id=self.provider.id,
            endpoints={**settings.endpoints, **{name: f"{self.server.base}/{name}" for name in names}},
            trusted_email_domains=("*",),
        )
        urls = (
            RedirectUrl(url=LOGIN, signup=False, default=True),
            RedirectUrl(url=SIGNUP, login=False, default=True),
        )
        declared = DeclaredProvider(credentials=settings, client_secret=secret_of(self.provider).reveal())
        wanted = Declaration(display_name="M", providers=(declared,), config=ProjectConfig(redirect_urls=urls))
        self.project = (await projects.create(self.rt, wanted)).project
        return self.project

    @property
    def settings(self) -> ProviderCredentials:
        return self.project.config.providers[0]

    async def begin(self, ticket: Secret | None = None) -> Started:
        wanted = StartRequest(
            dialect="stytch",
            config_id=self.provider.id,
            callback_url="http://localhost:8000/callback",
            check_urls=True,
            ticket=ticket,
        )
        return await start.begin(self.rt, self.project, wanted)

    async def land(self, started: Started, **params: str) -> Landing:
        asked = dict(parse_qsl(urlsplit(started.location).query))
        issuer = recording(self.provider).get("redirects", {}).get("accepted", [None])[0]
        came = {
            "state": asked["state"],
            **({"iss": issuer} if issuer else {}),
            **self.account.get("form", {}),
            **params,
        }
        request = CallbackRequest(dialect="stytch", state=started.state, params=came, cookie=started.cookie)
        return await callback.finish(self.rt, request)

    async def play(self, started: Started, account: dict[str, Any]) -> None:
        """Let the server answer as this account, its id_token signed now and for this trip."""
        asked = dict(parse_qsl(urlsplit(started.location).query))
        _, client = await client_of(self.rt, self.project, self.provider.id)
        answer = {"access_token": "at-0", **account["token"]}
        if self.provider.refresh.kind == "standard":
            answer.setdefault("refresh_token", "rt-0")
        if account.get("claims") is not None:
            now = self.clock() // 1_000_000
            times = {"iat": now, "exp": now + 600, **({"nonce": asked["nonce"]} if "nonce" in asked else {})}
            alg = account.get("signing", "RS256")
            key = p256("key-2") if alg == "ES256" else rsa()
            answer["id_token"] = signed(claims_of(client, account["claims"], **times), key=key, alg=alg, kid=key.kid)
        self.server.answers["/token"] = says(answer)
        for name, body in account.get("documents", {}).items():
            self.server.answers[f"/{name}"] = says(body)

    async def trip(self, ticket: Secret | None = None, account: dict[str, Any] | None = None) -> Redeemed:
        """There, back, and redeemed."""
        started = await self.begin(ticket)
        await self.play(started, account or self.account)
        landing = await self.land(started, code="code-1")
        if landing.fault:
            raise landing.fault
        request = RedeemRequest(dialect="stytch", grant=Secret(landing.grant), session=WISH)
        return await redeem.redeem(self.rt, self.project, request)

    async def count(self) -> int:
        found = await self.rt.db.one("SELECT COUNT(*) FROM users WHERE project_id = $1", self.project.id)
        assert found is not None
        return int(found[0])


def told(provider: Provider) -> dict[str, Any]:
    """The recorded account to play: one whose address is vouched for where there is one, that can be refreshed."""
    whole = [one for one in recording(provider)["accounts"] if "profile" in one and not one.get("endpoints")]
    plain = [
        one for one in whole if not one.get("tenant") and not one.get("options") and not one.get("refused_documents")
    ]

    def rank(account: dict[str, Any]) -> tuple[bool, bool]:
        verified = account["profile"].get("email_verdict") == "verified"
        return not verified, "expires_in" not in account["token"]

    found: dict[str, Any] = copy.deepcopy(min(plain, key=rank))
    return found


@pytest.fixture
async def stage(migrated_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    provider: Provider = request.param
    clock = Clock()
    async with scripted() as server:
        server.answers["/jwks"] = says(jwks(rsa(), p256("key-2")))
        db = await open_database(migrated_url, clock, clock_limit=None)
        rt = await opened_runtime(db, clock, KeyRing.parse(generate_line(os.urandom), os.urandom), server.base)
        rt = dataclasses.replace(rt, settings=dataclasses.replace(rt.settings, probe_tokens=True))
        made = Stage(rt, clock, server, provider, told(provider), None)  # type: ignore[arg-type]
        await made.another_project()
        yield made
        await rt.outbound.close()
        await db.close()


def everybody() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", PROVIDERS, ids=label, indirect=True)


@everybody()
async def test_in_and_back_in_denied_and_away(stage: Stage) -> None:
    cancel = recording(stage.provider)["cancels"][0]
    denied = await stage.land(await stage.begin(), **cancel)
    assert denied.fault is not None and denied.fault.code is FaultCode.PROVIDER_DENIED
    started = await stage.begin()
    stage.server.answers["/token"] = AWAY
    away = await stage.land(started, code="code-1")
    assert away.fault is not None and away.fault.code is FaultCode.PROVIDER_UNAVAILABLE
    started = await stage.begin()
    stage.server.answers["/token"] = failing(recording(stage.provider)["dead_codes"][0])
    dead = await stage.land(started, code="code-1")
    assert dead.fault is not None and dead.fault.code is FaultCode.PROVIDER_GRANT_INVALID
    assert await stage.count() == 0

    first, again = await stage.trip(), await stage.trip()
    assert (first.created, again.created) == (True, False)
    assert first.view.user.id == again.view.user.id
    assert first.account.subject == stage.account["profile"]["subject"]
    profile = stage.account["profile"]
    vouched = profile.get("email_verdict") == "verified"
    assert [one.address for one in first.view.emails] == ([profile["email"]] if vouched else [])
    assert await stage.count() == 1


@everybody()
async def test_linked_to_whoever_asks_and_signed_in_as_them(stage: Stage) -> None:
    owner = await users.create(stage.rt, stage.project, NewUser(email="owner@elsewhere.example", email_verified=True))
    ticket = await attach.reserve(stage.rt, stage.project, stage.provider.id, AttachAsker(user_id=owner.user.id))
    linked = await stage.trip(ticket)
    assert (linked.view.user.id, linked.created) == (owner.user.id, False)
    assert (await stage.trip()).view.user.id == owner.user.id
    other = await users.create(stage.rt, stage.project, NewUser(email="other@elsewhere.example", email_verified=True))
    ticket = await attach.reserve(stage.rt, stage.project, stage.provider.id, AttachAsker(user_id=other.user.id))
    with pytest.raises(Fault) as refused:
        await stage.trip(ticket)
    assert refused.value.code is FaultCode.ACCOUNT_IN_USE
    assert await stage.count() == 2


@everybody()
async def test_an_address_leads_to_its_owner_only_where_it_is_vouched_for(stage: Stage) -> None:
    profile = stage.account["profile"]
    address = profile.get("email") or "nobody@elsewhere.example"
    said = copy.deepcopy(stage.account)
    # X has no flag: an address that is not confirmed is not there
    said["documents"] = _without(said.get("documents", {}), "confirmed_email")
    said |= {"claims": undone(said.get("claims"), False), "documents": undone(said["documents"], False)}
    owner = await users.create(stage.rt, stage.project, NewUser(email=address, email_verified=True))
    stranger = await stage.trip(account=said)
    assert stranger.created
    assert stranger.view.user.id != owner.user.id
    assert stranger.view.emails == ()

    if profile.get("email_verdict") == "verified":
        await stage.another_project()
        owner = await users.create(stage.rt, stage.project, NewUser(email=address, email_verified=True))
        honest = await stage.trip()
        assert (honest.created, honest.view.user.id) == (False, owner.user.id)


def _without(value: Any, field: str) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, field) for name, inner in value.items() if name != field}
    return value


@everybody()
async def test_a_grant_is_refreshed_survives_an_outage_and_ends_by_the_providers_word(stage: Stage) -> None:
    user_id, name = (await stage.trip()).view.user.id, stage.provider.id
    recorded = recording(stage.provider)
    documents = stage.provider.documents
    first = f"/{documents[0].name}" if documents else ""

    def let_it_age() -> None:
        """Its time passes where it has one, and the provider no longer takes it where it has none."""
        life = stage.account["token"].get("expires_in")
        stage.clock.ahead += (int(life) if life else 60) * 1_000_000 + MINUTE
        stage.server.answers[first] = says({"error": "invalid_token"}, 401)

    let_it_age()
    path = "/refresh" if "refresh" in dict(stage.provider.endpoints) else "/token"
    stage.server.answers[path] = AWAY
    with pytest.raises(Fault) as away:
        await access_token.fresh(stage.rt, stage.project, user_id, name)
    assert away.value.code is FaultCode.PROVIDER_UNAVAILABLE
    stage.clock.ahead += MINUTE
    stage.server.answers[path] = says(recorded["refreshed"]["answer"])
    fresh = await access_token.fresh(stage.rt, stage.project, user_id, name)
    assert fresh.access_token == recorded["refreshed"]["answer"]["access_token"]
    kept = stage.account["token"].get("refresh_token", "rt-0" if stage.provider.refresh.kind == "standard" else "")
    renewed = recorded["refreshed"]["answer"].get("refresh_token", kept)
    assert fresh.refresh_token == renewed

    let_it_age()
    stage.clock.ahead += 400 * 86_400 * 1_000_000
    stage.server.answers[path] = failing(recorded["dead_grants"][0])
    for _ in range(2):
        with pytest.raises(Fault) as dead:
            await access_token.fresh(stage.rt, stage.project, user_id, name)
        assert dead.value.code is FaultCode.RECONNECT_NEEDED
    # the person signs in again, and the grant lives again
    stage.clock.ahead = 0
    assert (await stage.trip()).view.user.id == user_id
    for document, body in stage.account.get("documents", {}).items():
        stage.server.answers[f"/{document}"] = says(body)
    assert (await access_token.fresh(stage.rt, stage.project, user_id, name)).access_token
