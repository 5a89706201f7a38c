"""A mail server that keeps what it is given (RFC 5321, RFC 3207, RFC 4954), and fails where a test says so."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Caught:
    """One mail, with the envelope that it came in."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    protected: bool
    user: str

    @property
    def mail(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        return str(self.mail["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def link(self) -> str:
        """The link of the text part."""
        found = re.search(r"https?://\S+", self.text)
        assert found is not None, self.text
        return found[0]

    @property
    def code(self) -> str:
        """The code in that link."""
        return parse_qs(urlsplit(self.link).query)["code"][0]

    def _part(self, kind: str) -> str:
        body = self.mail.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass
class Catcher:
    """The server's address, what it caught, and how it is to fail.

    `answers` are replies to RCPT by recipient, each used once; `swallow` takes so many mails, keeps them, and breaks
    the connection instead of saying so; `hold` takes so many and says nothing until the other side is gone.
    """

    port: int = 0
    caught: list[Caught] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)
    swallow: int = 0
    hold: int = 0
    tls: ssl.SSLContext | None = None
    immediate: bool = False  # TLS from the first byte
    users: dict[str, str] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, count: int = 1, *, to: str = "", seconds: float = 60) -> list[Caught]:
        """Wait until so many mails (to one address) are here, and give them all."""
        with self._news:
            done = self._news.wait_for(lambda: len(self._to(to)) >= count, timeout=seconds)
            assert done, f"{len(self._to(to))} of {count} mails to {to or 'anybody'} came"
            return self._to(to)

    def last(self, to: str, count: int = 1) -> Caught:
        """The newest mail to somebody, once there are so many."""
        return self.wait(count, to=to)[-1]

    def _to(self, to: str) -> list[Caught]:
        return [one for one in self.caught if not to or to in one.recipients]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        talk = _Talk(self, reader, writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await talk.run()
        writer.close()

    def keep(self, one: Caught) -> None:
        with self._news:
            self.caught.append(one)
            self._news.notify_all()


class _Talk:
    """One conversation."""

    def __init__(self, catcher: Catcher, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.catcher, self.reader, self.writer = catcher, reader, writer
        self.protected, self.user = catcher.immediate, ""
        self.sender, self.recipients = "", list[str]()

    async def say(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())
        await self.writer.drain()

    async def hear(self) -> str:
        return (await self.reader.readuntil(b"\r\n")).decode().rstrip("\r\n")

    async def run(self) -> None:
        await self.say("220 catcher ESMTP")
        while True:
            line = await self.hear()
            verb, _, rest = line.partition(" ")
            if not await self.answer(verb.upper(), rest):
                return

    async def answer(self, verb: str, rest: str) -> bool:
        match verb:
            case "EHLO":
                extra = ["250-STARTTLS"] if self.catcher.tls and not self.protected else []
                auth = ["250-AUTH PLAIN LOGIN"] if self.catcher.users else []
                for line in ("250-catcher", *extra, *auth, "250-8BITMIME", "250 SMTPUTF8"):
                    await self.say(line)
            case "STARTTLS":
                await self.say("220 go ahead")
                assert self.catcher.tls is not None
                await self.writer.start_tls(self.catcher.tls)
                self.protected = True
            case "AUTH":
                await self.authenticate(rest)
            case "MAIL":
                if self.catcher.users and not self.user:
                    await self.say("530 sign in first")
                else:
                    self.sender, self.recipients = _address(rest), []
                    await self.say("250 fine")
            case "RCPT":
                await self.recipient(_address(rest))
            case "DATA":
                return await self.data()
            case "RSET" | "NOOP":
                await self.say("250 fine")
            case "QUIT":
                await self.say("221 bye")
                return False
            case _:
                await self.say("500 what?")
        return True

    async def authenticate(self, rest: str) -> None:
        mechanism, _, first = rest.partition(" ")
        if mechanism == "PLAIN":
            _, user, password = base64.b64decode(first).decode().split("\0")
        else:
            if not first:
                await self.say("334 " + base64.b64encode(b"Username:").decode())
                first = await self.hear()
            user = base64.b64decode(first).decode()
            await self.say("334 " + base64.b64encode(b"Password:").decode())
            password = base64.b64decode(await self.hear()).decode()
        if self.catcher.users.get(user) == password:
            self.user = user
            await self.say("235 welcome")
        else:
            await self.say("535 no")

    async def recipient(self, address: str) -> None:
        waiting = self.catcher.answers.get(address)
        if waiting:
            await self.say(waiting.pop(0))
            return
        self.recipients.append(address)
        await self.say("250 fine")

    async def data(self) -> bool:
        await self.say("354 go on")
        lines = []
        while (line := await self.reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        one = Caught(self.sender, tuple(self.recipients), b"".join(lines), self.protected, self.user)
        if self.catcher.swallow:
            self.catcher.swallow -= 1
            self.catcher.keep(one)
            return False
        if self.catcher.hold:
            self.catcher.hold -= 1
            self.catcher.keep(one)
            await self.reader.read()
            return False
        self.catcher.keep(one)
        await self.say("250 taken")
        return True


def _address(rest: str) -> str:
    found = re.search(r"<([^>]*)>", rest)
    assert found is not None, rest
    return found[1]


@contextmanager
def catching(catcher: Catcher | None = None) -> Iterator[Catcher]:
    """A catcher on a free port of this machine, in a thread of its own."""
    catcher = catcher or Catcher()
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def main() -> None:
        tls = catcher.tls if catcher.immediate else None
        server = await asyncio.start_server(catcher.serve, "127.0.0.1", catcher.port, ssl=tls)
        catcher.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks(loop) - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield catcher
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
