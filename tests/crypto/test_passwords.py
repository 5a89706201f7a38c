"""Password hashes: argon2id with OWASP's parameters, checked by a second implementation."""

import os
import time

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from oneself.crypto import passwords

PASSWORD = "correct horse battery staple"
# One salt for all processes: it stands in the names of tests.
HASH = passwords.hash_password(PASSWORD, bytes)


def test_a_hash_carries_the_parameters_and_a_fresh_salt() -> None:
    assert HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.hash_password(PASSWORD, os.urandom) != HASH
    fixed = [passwords.hash_password(PASSWORD, lambda n: b"s" * n) for _ in range(2)]
    assert fixed[0] == fixed[1]


def test_openssl_computes_the_same_hash() -> None:
    try:
        other = Argon2id(salt=b"s" * 16, length=32, iterations=2, lanes=1, memory_cost=19_456)
    except UnsupportedAlgorithm:
        other = None  # an OpenSSL before 3.2 has no argon2; the library's own test vectors remain
    encoded = passwords.hash_password(PASSWORD, lambda n: b"s" * n)
    if other is not None:
        assert other.derive_phc_encoded(PASSWORD.encode()) == encoded


def test_the_right_password_and_no_other() -> None:
    assert passwords.verify_password(HASH, PASSWORD)
    for wrong in ("", PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1], PASSWORD + "\0", "\ud800"):
        assert not passwords.verify_password(HASH, wrong)


def test_a_lone_surrogate_and_every_script_can_be_a_password() -> None:
    for text in ("\ud800", "пароль", "密码", "a\0b"):
        encoded = passwords.hash_password(text, os.urandom)
        assert passwords.verify_password(encoded, text)
        assert not passwords.verify_password(encoded, text + "x")


def test_an_unknown_user_takes_as_long_as_a_known_one() -> None:
    def seconds(encoded: str | None) -> float:
        times = []
        for _ in range(5):
            before = time.thread_time()
            assert not passwords.verify_password(encoded, "wrong")
            times.append(time.thread_time() - before)
        return min(times)

    assert not passwords.verify_password(None, PASSWORD)
    known, unknown = seconds(HASH), seconds(None)
    assert known / 3 < unknown < known * 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("t=2", "t=1"),
        ("m=19456", "m=19455"),
        ("m=19456,t=2", "m=12288,t=3"),
        ("m=19456,t=2", "m=4096,t=12"),
        ("$v=19", "$v=16"),
        ("$v=19", ""),
        ("argon2id", "argon2i"),
        ("argon2id", "argon2d"),
        (HASH.split("$")[4], "c2FsdHNhbHQ"),
        (HASH.split("$")[5], "aGFzaGhhc2hoYXNo"),
        (HASH, "not a hash"),
        (HASH, ""),
    ],
)
def test_what_is_weaker_than_todays_asks_for_a_new_hash(old: str, new: str) -> None:
    assert HASH.count(old) == 1
    assert passwords.needs_rehash(HASH.replace(old, new))
    assert not passwords.needs_rehash(HASH)


@pytest.mark.parametrize("stronger", ["m=65536,t=3,p=4", "m=65536,t=2,p=1", "m=47104,t=1,p=1", "m=19456,t=3,p=1"])
def test_what_is_stronger_than_todays_stays(stronger: str) -> None:
    encoded = HASH.replace("m=19456,t=2,p=1", stronger)
    assert passwords.objection(encoded) == ""
    assert not passwords.needs_rehash(encoded)
    assert passwords.needs_rehash(encoded.replace("argon2id", "argon2i"))


@pytest.mark.parametrize(
    "encoded",
    [
        HASH.replace("m=19456", "m=4194304"),
        HASH.replace("t=2", "t=1000000"),
        HASH.replace("p=1", "p=1000"),
        HASH.replace("p=1", "p=0"),
        HASH.replace("m=19456,t=2,p=1", "m=8,t=2,p=2"),
        "$2b$12$abcdefghijklmnopqrstuv",
        "",
        "$argon2id$",
        HASH + "\n",
        HASH.replace("$v", "\0$v"),
        HASH[:-2] + "\0w",
        "$argon2id$v=19$m=x,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        "é" * 100,
    ],
    ids=(
        "memory",
        "time",
        "lanes",
        "no lanes",
        "too little memory",
        "half a bcrypt",
        "empty",
        "cut",
        "a line more",
        "a NUL",
        "a NUL in the hash",
        "no number",
        "no ASCII",
    ),
)
def test_a_hostile_or_foreign_hash_costs_nothing_and_matches_nothing(encoded: str) -> None:
    assert passwords.objection(HASH) == ""
    assert passwords.objection(encoded) != ""
    before = time.thread_time()
    assert not passwords.verify_password(encoded, PASSWORD)
    assert time.thread_time() - before < 1
