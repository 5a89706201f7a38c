"""The certificates of `oneself dev --https`: an authority, made once in the data folder, and the server's own.

trustme issues the server's certificate. The authority is not trustme's, which would vouch for every name there is, for
a thousand years: a browser that trusts it would believe whoever read its key from the folder to be anybody.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext, SSLError

import trustme

from oneself.cli.dev_folder import CA_NAME, DevFolderUnusable, Tls, put, read, using
from oneself.crypto.authority import Certificate, new_authority, read_certificate

KEY_NAME = "https-ca-key.pem"
"""The authority's certificate and key: whoever reads it can pose as this machine to those who trust it."""
SERVER_NAME = "https-server.pem"
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_ALWAYS_PERMITTED = ("localhost", "127.0.0.0/8", "::1/128")
_AUTHORITY_DAYS = 3650
# browsers take no certificate that lives longer than 398 days
_SERVER_DAYS = 397
_RENEWED_BEFORE = timedelta(days=60)


def open_tls(folder: Path, host: str, now: datetime | None = None) -> Tls:
    """Make what is missing or too old in the folder, and give what to serve with under `host` and the local names.

    The authority is kept for as long as it is valid; the server's certificate is made anew sixty days before its end,
    or when it does not name `host`. Raises DevFolderUnusable.
    """
    now = now or datetime.now(UTC)
    with using(folder):
        kept = _authority(folder, host, now)
        authority = read_certificate(kept)
        if not authority.may_vouch_for(host):
            raise DevFolderUnusable(
                f"the authority in {folder / CA_NAME} may not vouch for {host}, because it was made for another "
                f"--host. Name another folder with --data, or remove {KEY_NAME} from this one; clients must then "
                f"trust the new {CA_NAME}."
            )
        ca_pem = _certificate_alone(kept)
        put(folder / CA_NAME, ca_pem)
        server = folder / SERVER_NAME
        if not _is_good(server, authority, host, now):
            put(server, _issued(kept, ca_pem, authority, host, now))
    return Tls(server.resolve(), (folder / CA_NAME).resolve(), ca_pem.decode(), authority.key_digest)


def _authority(folder: Path, host: str, now: datetime) -> bytes:
    """The authority's certificate and key, made where there is none or where its time is over."""
    file = folder / KEY_NAME
    kept = read(file)
    if kept is not None:
        try:
            end = read_certificate(kept).not_after
            trustme.CA.from_pem(kept, kept)
        except (ValueError, TypeError):
            raise DevFolderUnusable(
                f"{file} is damaged. Bring it back from a copy, or remove it; clients must then trust the new "
                f"{CA_NAME}."
            ) from None
        if now < end:
            return kept
    names = dict.fromkeys((*_ALWAYS_PERMITTED, *_beside(host)))
    certificate, key = new_authority(names, now, _AUTHORITY_DAYS)
    put(file, certificate + key)
    return certificate + key


def _beside(host: str) -> Iterator[str]:
    """What the authority must vouch for beside the local names."""
    if host not in LOCAL_NAMES:
        yield host


def _certificate_alone(kept: bytes) -> bytes:
    end = b"-----END CERTIFICATE-----\n"
    return kept[kept.index(b"-----BEGIN CERTIFICATE-----") : kept.index(end) + len(end)]


def _issued(kept: bytes, ca_pem: bytes, authority: Certificate, host: str, now: datetime) -> bytes:
    names = dict.fromkeys((*LOCAL_NAMES, host))
    issued = trustme.CA.from_pem(kept, kept).issue_cert(
        *names,
        organization_name="Oneself development",
        organization_unit_name="server",
        not_before=now - timedelta(days=1),
        not_after=min(now + timedelta(days=_SERVER_DAYS), authority.not_after),
    )
    # the authority goes along, so that a client can be told to trust by its key
    return issued.private_key_and_cert_chain_pem.bytes() + ca_pem


def _is_good(server: Path, authority: Certificate, host: str, now: datetime) -> bool:
    """Whether the server's certificate can stay: it is whole, of this authority, for this host, for long enough."""
    pem = read(server)
    if pem is None:
        return False
    try:
        shown = read_certificate(pem)
        SSLContext(PROTOCOL_TLS_SERVER).load_cert_chain(server)
    except (ValueError, SSLError):
        return False
    return (
        shown.issuer_key_id == authority.key_id
        and {*LOCAL_NAMES, host} <= shown.names
        and now < min(shown.not_after - _RENEWED_BEFORE, authority.not_after)
    )
