"""Certificate authorities that speak for a few names only, and what certificates say of themselves."""

import hashlib
import ipaddress
import os
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

_ORGANIZATION = "Oneself development"
# a clock that runs behind, in a virtual machine say, must not find the certificate to be of the future
_BACKDATED = timedelta(days=1)
_SIGNS_CERTIFICATES_ALONE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one certificate says of itself.

    `names` are the host names and addresses that it is for, `permitted` those that an authority may vouch for (names
    with all below them, networks). `key_digest` is the SHA-256 of its public key in base64, as browsers pin keys.
    """

    not_after: datetime
    names: frozenset[str]
    permitted: frozenset[str]
    key_digest: str
    issuer_key_id: bytes
    key_id: bytes

    def may_vouch_for(self, host: str) -> bool:
        """Whether its constraints allow a certificate for a host name or an address (RFC 5280, 4.2.1.10)."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return any(host == name or host.endswith(f".{name}") for name in self.permitted)
        networks = (ipaddress.ip_network(one) for one in self.permitted if "/" in one)
        return any(address in network for network in networks)


def new_authority(permitted: Iterable[str], now: datetime, days: int) -> tuple[bytes, bytes]:
    """Make an authority that may vouch for `permitted` alone, for `days`; its certificate and its key, in PEM.

    Each of `permitted` is a host name, which stands for all names below it too, an address or a network. The constraint
    is critical: a client that cannot keep it refuses the authority (RFC 5280, 4.2.1.10).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    # a name of its own for each, because clients look authorities up by name
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{_ORGANIZATION} authority {os.urandom(4).hex()}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_CERTIFICATES_ALONE, critical=True)
        .add_extension(x509.NameConstraints([_subtree(one) for one in permitted], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def read_certificate(pem: bytes) -> Certificate:
    """Read the first certificate of a PEM text. Raises ValueError where there is none."""
    found = x509.load_pem_x509_certificate(pem)
    spki = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Certificate(
        not_after=found.not_valid_after_utc,
        names=_names(found),
        permitted=_permitted(found),
        key_digest=b64encode(hashlib.sha256(spki).digest()).decode(),
        issuer_key_id=_issuer_key_id(found),
        key_id=x509.SubjectKeyIdentifier.from_public_key(found.public_key()).digest,
    )


def _subtree(one: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(one))
    except ValueError:
        return x509.DNSName(one)


def _names(found: x509.Certificate) -> frozenset[str]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in names)


def _permitted(found: x509.Certificate) -> frozenset[str]:
    try:
        constraints = found.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in constraints.permitted_subtrees or ())


def _issuer_key_id(found: x509.Certificate) -> bytes:
    try:
        issuer = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except x509.ExtensionNotFound:
        return b""
    return issuer.key_identifier or b""
