"""The statements of each operation, as the store writes them, with parameters that a load tool can count up.

Whether the server really sends these, and no others, is held against the database's own log in every run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from benchmarks.people import ISSUER, PROVIDER, YEAR, Statement, account_row, personas, session_row, user_row
from oneself.model import ExternalAccount, Policy, Trip
from oneself.store import accounts, audit, flows, sessions, users, vault, views

KEY = 10**17
"""Keys are numbers of one length, as texts. Those of the crowd follow this one."""
CROWD = 2_000
"""How many people the reads and the links pick from."""
FRESH = 10**14
"""What is added to a key for a row that is new."""


class Part(Enum):
    """A parameter that differs from call to call."""

    ANY = "any one of the crowd"
    ANY_BYTES = "any one of the crowd, as bytes"
    NEXT = "the next key of this run"
    NEXT_BYTES = "the next key of this run, as bytes"
    NEW = "a key that no row has"
    NEW_BYTES = "a key that no row has, as bytes"


@dataclass(frozen=True, slots=True)
class Call:
    """One statement and its parameters: parts, or values that are the same every time."""

    sql: str
    args: tuple[Any, ...]


Seed = Callable[[range, int], Iterator[Statement]]


@dataclass(frozen=True, slots=True)
class Script:
    """The transactions of one operation. `seed` makes the rows that a run uses up; `proof` counts what it did.

    The proof's parameters are the first and the last key of the run.
    """

    name: str
    transactions: tuple[tuple[Call, ...], ...]
    seed: Seed | None = None
    proof: str = ""

    @property
    def statements(self) -> list[str]:
        """All statements in their order."""
        return [call.sql for transaction in self.transactions for call in transaction]

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return bool(self.proof)


def scripts(project_id: str, now: int) -> dict[str, Script]:
    """Every script by its name; `now` in microseconds."""
    made = _Maker(project_id, now)
    return {
        script.name: script
        for script in (
            made.read("session_by_token", sessions.CHECK_TOKEN, Part.ANY_BYTES, "stytch", now),
            made.read("session_by_id", sessions.CHECK_ID, Part.ANY, "stytch", now),
            made.read("read_user", views.ONE_USER_WITH_TEAM, Part.ANY),
            made.read("list_accounts", accounts.OF_USER, Part.ANY),
            made.read("provider_token", vault.FOR_USER, Part.ANY, PROVIDER, ""),
            made.create_account(),
            made.attach(),
            made.start(),
            made.callback(),
            made.redeem_known(),
            made.redeem_new(),
        )
    }


def crowd(project_id: str, now: int) -> Iterator[Statement]:
    """The rows of the people that reads pick from."""
    yield from _people(project_id, range(KEY, KEY + CROWD), now)
    names = [str(key) for key in range(KEY, KEY + CROWD)]
    yield vault.PUT, [(project_id, name, _SCOPES, _PARKED, True, now, now + YEAR) for name in names]


def values(someone: int, key: int) -> dict[Any, Any]:
    """What stands for each part in one call: one of the crowd, and the run's next key."""
    return {
        Part.ANY: str(someone),
        Part.ANY_BYTES: str(someone).encode(),
        Part.NEXT: str(key),
        Part.NEXT_BYTES: str(key).encode(),
        Part.NEW: str(key + FRESH),
        Part.NEW_BYTES: str(key + FRESH).encode(),
    }


class _Maker:
    def __init__(self, project_id: str, now: int) -> None:
        self._project, self._now, self._later = project_id, now, now + YEAR

    def read(self, name: str, sql: str, *args: Any) -> Script:
        return Script(name, ((Call(sql, (self._project, *args)),),))

    def create_account(self) -> Script:
        account = (Part.NEW, Part.ANY, PROVIDER, PROVIDER, ISSUER, Part.NEW, "", False, True)
        email = ("somebody@example.com", False, "", "", "", self._now)
        return Script(
            "create_account",
            (
                (
                    Call(users.LOCK, (self._project, Part.ANY)),
                    Call(accounts.INSERT, (self._project, *account, *email)),
                    self._audit(Part.ANY),
                ),
            ),
            proof="SELECT count(*) FROM external_accounts WHERE project_id = $1 AND id BETWEEN $2 AND $3",
        )

    def attach(self) -> Script:
        call = Call(flows.INSERT_FOR_USER, (*self._flow("reserved", ticket=Part.NEW_BYTES), Part.ANY))
        return Script("attach", ((call,),), proof=_NEW_FLOWS)

    def start(self) -> Script:
        call = Call(flows.INSERT, self._flow("started", state=Part.NEW_BYTES, cookie=bytes(32)))
        return Script("start", ((call,),), proof=_NEW_FLOWS)

    def callback(self) -> Script:
        claim = (self._project, Part.NEXT, Part.NEXT_BYTES, "stytch", "", self._now, bytes(32))
        park = (self._project, Part.NEXT, Part.NEW_BYTES, _PARKED, "http://localhost:3000/authenticate", self._later)
        return Script(
            "callback",
            ((Call(flows.CLAIM, claim),), (self._facts(),), (Call(flows.PARK, park),)),
            seed=lambda keys, now: self._trips(keys, now, "started", with_people=True),
            proof="SELECT count(*) FROM flows WHERE project_id = $1 AND stage = 'parked' AND id BETWEEN $2 AND $3",
        )

    def redeem_known(self) -> Script:
        take = Call(users.TAKE, (self._project, Part.NEXT, 1, self._now))
        # At a later consent the provider sends no refresh token: is one kept?
        kept = Call(vault.ONE, (self._project, Part.NEXT, _SCOPES))
        return Script(
            "redeem_known",
            ((self._take(), self._facts(), take, kept, *self._signed_in(Part.NEXT, Part.NEXT)),),
            seed=lambda keys, now: self._trips(keys, now, "parked", with_people=True),
            proof=_NEW_SESSIONS,
        )

    def redeem_new(self) -> Script:
        persona = personas(1, "somebody")[0]
        email = (self._project, Part.NEW, Part.NEW, Part.NEW, Part.NEW, self._now, Part.NEW, True, True, self._now)
        account = (Part.NEW, Part.NEW, PROVIDER, PROVIDER, ISSUER, Part.NEXT, Part.NEW, True, True)
        about = ("somebody@example.com", True, Part.NEW, "", "", self._now)
        create = (
            Call(users.INSERT, (self._project, Part.NEW, *user_row("", "", persona, self._now)[2:])),
            Call(users.INSERT_EMAIL, email),
            Call(accounts.INSERT, (self._project, *account, *about)),
        )
        return Script(
            "redeem_new",
            ((self._take(), self._facts(), *create, *self._signed_in(Part.NEW, Part.NEW)),),
            seed=lambda keys, now: self._trips(keys, now, "parked", with_people=False),
            proof=_NEW_SESSIONS,
        )

    def _take(self) -> Call:
        return Call(flows.TAKE, (self._project, Part.NEXT, Part.NEXT_BYTES, "stytch", self._now))

    def _facts(self) -> Call:
        names = (PROVIDER, ISSUER, Part.NEXT, Part.NEXT, Part.NEXT, "")
        return Call(views.CONCERNED, (self._project, *names))

    def _signed_in(self, user: Part, account: Part) -> tuple[Call, ...]:
        """The end of every redeem: the vault, the session, the audit."""
        row = session_row(self._project, "", "", "stytch", b"", self._now, "")
        tokens = (self._project, account, _SCOPES, _PARKED, True, self._now, self._later)
        return (
            Call(vault.PUT, tokens),
            Call(sessions.INSERT, (self._project, Part.NEW, user, "stytch", Part.NEW_BYTES, *row[5:])),
            self._audit(user),
        )

    def _audit(self, user: Part) -> Call:
        words = ("redeem.sign_in", "SignIn", "account_known", "self", "stytch", Part.NEW, Part.NEW)
        return Call(audit.INSERT, (self._project, user, 2, Part.NEW, self._now, *words))

    def _flow(
        self, stage: str, key: Any = Part.NEW, ticket: Any = b"", state: Any = b"", cookie: Any = b"", grant: Any = b""
    ) -> tuple[Any, ...]:
        """The parameters of `flows.INSERT`, or the first ones of its kin."""
        hashes = (ticket, state, cookie, grant)
        about = (self._project, key, "stytch", "identity", stage, PROVIDER, "bench1")
        return (*about, *hashes, _TRIP, _PARKED if stage == "parked" else b"", "", self._now, self._later)

    def _trips(self, keys: range, now: int, stage: str, *, with_people: bool) -> Iterator[Statement]:
        if with_people:
            yield from _people(self._project, keys, now)
        parked = stage == "parked"
        yield (
            flows.INSERT,
            [
                self._flow(stage, str(key), b"", str(key).encode(), bytes(32), str(key).encode() if parked else b"")
                for key in keys
            ],
        )


def _people(project_id: str, keys: range, now: int) -> Iterator[Statement]:
    persona = personas(1, "somebody")[0]
    texts = [str(key) for key in keys]
    yield users.INSERT, [user_row(project_id, key, persona, now) for key in texts]
    yield users.INSERT_EMAIL, [(project_id, key, key, key, key, now, key, True, True, now) for key in texts]
    yield accounts.INSERT, [account_row(project_id, _account(key, now), key) for key in texts]
    yield (
        sessions.INSERT,
        [session_row(project_id, key, key, "stytch", key.encode(), now, key) for key in texts],
    )


def _account(key: str, now: int) -> ExternalAccount:
    return ExternalAccount(
        id=key,
        user_id=key,
        config_id=PROVIDER,
        provider=PROVIDER,
        issuer=ISSUER,
        subject=key,
        allow_sign_in=True,
        allow_connected_accounts=True,
        email="somebody@example.com",
        email_verified=True,
        email_id=key,
        picture_url="",
        locale="",
        created_at=now,
    )


_NEW_FLOWS = "SELECT count(*) FROM flows WHERE project_id = $1 AND id BETWEEN $2 AND $3"
_NEW_SESSIONS = "SELECT count(*) FROM sessions WHERE project_id = $1 AND id BETWEEN $2 AND $3"
# As long as what is really stored there, so that the database moves as many bytes.
_PARKED = bytes(700)
_SCOPES = "email openid profile"
_TRIP = msgspec.json.encode(
    Trip(
        intent="sign_in",
        policy=Policy(),
        config_id=PROVIDER,
        provider=PROVIDER,
        scopes=("openid", "email", "profile"),
        login_url="http://localhost:3000/authenticate",
        signup_url="http://localhost:3000/authenticate",
        app_challenge="x" * 43,
        app_challenge_method="S256",
        callback_url="http://localhost:8000/v1/oauth/callback/oauth-callback-test-00000000-0000-4000-8000-000000000000",
        nonce=True,
    )
).decode()
