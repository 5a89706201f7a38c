"""What an export writes, an import reads: any users, in each format, from either database into the other."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from oneself.actions import exporting, importing, projects
from oneself.actions.importing import ImportWish
from oneself.cli.exporting import written
from oneself.crypto.seal import KeyRing, generate_line
from oneself.formats import reading
from oneself.model import AccountRecord, EmailRecord, PhoneRecord, Project, TokenSet, TransferFormat, UserRecord
from oneself.rules import scopes
from oneself.store.migrate import migrate
from oneself.store.opening import open_database
from tests.actions.conftest import Clock, declaration, opened_runtime

# a failing example tells enough as it is; making it smaller takes minutes
FAST = (Phase.explicit, Phase.generate)
# of each format: what it cannot carry comes back as nothing
LOST: dict[TransferFormat, dict[str, Any]] = {
    "csv": {},
    "stytch": {
        "is_anonymous": False,
        "display_name": "",
        "picture_url": "",
        "client_read_only_metadata": None,
        "extras": {},
    },
    "stack": {"first_name": "", "middle_name": "", "last_name": "", "phones": ()},
}
uuids = st.uuids(version=4).map(str)
# what people write, and what a spreadsheet, a CSV reader and a JSON reader stumble over
texts = st.one_of(
    st.sampled_from(["", "=1+1", "'", "''=x", "+49", "-", '"', 'a,"b"\r\nc', "\t", "Zoë 🌍", "[]", "null", " x "]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
metadata = st.none() | st.dictionaries(texts.filter(bool), json_values, min_size=1, max_size=3)
# whole milliseconds are what Stack's times can say
times = st.integers(1, 4_000_000_000_000).map(lambda millis: millis * 1_000)
secrets = st.text("abcABC019-_.~=+/", min_size=1, max_size=40)
token_sets = st.builds(
    TokenSet,
    access_token=secrets,
    refresh_token=secrets | st.just(""),
    id_token=secrets | st.just(""),
    scopes=st.lists(st.sampled_from(["openid", "email", "repo", "https://scope.example/a"]), unique=True).map(tuple),
    expires_at=st.just(0) | times,
    token_type=st.sampled_from(["Bearer", "bearer", "mac"]),
    callback_uri=st.sampled_from(["", "https://old.example/callback"]),
)


def unique_sets(sets: list[TokenSet]) -> tuple[TokenSet, ...]:
    """One set for each set of scopes, as the vault keeps them."""
    return tuple({scopes.canonical(one.scopes): one for one in sets}.values())


accounts = st.builds(
    AccountRecord,
    id=uuids,
    provider=st.sampled_from(["google", "github", "gitlab"]),
    subject=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30),
    allow_sign_in=st.booleans(),
    allow_connected_accounts=st.booleans(),
    picture_url=st.sampled_from(["", "https://pictures.example/a?b=c,d"]),
    locale=st.sampled_from(["", "en-US"]),
    tokens=st.lists(token_sets, max_size=3).map(unique_sets),
)
people = st.builds(
    UserRecord,
    id=uuids,
    external_id=st.uuids().map(lambda made: f"crm|{made.hex}") | st.just(""),
    status=st.sampled_from(["active", "pending", "disabled"]),
    is_anonymous=st.booleans(),
    created_at=times,
    signed_up_at=times,
    last_active_at=times,
    display_name=texts,
    first_name=texts,
    middle_name=texts,
    last_name=texts,
    picture_url=texts,
    client_metadata=metadata,
    client_read_only_metadata=metadata,
    server_metadata=metadata,
    password_hash=st.sampled_from(
        [
            "",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "$2y$10$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS",
            "$scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$" + "A" * 43,
        ]
    ),
    extras=st.sampled_from(
        [
            {},
            {"otp_auth_enabled": True},
            {
                "restricted_by_admin": True,
                "restricted_by_admin_reason": "asked",
                "restricted_by_admin_private_details": None,
            },
        ]
    ),
    emails=st.lists(
        st.builds(
            EmailRecord,
            id=uuids,
            address=st.uuids().map(lambda made: f"{made.hex}@corp.example"),
            verified=st.booleans(),
            claims_sign_in=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    phones=st.lists(
        st.builds(
            PhoneRecord,
            id=uuids,
            number=st.integers(10**10, 10**13).map(lambda number: f"+1{number}"),
            verified=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    accounts=st.lists(accounts, max_size=4).map(tuple),
)


@st.composite
def crowds(draw: st.DrawFn, one_sign_in_account: bool) -> list[UserRecord]:
    """Users that may stand beside each other: no account signs in two, and in Stack's no user by two of a provider."""
    crowd: list[UserRecord] = []
    seen: set[object] = set()
    for user in draw(st.lists(people, max_size=5, unique_by=lambda one: one.id)):
        kept: dict[tuple[str, str], AccountRecord] = {}
        for account in user.accounts:
            signs_in = account.allow_sign_in and (account.provider, account.subject) not in seen
            if one_sign_in_account and any(one.provider == account.provider for one in kept.values()):
                signs_in = False
            kept.setdefault(
                (account.provider, account.subject), msgspec.structs.replace(account, allow_sign_in=signs_in)
            )
        seen |= {place for place, one in kept.items() if one.allow_sign_in}
        primary = draw(st.integers(-1, len(user.emails) - 1))
        emails = tuple(
            msgspec.structs.replace(one, is_primary=place == primary) for place, one in enumerate(user.emails)
        )
        crowd.append(
            msgspec.structs.replace(
                user, emails=emails, accounts=tuple(kept.values()), has_password=bool(user.password_hash)
            )
        )
    return crowd


def comparable(user: UserRecord, lost: dict[str, Any]) -> dict[str, Any]:
    """A user without what a format loses, its parts in an order that does not depend on when they were written."""
    told: dict[str, Any] = msgspec.structs.asdict(user) | lost
    if "display_name" in lost:
        told["signed_up_at"] = told["last_active_at"] = told["created_at"]
        told["server_metadata"], told["client_metadata"] = user.server_metadata or None, user.client_metadata or None
    told["accounts"] = {
        one.id: (
            {name: value for name, value in msgspec.structs.asdict(one).items() if name != "tokens"}
            | ({} if "display_name" not in lost else {"email": ""}),
            {scopes.canonical(each.scopes): msgspec.structs.asdict(each) for each in one.tokens},
        )
        for one in user.accounts
    }
    told["phones"] = sorted(told["phones"], key=lambda phone: phone.id)
    told["emails"] = {one.id: one for one in user.emails}
    return told


@asynccontextmanager
async def place(url: str) -> AsyncIterator[tuple[Any, Project]]:
    """An empty project in a database."""
    clock = Clock()
    db = await open_database(url, clock, clock_limit=None)
    try:
        await migrate(db)
        ring = KeyRing.parse(generate_line(os.urandom), os.urandom)
        rt = await opened_runtime(db, clock, ring, "http://127.0.0.1:1")
        yield rt, (await projects.create(rt, declaration("http://127.0.0.1:1"))).project
        await rt.outbound.close()
    finally:
        await db.close()


async def everybody(rt: Any, project: Project) -> list[UserRecord]:
    """All users with their secrets."""
    return [one async for one in exporting.users(rt, project, tokens=True, passwords=True)]


async def journey(crowd: list[UserRecord], target: TransferFormat, first: str, second: str) -> None:
    """From a generator into one database, out of it into a file, out of the file into the other database."""
    async with place(first) as (rt, project):
        rows: list[importing.Row] = [(n, one, 0) for n, one in enumerate(crowd, 1)]
        report = await importing.run(rt, project, rows, ImportWish(source="stack" if target == "stack" else "stytch"))
        assert report.refused_rows == ()
        assert report.created == len(crowd)
        came = await everybody(rt, project)
        assert [comparable(one, {}) for one in came] == [
            comparable(one, {}) for one in sorted(crowd, key=lambda one: (one.created_at, one.id))
        ]
        file = written(target, project, came)
    async with place(second) as (rt, project):
        for round_ in range(2):
            rows = list(reading.rows(io.BytesIO(file), target, project.environment))
            report = await importing.run(rt, project, rows, ImportWish(source=target))
            assert report.refused_rows == ()
            assert report.created == (len(crowd) if round_ == 0 else 0)
        there = await everybody(rt, project)
        key = lambda one: one["id"]  # noqa: E731
        assert sorted((comparable(one, LOST[target]) for one in there), key=key) == sorted(
            (comparable(one, LOST[target]) for one in came), key=key
        )


@pytest.mark.parametrize("target", ["csv", "stytch", "stack"])
@pytest.mark.parametrize("way", ["out of SQLite", "into SQLite"])
def test_any_users_come_through_a_file_into_the_other_database(
    target: TransferFormat, way: str, postgres_url: str
) -> None:
    urls = ("sqlite://:memory:", postgres_url) if way == "out of SQLite" else (postgres_url, "sqlite://:memory:")

    @settings(
        max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, phases=FAST
    )
    @given(crowds(one_sign_in_account=target == "stack"))
    def check(crowd: list[UserRecord]) -> None:
        asyncio.run(journey(crowd, target, *urls))

    check()
