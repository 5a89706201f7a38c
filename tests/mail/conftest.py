"""A project that sends mail into a catcher, in the test's own process, over each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from oneself.mail.server import MailServer
from oneself.model import ProjectConfig
from tests.mail.catcher import Catcher, catching
from tests.stack.in_process import Face, face_on

SENDER = "Oneself <id@oneself.example>"


def server_of(catcher: Catcher, **more: Any) -> MailServer:
    """The way to a catcher."""
    values: dict[str, Any] = {"host": "127.0.0.1", "port": catcher.port, "security": "none", "sender": SENDER}
    return MailServer(**(values | more))


@asynccontextmanager
async def mailing_face(url: str, catcher: Catcher, **config: Any) -> AsyncIterator[Face]:
    """A fresh project whose letters go to the catcher; `config` are the project's settings."""
    async with face_on(url, ProjectConfig(**({"otp_enabled": True} | config))) as face:
        yield replace(face, rt=replace(face.rt, mail_server=server_of(catcher)))


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    """A mail server of this test's own."""
    with catching() as made:
        yield made


@pytest.fixture
async def face(migrated_url: str, catcher: Catcher) -> AsyncIterator[Face]:
    """A project that sends mail."""
    async with mailing_face(migrated_url, catcher) as made:
        yield made
