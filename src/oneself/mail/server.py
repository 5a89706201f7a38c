"""Which mail server takes our letters, and how it is spoken to."""

import ssl
from dataclasses import dataclass, field
from typing import Literal

from oneself.model import Secret


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes: a server, how the connection is protected, who we are there, and whom mail comes from.

    `hello` is the name that we give ourselves (RFC 5321 section 4.1.1.1). `tls` replaces the machine's own trust.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    hello: str = "localhost"
    tls: ssl.SSLContext | None = field(default=None, repr=False)
