"""The OAuth clients that the emulated providers know, and how a client proves who it is."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

import msgspec


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One registered client. `provider` empty: known at every provider. No secret: a public client.

    `redirect_uris` are compared as exact texts. `options` are what its registration says at that
    provider (`kind`, `mode`, `rotation`, ...), see the players. `learning` marks a client that was
    not declared: whatever it shows first is taken as its registration.
    """

    client_id: str
    client_secret: str = ""
    redirect_uris: tuple[str, ...] = ()
    provider: str = ""
    options: dict[str, str] = {}
    learning: bool = False

    def option(self, name: str, default: str) -> str:
        """Give one option of the registration, or the default."""
        return self.options.get(name, default)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says about its client: the id, the secret if any, and by which way it came."""

    client_id: str
    secret: str
    way: str  # "basic", "post" or "none"


def read_credentials(
    authorization: str, form: Mapping[str, str], id_param: str, secret_param: str = "client_secret"
) -> Credentials | None:
    """Read the client's credentials (RFC 6749 2.3.1); None where they are unreadable or doubled.

    Basic carries both parts form-encoded. A client that uses two ways at once is refused, as the
    RFC demands; repeating the bare `client_id` in the form is allowed (RFC 6749 3.2.1).
    """
    in_form = form.get(id_param, "")
    if not authorization:
        secret = form.get(secret_param, "")
        return Credentials(in_form, secret, "post" if secret_param in form else "none")
    scheme, _, blob = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(blob.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, colon, secret = pair.partition(":")
    name, secret = unquote_plus(name), unquote_plus(secret)
    if not colon or secret_param in form or (in_form and in_form != name):
        return None
    return Credentials(name, secret, "basic")


def secret_matches(client: Client, secret: str) -> bool:
    """Compare in constant time; a public client has nothing to compare and matches only nothing."""
    return hmac.compare_digest(client.client_secret.encode(), secret.encode())
