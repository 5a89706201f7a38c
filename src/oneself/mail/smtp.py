"""The way to the mail server: one connection for a batch of letters, with a deadline for every word of it."""

from contextlib import suppress
from typing import NoReturn

import aiosmtplib

from oneself.faults import Fault, FaultCode
from oneself.mail.message import compose
from oneself.mail.server import MailServer
from oneself.model import Letter

# How long the server may take for one step: to be reached, to answer one command.
STEP_SECONDS = 15.0
_FOR_GOOD = 500


async def check(server: MailServer) -> None:
    """Reach the server and sign in, and send nothing. Raises Fault(MAIL_NOT_SENT)."""
    line = Line(server)
    try:
        await line.open()
    finally:
        await line.close()


class Line:
    """One connection to the mail server; it is opened again where a letter broke it."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: aiosmtplib.SMTP | None = None

    async def open(self) -> None:
        """Connect, protect the connection and sign in, unless that is done. Raises Fault(MAIL_NOT_SENT)."""
        if self._smtp is not None and self._smtp.is_connected:
            return
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=server.tls,
            username=server.user or None,
            password=server.password.reveal() if server.user else None,
            local_hostname=server.hello,
            timeout=STEP_SECONDS,
        )
        try:
            await smtp.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            smtp.close()
            raise Fault(FaultCode.MAIL_NOT_SENT, _told(error), "connect") from None
        self._smtp = smtp

    async def send(self, letter: Letter, message_id: str, at: int) -> None:
        """Hand one letter over; the server has it when this returns.

        Raises Fault(MAIL_NOT_SENT) where a later try may help, Fault(MAIL_REFUSED) where none will.
        """
        mail = compose(letter, message_id, self._server.sender, at)
        await self.open()
        assert self._smtp is not None
        try:
            await self._smtp.send_message(mail, recipients=[letter.to])
        except aiosmtplib.SMTPRecipientsRefused as error:
            _refused(min((one.code for one in error.recipients), default=0), error)
        except aiosmtplib.SMTPDataError as error:
            _refused(error.code, error)
        except aiosmtplib.SMTPNotSupported as error:
            _refused(_FOR_GOOD, error)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Fault(FaultCode.MAIL_NOT_SENT, _told(error), "send") from None

    def drop(self) -> None:
        """Let go of the connection without a word: the server has none for us."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def close(self) -> None:
        """Say goodbye, if anybody listens."""
        if self._smtp is None:
            return
        with suppress(aiosmtplib.SMTPException, OSError):
            if self._smtp.is_connected:
                await self._smtp.quit()
        self._smtp.close()
        self._smtp = None


def _refused(code: int, error: Exception) -> NoReturn:
    """RFC 5321 section 4.2.1: what begins with 5 will be refused again, what begins with 4 may be tried later."""
    fault = FaultCode.MAIL_REFUSED if code >= _FOR_GOOD else FaultCode.MAIL_NOT_SENT
    raise Fault(fault, _told(error), "send") from None


def _told(error: Exception) -> str:
    """What went wrong, without the server's own words: these may repeat an address or what we signed in with."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = ", ".join(str(one.code) for one in error.recipients)
        return f"the mail server refuses the recipient ({codes})"
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"the mail server does not take the user and password ({error.code})"
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return f"the mail server refuses the sender ({error.code})"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the mail server answered {error.code}"
    if isinstance(error, aiosmtplib.SMTPTimeoutError | TimeoutError):
        return "the mail server did not answer in time"
    if isinstance(error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPServerDisconnected):
        return f"no connection to the mail server, or it broke ({_cause(error)})"
    if isinstance(error, aiosmtplib.SMTPException):
        return f"{type(error).__name__}: {error}"
    return f"no connection to the mail server ({_cause(error)})"


def _cause(error: Exception) -> str:
    cause = error.__cause__ or error
    return getattr(cause, "strerror", "") or type(cause).__name__
