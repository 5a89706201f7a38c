"""Whose is it: every id, ticket and key of one project with another's, of one person with another's, of one kind as
another kind. Everything is refused and changes nothing in either project; the honest twins of both succeed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.fuzz.conftest import SIDES, World
from tests.fuzz.described import Dialect, Operation, Path
from tests.fuzz.impossible import NEVER_SUCCEEDS
from tests.fuzz.people import People, fresh_email
from tests.fuzz.sending import Sent
from tests.fuzz.spoiling import Case, with_member

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# Members that may say anything: no id of anything, and nothing that is there already.
FREE = {"display_name", "first_name", "description", "value", "email_address", "account_id", "allow_sign_in"}
FREE_OF = {
    ("stack", "oauth_authorize", "state"): "the application's own text, given back as it came",
    ("stack", "cross_domain_authorize", "state"): "the application's own text, given back as it came",
    (
        "stack",
        "consent_begin",
        "link",
    ): "it names its project itself, and asks the person whose account it is",
    ("stytch", "users_create", "email"): "an address that is taken in one project is free in the other",
    ("stytch", "passwords_create", "email"): "an address that is taken in one project is free in the other",
    ("stack", "passwords_sign_up", "email"): "an address that is taken in one project is free in the other",
    ("stack", "otp_send", "email"): "an address of the other project's may sign up here, by mail to its owner alone",
    ("stack", "passwords_send_reset", "email"): "whoever asks is told the same of any address, known or not",
    ("stytch", "oauth_start", "public_token"): "it says which project is meant, to anybody",
    ("stytch", "sessions_jwks", "project_id"): "public keys are for everybody",
    ("stack", "projects_jwks", "project_id"): "public keys are for everybody",
    ("stytch", "sdk_oauth_google_id_token_authenticate", "id_token"): "Google's word, good in any project of that app",
    ("stytch", "sessions_migrate", "session_token"): "the other issuer's word, good in any project of that client",
    ("stack", "native_apple", "id_token"): "Apple's word, good in any project of that app",
}
# They hand on what came, to the GET that looks at it.
RELAYS = {"oauth_callback_form"}
# What whoever holds it may use, whoever got it first.
BEARER = {"token", "code", "id_token", "code_verifier", "email"}


def slots(sent: Sent) -> Iterator[tuple[str, Path, str]]:
    """Where a request holds texts: the kind of place, where in it, the text."""
    for name, value in sent.params.items():
        yield "param", (name,), value
    for name, value in sent.query:
        yield "query", (name,), value
    yield from (("body", path, text) for path, text in _texts(sent.body, ()))


def _texts(value: Any, above: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield above, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, (*above, name))


def put(sent: Sent, kind: str, path: Path, text: str) -> Sent:
    """The request with another text in one place."""
    if kind == "param":
        return sent.with_param(path[0], text)
    if kind == "query":
        return sent.with_query(path[0], text)
    return replace(sent, body=with_member(sent.body, path, text))


def exchanged(operation: Operation, ours: Sent, theirs: Sent, free: set[str]) -> Iterator[Case]:
    """Our request with one text of theirs after the other."""
    other = {(kind, path): text for kind, path, text in slots(theirs)}
    for kind, path, text in slots(ours):
        their = other.get((kind, path), text)
        name = path[-1]
        if their == text or name in free or (operation.dialect, operation.id, name) in FREE_OF:
            continue
        yield Case(f"{kind} {'.'.join(path)} is theirs", _putting(kind, path, their), True)


def _putting(kind: str, path: Path, text: str) -> Any:
    return lambda sent: put(sent, kind, path, text)


def headers_exchanged(operation: Operation, ours: Sent, theirs: Sent) -> Iterator[Case]:
    """Our request with one header of theirs after the other; and with all of them, where it names anything of ours.

    A request that names nothing of ours is simply theirs, once it carries all that says whose it is.
    """
    names_something = any(True for _ in exchanged(operation, ours, theirs, FREE))
    others = {name: theirs.headers[name] for name in ours.headers if theirs.headers.get(name) != ours.headers[name]}
    if len(others) > 1 or names_something:
        for name, value in others.items():
            yield Case(f"the header {name} is theirs", _heading({name: value}), True)
    if names_something and operation.keys:
        yield Case("all keys are theirs", _heading(dict(theirs.headers)), True)


def _heading(changes: Mapping[str, str]) -> Any:
    return lambda sent: replace(sent, headers={**sent.headers, **changes})


def test_nothing_of_another_project_is_there(world: World, dialect: Dialect) -> None:
    trial, side = world.trial(dialect), SIDES[dialect]
    for operation in world.descriptions[dialect].operations:
        if operation.id in RELAYS:
            continue
        world.cleared()
        theirs = side.honest(world.theirs, operation)
        ours = side.honest(world.ours, operation)
        found = [*exchanged(operation, ours, theirs, FREE), *headers_exchanged(operation, ours, theirs)]
        unspent = trial.spoiled(operation, ours, found)
        if (dialect, operation.id) not in NEVER_SUCCEEDS:
            trial.honest(operation, unspent)
            trial.honest(operation, theirs)
    assert trial.refused > 50
    assert not trial.problems, "\n".join(trial.problems)


def test_clients_reach_nobody_but_themselves(world: World, dialect: Dialect) -> None:
    trial, side = world.trial(dialect), SIDES[dialect]
    for operation in world.descriptions[dialect].operations:
        if not operation.keys & {"client", "browser"}:
            continue
        world.cleared()
        another = side.honest(world.ours, operation)
        world.ours.forget()
        own = side.honest(world.ours, operation)
        unspent = trial.spoiled(operation, own, exchanged(operation, own, another, FREE | BEARER))
        if (dialect, operation.id) not in NEVER_SUCCEEDS:
            trial.honest(operation, unspent)
    assert trial.refused
    assert not trial.problems, "\n".join(trial.problems)


def other_keys(people: People, operation: Operation, honest: Sent) -> Iterator[Case]:
    """Keys that are valid, but for something else; and keys that are none."""
    keys = people.keys
    if operation.dialect == "stytch":
        session = people.kept("signed_in", people.signed_in).token
        pairs = {
            "the public token twice": (keys.public_token, keys.public_token),
            "the public token and a session": (keys.public_token, session),
            "the public token and the secret": (keys.public_token, keys.secret),
            "the project and the public token": (keys.stytch_id, keys.public_token),
            "the project and a session": (keys.stytch_id, session),
            "the project and nothing": (keys.stytch_id, ""),
            "the project and the secret": (keys.stytch_id, keys.secret),
            "the secret alone": ("", keys.secret),
            "a NUL": ("\0", "\0"),
            "the project and the secret with a NUL": (keys.stytch_id, keys.secret + "\0"),
            "Stack's keys": (keys.stack_id, keys.server_key),
        }
        backend = "backend" in operation.keys
        for label, (user, password) in pairs.items():
            opens = user == keys.stytch_id and password == keys.secret if backend else user == keys.public_token
            if not opens:
                yield Case(f"the keys are {label}", _heading(people.basic(user, password)), True)
        for text in ("", "Basic", "Basic ", "Bearer " + keys.secret, "Basic %%%", "basic " + "A" * 100_000):
            yield Case(f"authorization is {text[:20]!r}", _heading({"authorization": text}), True)
        return
    given = {name: value for name, value in honest.headers.items() if "allow" not in name}
    for name in given:
        if name == "x-stack-access-token" and operation.id == "projects_current":
            continue
        yield Case(f"{name} is nothing known", _heading({name: "nope"}), True)
    client = {"x-stack-access-type": "client", "x-stack-publishable-client-key": keys.client_key}
    token = people.kept("client", people.tokens).access
    if "client" not in operation.keys:
        yield Case("client access", _heading(client | {"x-stack-access-token": token}), True)
    if "server" not in operation.keys and "admin" in operation.keys:
        server = {"x-stack-access-type": "server", "x-stack-secret-server-key": keys.server_key}
        yield Case("server access", _heading(server), True)
    for kind, header in (("server", "secret-server-key"), ("admin", "super-secret-admin-key")):
        for label, key in (("client", keys.client_key), ("server", keys.server_key), ("admin", keys.admin_key)):
            if label != kind:
                wrong = {"x-stack-access-type": kind, f"x-stack-{header}": key}
                yield Case(f"the {label} key as the {kind} key", _only(wrong, keys.stack_id), True)
    yield Case("no access type", lambda sent: sent.with_headers(**{"x-stack-access-type": None}), True)


def _only(headers: Mapping[str, str], project_id: str) -> Any:
    return lambda sent: replace(sent, headers={**headers, "x-stack-project-id": project_id})


def test_keys_open_only_what_they_are_for(world: World, dialect: Dialect) -> None:
    trial, side = world.trial(dialect), SIDES[dialect]
    for operation in world.descriptions[dialect].operations:
        if not operation.keys:
            continue
        world.cleared()
        honest = side.honest(world.ours, operation)
        found = list(other_keys(world.ours, operation, honest))
        unspent = trial.spoiled(operation, honest, found)
        if (dialect, operation.id) not in NEVER_SUCCEEDS:
            trial.honest(operation, unspent)
    assert trial.refused > 200
    assert not trial.problems, "\n".join(trial.problems)


SERVER_ONLY: Mapping[str, Mapping[str, Any]] = {
    "users_update_me": {
        "server_metadata": {"a": 1},
        "client_read_only_metadata": {"a": 1},
        "primary_email_verified": True,
        "primary_email_auth_enabled": True,
        "password": "a password of their own",
        "restricted_by_admin": False,
        "is_anonymous": False,
    },
    "oauth_providers_update": {"email": "other@fuzz.example", "account_id": "other-subject"},
    "teams_create": {"server_metadata": {"a": 1}, "client_read_only_metadata": {"a": 1}},
    "teams_update": {"server_metadata": {"a": 1}, "client_read_only_metadata": {"a": 1}},
    "contact_channels_create": {"is_verified": True},
    "contact_channels_update": {"is_verified": True},
}


@pytest.mark.parametrize("name", SERVER_ONLY)
def test_clients_set_no_flags_of_the_servers(world: World, name: str) -> None:
    trial, side = world.trial("stack"), SIDES["stack"]
    operation = world.descriptions["stack"].by_id(name)
    for member, value in SERVER_ONLY[name].items():
        world.cleared()
        honest = side.honest(world.ours, operation)
        wanted = with_member(honest.body, (member,), value)
        trial.spoiled(operation, honest, [Case(f"{member} from a client", _saying(wanted), True)])
        token = honest.headers["x-stack-access-token"]
        trial.honest(operation, replace(_saying(wanted)(honest), headers=world.ours.access("server", token)))
    assert not trial.problems, "\n".join(trial.problems)


def _saying(body: Any) -> Any:
    return lambda sent: replace(sent, body=copy.deepcopy(body))


def test_an_address_of_one_project_says_nothing_in_the_other(world: World) -> None:
    email = fresh_email()
    for people in (world.ours, world.theirs):
        made = people.backend("POST", "/v1/users", {"email": email})
        assert made["user"]["emails"][0]["email"] == email
