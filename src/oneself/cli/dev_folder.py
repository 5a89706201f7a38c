"""The folder of `oneself dev`: its database, its keys and its authority, as all commands read them."""

import fcntl
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

DATABASE_NAME = "oneself.sqlite3"
KEYS_NAME = "dev-keys.json"
CA_NAME = "https-ca.pem"
"""The certificate of the authority of `oneself dev --https`."""
DEFAULT_FOLDER = Path("oneself-data")


class DevFolderUnusable(Exception):
    """The folder cannot be used; the text says why and what to do."""


class StytchKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The project's ids and keys in Stytch's dialect, in clear."""

    project_id: str
    secret: str
    public_token: str


class StackKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The project's id and keys in Stack Auth's dialect, in clear."""

    project_id: str
    publishable_client_key: str
    secret_server_key: str
    super_secret_admin_key: str


class ProjectKeys(msgspec.Struct, frozen=True, kw_only=True):
    """One project as a developer copies it."""

    id: str
    stytch: StytchKeys
    stack: StackKeys


class DevKeys(msgspec.Struct, frozen=True, kw_only=True):
    """All secrets of one data folder."""

    master_keys: str
    callback_id: str
    client_secret: str
    project: ProjectKeys
    # for a provider whose clients sign their secret; folders of before it was needed get theirs at the next start
    signing_key: str = ""
    # how often the database beside was restored
    epoch: int = 0


class Tls(NamedTuple):
    """What the server shows, and what its clients must trust.

    `server` is a PEM file with the server's key and certificate, `ca` one with the authority's certificate, `ca_pem`
    its text, and `ca_digest` the SHA-256 of the authority's public key, in base64.
    """

    server: Path
    ca: Path
    ca_pem: str
    ca_digest: str


@contextmanager
def using(folder: Path) -> Iterator[None]:
    """Make the folder where it is missing, and keep it to this process while files in it are made.

    Of two that start at once, one makes each file and the other finds it. Raises DevFolderUnusable, also for what goes
    wrong inside.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            folder.chmod(0o700)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
    except (FileExistsError, NotADirectoryError):
        raise DevFolderUnusable(f"{folder} is a file, or lies below one. Name a folder with --data.") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise DevFolderUnusable(f"{folder} cannot be used ({why}). Name another with --data.") from None


def read(file: Path) -> bytes | None:
    """What a file of the folder holds; None where there is no such file."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def put(file: Path, content: bytes) -> None:
    """Write a file (0600) as a whole or not at all; the caller holds the folder."""
    fresh = file.with_name(f".{file.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)


def write_epoch(folder: Path, epoch: int) -> None:
    """Note that the folder's database was restored. Raises DevFolderUnusable."""
    with using(folder):
        keys = read_keys(folder)
        if keys is None:
            raise DevFolderUnusable(f"{folder} holds no keys of `oneself dev`. Name another with --data.")
        write_keys(folder, msgspec.structs.replace(keys, epoch=epoch))


def write_keys(folder: Path, keys: DevKeys) -> None:
    """Write the folder's keys; the caller holds the folder."""
    put(folder / KEYS_NAME, msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")


def database_url(folder: Path) -> str:
    """The address of the folder's database."""
    return f"sqlite:///{folder.resolve() / DATABASE_NAME}"


def read_keys(folder: Path) -> DevKeys | None:
    """The keys of a folder that `oneself dev` made, or None. Raises DevFolderUnusable."""
    file = folder / KEYS_NAME
    try:
        content = read(file)
    except OSError as error:
        raise DevFolderUnusable(f"{file} cannot be read ({error.strerror}). Check whose it is.") from None
    return None if content is None else _parsed(file, content)


def read_ca(folder: Path) -> str:
    """The certificate of the folder's authority (PEM), or nothing where it never served https."""
    pem = (read(folder / CA_NAME) or b"").decode("ascii", "replace")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        return ""
    return pem


def _parsed(file: Path, content: bytes) -> DevKeys:
    try:
        return msgspec.json.decode(content, type=DevKeys)
    except msgspec.DecodeError:
        raise DevFolderUnusable(
            f"{file} is damaged, and without it the database beside it cannot be read. Bring it back "
            "from a copy, or begin anew with another --data folder."
        ) from None
