"""Hashes that other systems made: published vectors, what their makers did with odd passwords, and bounded costs."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import bcrypt
import pytest

from oneself.crypto import passwords

ROOT = Path(__file__).resolve().parents[2]
LONG = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SALT = "C" * 21 + "."

# Of the self-test of Openwall's crypt_blowfish, the implementation behind PHP and most of the C libraries; the two on
# texts beyond ASCII are what crypt(3) of libxcrypt gives.
BCRYPT = [
    ("U*U", f"$2a$05${SALT}E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("U*U*", f"$2a$05${SALT}VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
    (LONG, "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
    ("", f"$2b$04${SALT}Cg0ly9t/KVBCBYYDfOmZKwry9JuXClC"),
    ("пароль", f"$2b$04${SALT}E8FzwhEtgWrCmuD.tMR7752tBqWwYNC"),
    ("correct horse battery", "$2y$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS"),
]
# Of RFC 7914 section 12, and of passlib's documentation.
SCRYPT = [
    (
        "password",
        (
            "$scrypt$ln=10,r=8,p=16$TmFDbA"
            "$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA"
        ),
    ),
    (
        "pleaseletmein",
        (
            "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU"
            "$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"
        ),
    ),
    ("password", "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"),
]
WHOLE = BCRYPT[0][1]


def scrypt(ln: object = 14, r: object = 8, p: object = 1, salt: str = "c2FsdHNhbHQ", hashed: str = "A" * 43) -> str:
    """A PHC string of these parts, whatever they are worth."""
    return f"$scrypt$ln={ln},r={r},p={p}${salt}${hashed}"


@pytest.mark.parametrize(("password", "encoded"), BCRYPT + SCRYPT)
def test_published_vectors_are_matched_by_their_password_and_no_other(password: str, encoded: str) -> None:
    assert passwords.objection(encoded) == ""
    assert passwords.needs_rehash(encoded)
    assert passwords.verify_password(encoded, password)
    assert not passwords.verify_password(encoded, "x" + password)


def test_the_three_names_of_bcrypt_are_one_algorithm() -> None:
    made = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    assert made.startswith("$2b$04$")
    for name in ("2a", "2b", "2y"):
        assert passwords.kind_of(f"${name}${made[4:]}") == "bcrypt"
        assert passwords.verify_password(f"${name}${made[4:]}", "correct horse")
        assert not passwords.verify_password(f"${name}${made[4:]}", "correct house")
    # $2x$ marks hashes of a faulty implementation, and $2$ one that left the end of the password out
    assert {passwords.kind_of(f"${name}${made[4:]}") for name in ("2", "2x", "2c", "2B")} == {""}


def test_of_a_long_password_72_bytes_count_as_they_did_for_whoever_made_the_hash() -> None:
    """The published vector is on a text of 98 characters, of which 26 are ignored."""
    encoded = BCRYPT[2][1]
    assert len(LONG) == 72
    assert passwords.verify_password(encoded, LONG + "chars after 72 are ignored")
    assert passwords.verify_password(encoded, LONG + "x" * 100_000)
    assert not passwords.verify_password(encoded, LONG[:-1])
    assert not passwords.verify_password(encoded, LONG[:-1] + "!" + "chars after 72 are ignored")


def test_a_character_may_be_cut_in_two() -> None:
    """72 bytes, not characters: 36 Cyrillic letters, or the first byte of one behind 71 others."""
    whole, cut = "ы" * 36, "a" * 71 + "ы"
    for text in (whole, cut):
        encoded = bcrypt.hashpw(text.encode()[:72], bcrypt.gensalt(4)).decode()
        assert passwords.verify_password(encoded, text + "и так далее")
    assert passwords.verify_password(encoded, "a" * 71 + "ь")  # the same first byte
    assert not passwords.verify_password(encoded, "a" * 71 + "z")


def test_a_nul_matches_no_hash_of_bcrypt_and_raises_nothing() -> None:
    encoded = bcrypt.hashpw(b"correct", bcrypt.gensalt(4)).decode()
    for text in ("correct\0", "correct\0horse", "\0", "\0correct"):
        assert not passwords.verify_password(encoded, text)
        # also where an implementation went on behind it
        beyond = bcrypt.hashpw(text.encode(), bcrypt.gensalt(4)).decode()
        assert not passwords.verify_password(beyond, text)
    assert passwords.verify_password(encoded, "correct")
    encoded = hashed("cor\0rect")
    assert passwords.verify_password(encoded, "cor\0rect")
    assert not passwords.verify_password(encoded, "cor")


def hashed(password: str) -> str:
    """What scrypt makes of a password, at little cost."""
    raw = hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=b"salt", n=16, r=1, p=1, dklen=32)
    return scrypt(4, 1, 1, "c2FsdA", base64.b64encode(raw).decode().rstrip("="))


def test_every_text_can_be_a_password() -> None:
    for text in ("\ud800", "пароль", "密码", "", "x" * 100_000):
        for encoded in (
            hashed(text),
            bcrypt.hashpw(text.encode("utf-8", "surrogatepass")[:72], bcrypt.gensalt(4)).decode(),
        ):
            assert passwords.verify_password(encoded, text)
            assert not passwords.verify_password(encoded, "?" + text)


COSTS = [
    (WHOLE.replace("$05$", "$15$"), WHOLE.replace("$05$", "$16$"), "bcrypt cost above 15"),
    (WHOLE.replace("$05$", "$04$"), WHOLE.replace("$05$", "$31$"), "bcrypt cost above 15"),
    (scrypt(17, 8, 2), scrypt(18, 8), "more than 128 MiB"),
    (scrypt(16, 8, 4), scrypt(16, 8, 5), "too much work"),
    (scrypt(13, 64), scrypt(13, 65), "more than 128 MiB"),
    (scrypt(14, 64), scrypt(15, 64), "more than 128 MiB"),
    (scrypt(4, 1, 64), scrypt(4, 1, 65), "too much work"),
    (scrypt(14, 8, 5), scrypt(14, 8, 2**29), "too much work"),
    (scrypt(15, 8, 3), scrypt(4_000_000_000, 8, 3), "more than 128 MiB"),
    (scrypt(15, 1), scrypt(16, 1), "RFC 7914 does not allow"),
]


@pytest.mark.parametrize(("bounded", "beyond", "why"), COSTS)
def test_what_would_cost_too_much_is_refused_unverified(bounded: str, beyond: str, why: str) -> None:
    assert passwords.objection(bounded) == ""
    assert why in passwords.objection(beyond)
    assert passwords.kind_of(beyond) == passwords.kind_of(bounded)
    assert not passwords.verify_password(beyond, "U*U")


@pytest.mark.parametrize(
    "encoded",
    [
        WHOLE[:-1],
        WHOLE + "a",
        WHOLE + "\n",
        WHOLE.replace("$05$", "$5$"),
        WHOLE.replace("$05$", "$03$"),
        WHOLE.replace("$05$", "$32$"),
        WHOLE.replace("$05$", "$٠٥$"),
        WHOLE.replace("O", "\0"),
        WHOLE.replace("O", "é"),
        WHOLE.replace(f"{SALT}E", "C" * 22 + "E"),  # bits to spare that are not 0: nothing gives this hash
        WHOLE[:-1] + "X",
        "$2b$",
        "$2a$05$" + SALT,
        scrypt(salt=""),
        scrypt(hashed="AAAA"),
        scrypt(salt="c2FsdA=="),
        scrypt(salt="c2FsdB"),
        scrypt(salt="c2-_dA"),
        scrypt(salt="c2\0dA"),
        scrypt(hashed="A" * 41),
        scrypt(hashed="A" * 129),
        scrypt(ln="0"),
        scrypt(ln="04"),
        scrypt(ln="-1"),
        scrypt(ln="١٤"),
        scrypt(r=0),
        scrypt(p=0),
        scrypt() + "$",
        "$scrypt$",
        "$scrypt$N=16384,r=8,p=1$c2FsdA$" + "A" * 43,
        "$scrypt$r=8,ln=14,p=1$c2FsdA$" + "A" * 43,
    ],
)
def test_what_is_cut_off_or_misspelt_is_refused_and_matches_nothing(encoded: str) -> None:
    assert passwords.objection(encoded) == "is cut off or misspelt"
    assert not passwords.verify_password(encoded, "U*U")
    assert passwords.objection(WHOLE) == passwords.objection(scrypt()) == ""


def test_kinds_that_nobody_verifies_here_are_none() -> None:
    for encoded in ("", "md5:0123", "{SSHA}AAAA", "pbkdf2_sha256$1$a$b", "scrypt:32768:8:1$a$b", "$7$C6..../....a$b"):
        assert passwords.kind_of(encoded) == ""
        assert passwords.objection(encoded) == "is of no kind that is verified here"
        assert not passwords.verify_password(encoded, "x")


def test_the_documentations_lines_make_of_scrypts_parts_what_is_verified() -> None:
    text = (ROOT / "docs" / "importing.md").read_text()
    found = re.search(r"```python\n(from base64 [^`]*)```", text, re.DOTALL)
    assert found is not None
    there: dict[str, object] = {}
    exec(found[1], there)  # noqa: S102 - our own documentation, held to what it says
    phc = there["phc"]
    assert callable(phc)
    raw = hashlib.scrypt(b"correct horse", salt=b"a salt", n=1024, r=8, p=1, dklen=64)
    assert passwords.verify_password(phc(1024, 8, 1, b"a salt", raw), "correct horse")
    assert not passwords.verify_password(phc(1024, 8, 1, b"a salt", raw), "correct house")
