"""Imported users are users: they sign in as before, their tokens are refreshed, and a hostile row changes nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import os
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

import msgspec
import pytest

from oneself.actions import access_token, exporting, history, importing, passwords, projects, user_search, users
from oneself.actions.importing import ImportWish
from oneself.actions.redeem import Redeemed
from oneself.crypto.ids import new_uuid
from oneself.crypto.passwords import hash_password
from oneself.faults import Fault, FaultCode, RowRefused
from oneself.formats import reading
from oneself.model import (
    AccountRecord,
    EmailRecord,
    ImportReport,
    Listing,
    PhoneRecord,
    ProjectConfig,
    Secret,
    Team,
    TokenSet,
    TransferFormat,
    UserRecord,
    UserView,
)
from oneself.rules.lifetimes import DAY, MINUTE
from oneself.store import statistics, teams, vault
from oneself.store.database import Database, Tx
from tests.actions.conftest import VERIFIER, World, declaration
from tests.actions.test_stale_sessions import STACK
from tests.store.counting import Counts

ADA, GRACE, EVE = (f"{n}" * 8 + f"-{n * 4}-4{n * 3}-8{n * 3}-" + f"{n}" * 12 for n in "123")
PLAIN_TOKENS = TokenSet(access_token="at", refresh_token="rt", scopes=("openid",), expires_at=4_000_000_000_000_000)


def account(provider: str = "google", subject: str = "g-1", **said: Any) -> AccountRecord:
    """One account of a file."""
    return AccountRecord(provider=provider, subject=subject, **said)


def person(user_id: str = ADA, address: str = "ada@corp.example", **said: Any) -> UserRecord:
    """One user of a file, with a verified address and an account unless told otherwise."""
    values: dict[str, Any] = {
        "id": user_id,
        "display_name": "Ada",
        "emails": (EmailRecord(address=address, verified=True, is_primary=True),),
        "accounts": (account(tokens=(PLAIN_TOKENS,)),),
    }
    return UserRecord(**(values | said))


def numbered(*rows: UserRecord | RowRefused, size: int = 0) -> list[importing.Row]:
    """Rows as they would be read, each of so many bytes."""
    return [(line, row, size) for line, row in enumerate(rows, 1)]


async def take(
    world: World, *rows: UserRecord | RowRefused, source: TransferFormat = "stytch", **wish: Any
) -> ImportReport:
    """Import rows as they would stand in a file."""
    return await importing.run(world.rt, world.project, numbered(*rows), ImportWish(source=source, **wish))


async def everybody(world: World) -> list[UserView]:
    """All users of the project."""
    wanted = Listing(include_anonymous=True, include_restricted=True)
    return list((await user_search.listing(world.rt, world.project, wanted)).users)


def refusals(report: ImportReport) -> list[tuple[int, str]]:
    """Which rows were refused, and why."""
    assert all(row.what_to_do for row in report.refused_rows)
    return [(row.line, row.reason) for row in report.refused_rows]


async def exported(world: World, **wanted: bool) -> list[UserRecord]:
    """All users as an export has them."""
    return [one async for one in exporting.users(world.rt, world.project, **wanted)]


async def moved(world: World, records: Iterable[UserRecord], **wish: Any) -> tuple[World, ImportReport]:
    """The same world, seen from an empty project into which the records were imported."""
    there = dataclasses.replace(world, project=(await projects.create(world.rt, declaration(world.emulator))).project)
    return there, await take(there, *records, **wish)


async def test_an_imported_user_is_there_with_all_that_belongs_to_it(world: World) -> None:
    report = await take(world, person(phones=(PhoneRecord(number="+491701234567", verified=True),), created_at=7))
    assert (report.rows, report.created, report.accounts, report.token_sets, report.refused) == (1, 1, 1, 1, 0)
    view = await users.read(world.rt, world.project, ADA)
    (email,), (phone,), (linked,) = view.emails, view.phones, view.accounts
    assert (view.user.id, view.user.created_at, view.user.display_name) == (ADA, 7, "Ada")
    assert (email.verified_at > 0, email.verified_by, email.is_primary, email.claims_sign_in) == (
        True,
        "import",
        True,
        True,
    )
    assert phone.verified_at > 0
    assert (linked.config_id, linked.subject, linked.allow_sign_in, linked.email_verified) == (
        "google",
        "g-1",
        True,
        False,
    )
    tokens = await access_token.fresh(world.rt, world.project, ADA, "google")
    assert (tokens.access_token, tokens.refresh_token, tokens.scopes) == ("at", "rt", ("openid",))
    told = await history.of_user(world.rt, world.project, ADA, 10)
    assert sorted((entry.action, entry.decision, entry.reason, entry.actor) for entry in told) == [
        ("account.import", "linked", "stytch_file", "operator"),
        ("user.import", "created", "stytch_file", "operator"),
    ]


async def sign_in(world: World, dialect: TransferFormat, provider: str, persona: str) -> Redeemed:
    """A whole trip through the emulator as an application of this dialect makes it."""
    if dialect == "stytch":
        return await world.sign_in(provider, persona)
    grant = await world.grant(provider, persona, **STACK)
    return await world.redeem(grant, dialect="stack", verifier=Secret(VERIFIER), redirect_uri=STACK["login_url"])


@pytest.mark.parametrize("dialect", ["stytch", "stack"])
async def test_somebody_who_was_imported_signs_in_as_the_same_user(world: World, dialect: TransferFormat) -> None:
    before = await world.sign_in("google", "ada")
    there, report = await moved(world, await exported(world, tokens=True), source=dialect)
    assert (report.created, report.accounts, report.token_sets) == (1, 1, 1)
    # through both dialects, whichever the file came from
    for face in ("stytch", "stack"):
        ended = await sign_in(there, face, "google", "ada")
        assert not ended.created
        assert ended.view.user.id == before.view.user.id
        assert ended.account.id == before.account.id
    # another provider that vouches for the imported address joins it, for the file said that it is verified
    joined = await sign_in(there, dialect, "github", "ada")
    assert joined.view.user.id == before.view.user.id
    assert len(await everybody(there)) == 1


async def test_an_address_that_the_file_does_not_call_verified_links_nobody(world: World) -> None:
    unproved = EmailRecord(address="ada@corp.example", is_primary=True)
    await take(world, person(emails=(unproved,), accounts=(account("github", "github-of-somebody"),)))
    with pytest.raises(Fault) as refused:
        await sign_in(world, "stack", "google", "ada")
    assert refused.value.code is FaultCode.EMAIL_OWNER_UNVERIFIED


async def test_an_imported_refresh_token_is_refreshed(world: World) -> None:
    ended = await world.sign_in("spotify", "ada")
    there, _ = await moved(world, await exported(world, tokens=True))
    there.clock.ahead += ended.tokens.expires_at - there.clock() + MINUTE
    fresh = await access_token.fresh(there.rt, there.project, ended.view.user.id, "spotify")
    assert fresh.access_token != ended.tokens.access_token
    assert fresh.expires_at > there.clock()
    again = await access_token.fresh(there.rt, there.project, ended.view.user.id, "spotify")
    assert again.access_token == fresh.access_token


async def test_a_refresh_token_alone_is_enough(world: World) -> None:
    ended = await world.sign_in("spotify", "ada")
    (record,) = await exported(world, tokens=True)
    (linked,) = record.accounts
    bare = TokenSet(access_token="", refresh_token=ended.tokens.refresh_token, scopes=ended.tokens.scopes)
    record = msgspec.structs.replace(record, accounts=(msgspec.structs.replace(linked, tokens=(bare,)),))
    there, report = await moved(world, [record])
    assert report.token_sets == 1
    fresh = await access_token.fresh(there.rt, there.project, record.id, "spotify")
    assert fresh.access_token


PASSWORD = "correct horse battery"
# what crypt(3) and RFC 7914's algorithm make of it
BCRYPT = "$2y$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS"
SCRYPT = "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$HF9nFE6DKxJohWQPJNHjdezVLRCpoEBCyAy66tkEHDY"
ARGON2 = "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$hwfMxgi9/q3l1Qyqt/u1KiriU3RlezzVKo0M5CRmMqc"


@pytest.mark.parametrize(
    ("hashed", "kind"),
    [
        (hash_password(PASSWORD, os.urandom), "argon2id"),
        (ARGON2, "argon2i"),
        (BCRYPT, "bcrypt"),
        (BCRYPT.replace("$2y$", "$2a$"), "bcrypt"),
        (BCRYPT.replace("$2y$", "$2b$"), "bcrypt"),
        (SCRYPT, "scrypt"),
    ],
    # a salt of its own in a test's name would make it another test in each process
    ids=("argon2id", "argon2i", "bcrypt-2y", "bcrypt-2a", "bcrypt-2b", "scrypt"),
)
async def test_a_password_goes_on_working(world: World, hashed: str, kind: str) -> None:
    rows = [person(password_hash=hashed), person(GRACE, "g@b.example", accounts=())]
    dry = await take(world, *rows, dry_run=True)
    report = await take(world, *rows)
    assert report.not_taken == {}
    assert dry.password_hashes == report.password_hashes == {kind: 1}
    with pytest.raises(Fault) as wrong:
        await passwords.check(world.rt, world.project, "ada@corp.example", Secret(PASSWORD + "!"), "stytch")
    assert wrong.value.code is FaultCode.PASSWORD_WRONG
    assert (await users.read(world.rt, world.project, ADA)).user.password_hash == hashed
    view = await passwords.check(world.rt, world.project, "ada@corp.example", Secret(PASSWORD), "stytch")
    assert view.user.id == ADA


@pytest.mark.parametrize("hashed", ["$2x$" + BCRYPT[4:], "md5:0123", "scrypt:32768:8:1$salt$00", "\0"])
async def test_a_hash_that_cannot_be_checked_is_not_taken_and_said(world: World, hashed: str) -> None:
    report = await take(world, person(password_hash=hashed))
    assert report.created == 1
    assert report.not_taken == {"password hash of a kind that is not argon2, bcrypt or scrypt": 1}
    assert report.password_hashes == {}
    assert (await users.read(world.rt, world.project, ADA)).user.password_hash == ""


async def test_a_report_counts_the_hashes_that_come_in_by_their_kind(world: World) -> None:
    """A user who is here, or further up in the file, keeps the password that is there."""
    await take(world, person(password_hash=BCRYPT))
    rows = [
        person(password_hash=SCRYPT),
        person(GRACE, "grace@navy.example", accounts=(), password_hash=SCRYPT),
        person(GRACE, "more@navy.example", accounts=(), password_hash=ARGON2),
        person(EVE, "eve@b.example", accounts=(), password_hash=BCRYPT),
        person(new_uuid(os.urandom), "nobody@b.example", accounts=()),
    ]
    rows += [person(new_uuid(os.urandom), f"p{n}@b.example", accounts=(), password_hash=BCRYPT) for n in range(40)]
    dry = await take(world, *rows, dry_run=True)
    report = await take(world, *rows)
    assert dry.password_hashes == report.password_hashes == {"bcrypt": 41, "scrypt": 1}
    found = {view.user.id: view.user.password_hash for view in await everybody(world)}
    assert (found[ADA], found[GRACE], found[EVE]) == (BCRYPT, SCRYPT, BCRYPT)
    assert (await take(world, *rows)).password_hashes == {}


async def test_an_export_has_the_hashes_as_they_are_and_is_taken_again(world: World) -> None:
    kinds = {ADA: BCRYPT, GRACE: SCRYPT, EVE: ARGON2}
    rows = [person(one, f"{one}@b.example", accounts=(), password_hash=hashed) for one, hashed in kinds.items()]
    await take(world, *rows)
    # one of them signs in before the export
    await passwords.check(world.rt, world.project, f"{EVE}@b.example", Secret(PASSWORD), "stack")
    written = await exported(world, passwords=True)
    there, report = await moved(world, written)
    assert report.password_hashes == {"argon2id": 1, "bcrypt": 1, "scrypt": 1}
    assert await exported(there, passwords=True) == written
    assert {one.id: one.password_hash for one in written if one.id != EVE} == {ADA: BCRYPT, GRACE: SCRYPT}
    for one in kinds:
        view = await passwords.check(there.rt, there.project, f"{one}@b.example", Secret(PASSWORD), "stack")
        assert view.user.id == one
    assert await exported(world) == [msgspec.structs.replace(one, password_hash="") for one in written]


async def test_the_same_file_twice_changes_nothing(world: World) -> None:
    rows = [person(), person(GRACE, "grace@navy.example", accounts=(account(subject="g-2"),))]
    first = await take(world, *rows)
    before = await exported(world, tokens=True, passwords=True)
    views = await everybody(world)
    second = await take(world, *rows)
    assert (first.created, second.created, second.unchanged, second.completed) == (2, 0, 2, 0)
    assert (second.accounts, second.token_sets, second.refused) == (0, 0, 0)
    assert await exported(world, tokens=True, passwords=True) == before
    # not even a version moved, and the audit has nothing new
    assert await everybody(world) == views
    assert len(await history.of_user(world.rt, world.project, ADA, 10)) == 2


async def test_a_user_who_is_here_gains_what_is_missing_and_keeps_the_rest(world: World) -> None:
    await take(world, person(emails=(EmailRecord(address="ada@corp.example", is_primary=True),)))
    await users.change(world.rt, world.project, ADA, users.UserChanges(display_name="Countess"))
    longer = msgspec.structs.replace(PLAIN_TOKENS, access_token="newer", expires_at=PLAIN_TOKENS.expires_at + DAY)
    richer = person(
        display_name="Somebody else",
        emails=(
            EmailRecord(address="ada@corp.example", verified=True, is_primary=True),
            EmailRecord(address="ada@home.example", verified=True, is_primary=True),
        ),
        phones=(PhoneRecord(number="+491701234567"),),
        accounts=(account(tokens=(longer,)), account("github", "42")),
    )
    report = await take(world, richer)
    assert (report.completed, report.accounts, report.token_sets) == (1, 1, 1)
    view = await users.read(world.rt, world.project, ADA)
    assert view.user.display_name == "Countess"
    assert [(email.address, bool(email.verified_at), email.is_primary) for email in view.emails] == [
        ("ada@corp.example", True, True),
        ("ada@home.example", True, False),
    ]
    assert {linked.config_id for linked in view.accounts} == {"google", "github"}
    assert (await access_token.fresh(world.rt, world.project, ADA, "google")).access_token == "newer"
    # and an older file that comes later does not bring old tokens back
    assert (await take(world, person())).unchanged == 1
    assert (await access_token.fresh(world.rt, world.project, ADA, "google")).access_token == "newer"


HOSTILE: list[tuple[str, dict[str, Any], str]] = [
    ("no id", {"user_id": ""}, "it has neither an id nor an external id"),
    ("no uuid", {"user_id": "42"}, "its id is not a UUID in lower case"),
    ("capitals", {"user_id": "A" * 8 + EVE[8:]}, "its id is not a UUID in lower case"),
    ("an external id like ours", {"external_id": f"user-live-{ADA}"}, "its external id is none that can be kept"),
    ("an external id with a NUL", {"external_id": "a\0b"}, "its external id is none that can be kept"),
    ("a homograph", {"address": "аda@corp.example\u202e"}, "one of its addresses is no e-mail address"),
    ("a full-width letter", {"address": "ａda@corp.example"}, "one of its addresses is no e-mail address"),
    ("10 kB of address", {"address": "a" * 10_000 + "@b.example"}, "one of its addresses is no e-mail address"),
    ("a NUL in an address", {"address": "a\0@b.example"}, "one of its addresses is no e-mail address"),
    ("another's address", {"address": "ADA@corp.example"}, "another user signs in with one of its addresses"),
    ("a NUL in a name", {"display_name": "a\0b"}, "display_name holds characters that no text may hold"),
    ("10 kB of name", {"last_name": "x" * 10_000}, "last_name is longer than 1024 characters"),
    ("another's account", {"accounts": (account(),)}, "another user signs in with one of its accounts"),
    ("no subject", {"accounts": (account(subject=""),)}, "one of its accounts has no account id"),
    ("10 kB of subject", {"accounts": (account(subject="x" * 10_000),)}, "the subject of an account is longer"),
    ("a long subject", {"accounts": (account(subject="x" * 256),)}, "one of its account ids is longer than any"),
    ("an unknown provider", {"accounts": (account("steam"),)}, "the project has no credentials for the provider steam"),
    (
        "a provider of harm",
        {"accounts": (account("\x1b[31m"),)},
        "the project has no credentials for the provider (not a name)",
    ),
    ("an account twice", {"accounts": (account(subject="e"), account(subject="e"))}, "it has an account twice"),
    ("a number that is none", {"phones": (PhoneRecord(number="110"),)}, "one of its telephone numbers is not in E.164"),
    (
        "another's number",
        {"phones": (PhoneRecord(number="+491701234567"),)},
        "another user has one of its telephone numbers",
    ),
    (
        "an address twice",
        {"emails": (EmailRecord(address="e@b.example"), EmailRecord(address="E@b.example"))},
        "it has an address twice",
    ),
    (
        "an empty token set",
        {"accounts": (account(subject="e", tokens=(TokenSet(access_token=""),)),)},
        "a token set of it has neither an access token nor a refresh token",
    ),
    (
        "an id of another's part",
        {"accounts": (account(subject="e", id=GRACE),)},
        "one of the ids in the row is in use here",
    ),
    (
        "a bcrypt of hours",
        {"password_hash": BCRYPT.replace("$04$", "$31$")},
        "its password hash has a bcrypt cost above",
    ),
    ("half a bcrypt", {"password_hash": BCRYPT[:-1]}, "its password hash is cut off or misspelt"),
    ("a NUL in a bcrypt", {"password_hash": BCRYPT[:-1] + "\0"}, "its password hash is cut off or misspelt"),
    ("10 kB of bcrypt", {"password_hash": BCRYPT + "x" * 10_000}, "its password hash is cut off or misspelt"),
    (
        "an scrypt of gigabytes",
        {"password_hash": SCRYPT.replace("ln=4", "ln=24")},
        "its password hash has scrypt parameters that ask for more than 128 MiB",
    ),
    (
        "an argon2 of gigabytes",
        {"password_hash": "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"},
        "its password hash has argon2 parameters that ask for more than 256 MiB",
    ),
    (
        "a NUL in an argon2",
        {"password_hash": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHN\0bHQ$aGFzaGhhc2hoYXNo"},
        "its password hash is cut off or misspelt",
    ),
    (
        "an id twice",
        {
            "emails": (EmailRecord(address="e@b.example", id=EVE),),
            "phones": (PhoneRecord(number="+4917099999", id=EVE),),
        },
        "it has an id twice",
    ),
]


@pytest.mark.parametrize(("changes", "reason"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
async def test_a_hostile_row_is_refused_whole_and_alone(world: World, changes: dict[str, Any], reason: str) -> None:
    ada = person(phones=(PhoneRecord(number="+491701234567"),), accounts=(account(id=GRACE),))
    await take(world, ada)
    values: dict[str, Any] = {"user_id": EVE, "address": "eve@b.example", "accounts": ()} | changes
    before = person(GRACE, "before@b.example", accounts=())
    behind = person(new_uuid(os.urandom), "behind@b.example", accounts=())
    dry = await take(world, before, person(**values), behind, dry_run=True)
    report = await take(world, before, person(**values), behind)
    for told in (dry, report):
        assert [(line, why.startswith(reason)) for line, why in refusals(told)] == [(2, True)], refusals(told)
        assert (told.created, told.rows) == (2, 3)
    found = {view.user.id: view for view in await everybody(world)}
    assert found.keys() == {ADA, GRACE, behind.id}
    assert [entry.action for entry in await history.of_user(world.rt, world.project, EVE, 10)] == []
    # nobody who was there before was touched
    assert found[ADA].user.version == 1


# Half of a character, which no text is, and a number as large as JSON allows, which is taken as it is.
VALUES = ["{}", r'{"a":"\ud800"}', f'{{"a":{2**100}}}', "{}", rf'{{"\ud800":{2**100}}}', "{}"]
FILES: list[tuple[TransferFormat, str, str]] = [
    ("stytch", "trusted_metadata", "it is no valid JSON"),
    ("stack", "server_metadata", "it is no valid JSON"),
    ("csv", "server_metadata", "server_metadata holds characters that no text may hold"),
]


@pytest.mark.parametrize(("source", "member", "reason"), FILES, ids=[row[0] for row in FILES])
async def test_a_hostile_value_in_a_file_takes_no_neighbour_along(
    world: World, source: TransferFormat, member: str, reason: str
) -> None:
    if source == "csv":
        rows = [f"user,{member}", *(f'u-{n},"{value.replace(chr(34), chr(34) * 2)}"' for n, value in enumerate(VALUES))]
    else:
        rows = [f'{{"external_id": "u-{n}", "{member}": {value}}}' for n, value in enumerate(VALUES)]
    first = 2 if source == "csv" else 1
    for outcome in ("created", "unchanged"):
        read = reading.rows(io.BytesIO("\n".join(rows).encode()), source)
        report = await importing.run(world.rt, world.project, read, ImportWish(source=source))
        assert getattr(report, outcome) == 4
        assert refusals(report) == [(first + 1, reason), (first + 4, reason)]
    found = {view.user.external_id: view.user.server_metadata for view in await everybody(world)}
    assert found.keys() == {"u-0", "u-2", "u-3", "u-5"}
    assert found["u-2"] == {"a": 2**100}


async def test_ids_of_the_deleted_never_come_back(world: World) -> None:
    await take(world, person())
    await users.delete(world.rt, world.project, ADA)
    report = await take(world, person(), person(GRACE, "ada@corp.example"))
    assert refusals(report) == [(1, "a user of this id was deleted here")]
    assert [view.user.id for view in await everybody(world)] == [GRACE]


async def test_of_two_rows_that_claim_one_thing_the_first_wins_every_time(world: World) -> None:
    """In parallel, over a hundred rows: two users for one account, one address, one number, one external id."""
    rows: list[UserRecord] = []
    for n in range(25):
        for _ in range(4):
            kinds: list[dict[str, Any]] = [
                {"accounts": (account(subject=f"s-{n}"),), "emails": ()},
                {"emails": (EmailRecord(address=f"p{n}@b.example"),), "accounts": ()},
                {"phones": (PhoneRecord(number=f"+49170{n:06d}"),), "accounts": (), "emails": ()},
                {"external_id": f"crm|{n}", "accounts": (), "emails": ()},
            ]
            shared = kinds[n % 4]
            rows.append(person(new_uuid(os.urandom), external_id=shared.pop("external_id", ""), **shared))
    firsts = [rows[4 * n].id for n in range(25)]
    dry = await take(world, *rows, dry_run=True)
    assert await everybody(world) == []
    report = await take(world, *rows)
    assert (dry.created, dry.refused) == (report.created, report.refused) == (25, 75)
    assert [row.line for row in dry.refused_rows] == [row.line for row in report.refused_rows]
    assert {view.user.id for view in await everybody(world)} == set(firsts)
    assert (await take(world, *rows)).unchanged == 25


async def test_two_imports_of_one_file_at_once_are_one(world: World) -> None:
    rows = [
        person(new_uuid(os.urandom), f"p{n}@b.example", accounts=(account(subject=f"s-{n}", tokens=(PLAIN_TOKENS,)),))
        for n in range(60)
    ]
    reports = await asyncio.gather(take(world, *rows), take(world, *rows), take(world, *reversed(rows)))
    assert sum(report.created for report in reports) == 60
    assert [report.refused for report in reports] == [0, 0, 0]
    found = await everybody(world)
    assert len(found) == 60
    assert all(len(view.accounts) == len(view.emails) == 1 for view in found)


async def test_a_dry_run_writes_nothing_and_says_what_would_be(world: World) -> None:
    await take(world, person())
    rows = [
        person(),
        person(GRACE, "grace@navy.example", accounts=(account(subject="g-2", tokens=(PLAIN_TOKENS,)),)),
        person(EVE, "grace@navy.example", accounts=()),
        person(ADA, "second@corp.example"),
        person(GRACE, "more@navy.example", accounts=()),
    ]
    dry = await take(world, *rows, dry_run=True)
    assert dry.dry_run
    assert [view.user.id for view in await everybody(world)] == [ADA]
    assert (dry.created, dry.completed, dry.unchanged) == (1, 2, 1)
    assert [line for line, _ in refusals(dry)] == [3]
    done = await take(world, *rows)
    names = ("rows", "created", "completed", "unchanged", "refused", "accounts", "token_sets", "not_taken")
    assert {name: getattr(dry, name) for name in names} == {name: getattr(done, name) for name in names}


async def test_what_the_operator_leaves_out_is_left_out_and_counted(world: World) -> None:
    rows = [person(accounts=(account("Steam", "1"), account(tokens=(PLAIN_TOKENS,))))]
    refused = await take(world, *rows)
    assert refusals(refused) == [(1, "the project has no credentials for the provider Steam")]
    report = await take(world, *rows, leave_out=frozenset({"steam"}), tokens=False)
    assert (report.created, report.accounts, report.token_sets) == (1, 1, 0)
    assert report.not_taken == {"account left out, as asked": 1, "token set left out, as asked": 1}


async def test_stack_lets_one_account_of_a_provider_sign_in_and_stytch_several(world: World) -> None:
    twice = (account(subject="g-1", allow_sign_in=True), account(subject="g-2", allow_sign_in=True))
    silent = (account(subject="g-1"), account(subject="g-2"))
    report = await take(world, person(accounts=twice), source="stack")
    assert refusals(report) == [(1, "the user has another account at one of its providers that may sign in")]
    assert (await take(world, person(accounts=silent), source="stack")).created == 1
    view = await users.read(world.rt, world.project, ADA)
    assert sorted((one.subject, one.allow_sign_in) for one in view.accounts) == [("g-1", True), ("g-2", False)]
    there, report = await moved(world, [person(accounts=twice)])
    view = await users.read(there.rt, there.project, ADA)
    assert [one.allow_sign_in for one in view.accounts] == [True, True]


async def test_rows_of_one_user_come_in_any_order_and_far_apart(world: World) -> None:
    """As a table has them: users known by a name of their own, a row for each account."""

    def row(n: int, provider: str, address: str = "") -> UserRecord:
        emails = (EmailRecord(address=address, verified=True, is_primary=True),) if address else ()
        return UserRecord(external_id=f"crm|{n}", emails=emails, accounts=(account(provider, f"{provider}-{n}"),))

    rows = [row(n, "google", f"p{n}@b.example") for n in range(40)] + [row(n, "github") for n in reversed(range(40))]
    dry = await take(world, *rows, source="csv", dry_run=True)
    report = await take(world, *rows, source="csv")
    assert (
        (report.created, report.completed, report.refused) == (dry.created, dry.completed, dry.refused) == (40, 40, 0)
    )
    found = await everybody(world)
    assert all({one.provider for one in view.accounts} == {"google", "github"} for view in found)
    assert all({one.subject[-1] for one in view.accounts} == {view.user.external_id[-1]} for view in found)


async def test_an_import_beside_people_who_sign_in(world: World) -> None:
    """The same people come through the provider and out of the file at once: one user each, whoever was first."""
    people = [("ada", "ada@corp.example"), ("grace", "grace@navy.example"), ("linus", "linus@kernel.example")]
    rows = [person(new_uuid(os.urandom), address, accounts=()) for _, address in people]
    signing = [world.sign_in("google", persona) for persona, _ in people]
    report, ended = await asyncio.gather(take(world, *rows), asyncio.gather(*signing))
    found = await everybody(world)
    owners = [email.folded for view in found for email in view.emails if email.claims_sign_in]
    assert len(owners) == len(set(owners))
    assert report.created + report.refused == 3
    assert {one.view.user.id for one in ended} <= {view.user.id for view in found}


async def test_an_export_with_secrets_is_told_in_the_audit(world: World) -> None:
    await exporting.note(world.rt, world.project, "csv", "tokens")
    (entry,) = await history.of_user(world.rt, world.project, "", 10)
    assert (entry.action, entry.reason, entry.actor) == ("project.export", "csv_file_with_tokens", "operator")


async def test_grants_that_the_provider_ended_are_not_exported_and_may_be_replaced(world: World) -> None:
    await take(world, person(accounts=(account("spotify", "s-1", tokens=(PLAIN_TOKENS,)),)))
    (kept,) = await vault.of_user(world.rt.db, world.project.id, ADA)

    async def end(tx: Tx) -> bool:
        return await vault.release(tx, world.project.id, kept.account_id, kept.scopes, kept.fence, 0, tx.now)

    assert await world.rt.db.write(end)
    (record,) = await exported(world, tokens=True)
    assert record.accounts[0].tokens == ()
    # the same tokens again are the dead ones; others bring the account back
    assert (await take(world, person(accounts=(account("spotify", "s-1", tokens=(PLAIN_TOKENS,)),)))).unchanged == 1
    others = msgspec.structs.replace(PLAIN_TOKENS, refresh_token="consented-again", access_token="alive")
    report = await take(world, person(accounts=(account("spotify", "s-1", tokens=(others,)),)))
    assert (report.completed, report.token_sets) == (1, 1)
    assert (await access_token.fresh(world.rt, world.project, ADA, "spotify")).access_token == "alive"


def mixed() -> list[UserRecord]:
    """Rows of many kinds, each of its own user, a few of which share something with an earlier one."""
    rows = [
        person(
            new_uuid(os.urandom),
            f"p{n}@b.example",
            external_id=f"crm|{n}" if n % 3 else "",
            phones=(PhoneRecord(number=f"+49170{n:06d}", verified=True),) if n % 4 else (),
            accounts=(account(subject=f"s-{n}", tokens=(PLAIN_TOKENS,)), account("github", f"h-{n}"))[: n % 3],
            client_metadata={"n": n} if n % 2 else None,
            created_at=1 + n,
        )
        for n in range(30)
    ]
    rows += [person(new_uuid(os.urandom), f"p{n}@b.example", accounts=()) for n in range(0, 30, 7)]
    rows += [
        UserRecord(external_id=f"own|{n}", created_at=9, accounts=(account("spotify", f"f-{n}"),)) for n in range(10)
    ]
    return rows


def without_chance(record: UserRecord) -> UserRecord:
    """A record without what was rolled for it."""
    parts: dict[str, Any] = {
        name: tuple(msgspec.structs.replace(one, id="") for one in getattr(record, name))
        for name in ("emails", "phones", "accounts")
    }
    return msgspec.structs.replace(record, **parts, id="" if record.external_id.startswith("own") else record.id)


async def elsewhere(world: World, **settings: Any) -> World:
    """The same world, seen from an empty project that differs in these settings."""
    project = (await projects.create(world.rt, declaration(world.emulator))).project

    def changed(config: ProjectConfig) -> ProjectConfig:
        return msgspec.structs.replace(config, **settings)

    return dataclasses.replace(world, project=await projects.change_config(world.rt, project, changed))


async def told(world: World) -> list[tuple[str, str, str, str]]:
    """What the audit tells of everybody, in any order."""
    views = await everybody(world)
    entries = [entry for view in views for entry in await history.of_user(world.rt, world.project, view.user.id, 9)]
    return sorted((entry.action, entry.decision, entry.reason, entry.actor) for entry in entries)


@pytest.mark.parametrize("own_team", [False, True])
async def test_many_at_once_are_what_they_are_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch, own_team: bool
) -> None:
    # one has selected a team that is here, and needs none of its own
    crew = Team(id=EVE, display_name="Crew", created_at=7)
    chosen = person(GRACE, "grace@b.example", accounts=(), created_at=5, extras={"selected_team_id": crew.id})
    rows, found = [*mixed(), chosen], []
    for together in (True, False):
        if not together:
            monkeypatch.setattr(importing, "newcomer", lambda *_: None)
        there = await elsewhere(world, personal_team_on_sign_up=own_team)
        await there.rt.db.write(partial(teams.insert, project_id=there.project.id, team=crew))
        report = await take(there, *rows)
        assert (report.created, report.refused) == (41, 5)
        assert len(await teams.all_of_project(there.rt.db, there.project.id)) == 1 + 40 * own_team
        records = [without_chance(one) for one in await exported(there, tokens=True)]
        in_teams = [bool(view.user.extras.get("selected_team_id")) for view in await everybody(there)]
        assert sorted(in_teams) == [own_team] * 40 + [True]
        refused = [row.line for row in report.refused_rows]
        found.append((sorted(map(msgspec.json.encode, records)), refused, await told(there)))
    assert found[0] == found[1]


async def test_all_that_comes_in_together_came_at_one_moment(world: World) -> None:
    there = await elsewhere(world, personal_team_on_sign_up=True)
    assert (await take(there, person(), person(GRACE, "grace@b.example", accounts=()))).created == 2
    (kept,) = await vault.of_user(there.rt.db, there.project.id, ADA)
    audited = [entry for one in (ADA, GRACE) for entry in await history.of_user(there.rt, there.project, one, 9)]
    made = await teams.all_of_project(there.rt.db, there.project.id)
    assert (len(audited), len(made)) == (3, 2)
    assert {kept.obtained_at, *(entry.at for entry in audited), *(team.created_at for team in made)} == {
        kept.obtained_at
    }


async def test_a_batch_costs_hardly_more_than_a_row(world: World) -> None:
    rows = [
        person(new_uuid(os.urandom), f"p{n}@b.example", accounts=(account(subject=f"s-{n}", tokens=(PLAIN_TOKENS,)),))
        for n in range(importing.AT_ONCE)
    ]
    async with world.count() as counts:
        await take(world, rows[0])
    asked = len(reads(counts))
    async with world.count() as counts:
        assert (await take(world, *rows[1:])).created == len(rows) - 1
    assert (len(reads(counts)), counts.commits) == (asked, 1)
    async with world.count() as counts:
        assert (await take(world, *rows)).unchanged == len(rows)
    assert (len(counts.statements), counts.commits) == (2, 0)


async def test_the_planner_is_told_of_what_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    async def gather(db: Database) -> None:
        told.append(db.engine)

    monkeypatch.setattr(statistics, "gather", gather)
    monkeypatch.setattr(importing, "_GROWN", 0)  # after every batch
    assert (await take(world, person(), dry_run=True)).created == 1
    assert told == []
    assert (await take(world, person())).created == 1
    assert told == [world.rt.db.engine]


async def test_of_large_rows_few_are_taken_at_once(world: World) -> None:
    rows = [person(new_uuid(os.urandom), f"p{n}@b.example", accounts=()) for n in range(7)]
    async with world.count() as counts:
        large = numbered(*rows, size=400_000)
        assert (await importing.run(world.rt, world.project, large, ImportWish(source="stytch"))).created == 7
    assert counts.commits == 3


def reads(counts: Counts) -> list[str]:
    """What was asked, without what was written."""
    return [statement for statement in counts.statements if statement.lstrip().startswith("SELECT")]


def failing(code: FaultCode | None) -> Callable[..., Coroutine[Any, Any, list[bool]]]:
    """A writing of many that fails: with this fault, else by a statement that no database takes."""

    async def fails(tx: Tx, *_: Any) -> list[bool]:
        if code is not None:
            raise Fault(code)
        await tx.run("INSERT INTO users (id) VALUES ('x')")
        return []

    return fails


@pytest.mark.parametrize("code", [None, FaultCode.DATABASE_CONTENDED], ids=["statement", "contended"])
async def test_one_who_is_in_the_way_of_all_takes_nobody_along(
    world: World, monkeypatch: pytest.MonkeyPatch, code: FaultCode | None
) -> None:
    """Whether a statement for many fails or others are in their way, each row is tried by itself then."""
    monkeypatch.setattr(importing, "create", failing(code))
    report = await take(world, person(), person(GRACE, "grace@navy.example", accounts=()), person(EVE, accounts=()))
    assert (report.created, report.refused) == (2, 1)
    assert refusals(report) == [(3, "another user signs in with one of its addresses")]
    assert {view.user.id for view in await everybody(world)} == {ADA, GRACE}


async def test_a_database_that_is_gone_ends_the_import(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is tried by itself then; another run goes on."""
    with monkeypatch.context() as gone:
        gone.setattr(importing, "create", failing(FaultCode.DATABASE_UNAVAILABLE))
        with pytest.raises(Fault) as ended:
            await take(world, person())
    assert ended.value.code is FaultCode.DATABASE_UNAVAILABLE
    assert await everybody(world) == []
    assert (await take(world, person())).created == 1
