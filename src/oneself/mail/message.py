"""One letter as a mail: headers, and the same words as text and as HTML (RFC 5322, RFC 2046 section 5.1.4)."""

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

from oneself.faults import Fault, FaultCode
from oneself.mail.letters import moment, write
from oneself.model import Letter

_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]]+")


def compose(letter: Letter, message_id: str, sender: str, at: int) -> EmailMessage:
    """The mail of a letter, from `sender` (an address, with or without a name before it), dated `at` (microseconds).

    `message_id` is the letter's own, the same at every try: a mail server or a reader that meets a mail twice can tell.
    Raises Fault(MAIL_REFUSED) where the address makes no header.
    """
    written = write(letter, at)
    name, address = parseaddr(sender)
    mail = EmailMessage(SMTP if letter.to.isascii() else SMTPUTF8)
    try:
        mail["From"] = Address(name or letter.project_name, addr_spec=address)
        mail["To"] = _single(letter.to)
        mail["Subject"] = written.subject
    except (ValueError, IndexError, MessageError):
        raise Fault(FaultCode.MAIL_REFUSED, "an address that makes no header") from None
    mail["Date"] = format_datetime(moment(at))
    mail["Message-ID"] = f"<{message_id}@{address.rpartition('@')[2]}>"
    # RFC 3834 section 5: machines are not to answer this.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(written.text)
    mail.add_alternative(written.html, subtype="html")
    return mail


def _single(address: str) -> Address:
    """One address as a header takes it. The library reads only ASCII ones (RFC 6531 has others as they are)."""
    if address.isascii():
        return Address(addr_spec=address)
    local, _, domain = address.rpartition("@")
    if not _LOCAL.fullmatch(local):
        raise ValueError("not a local part")
    return Address(username=local, domain=domain)
