"""Letters of real servers: several share the work and each letter leaves once; a killed one's letter leaves again."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from oneself.app.database import microseconds
from oneself.store.opening import open_database
from tests.mail.catcher import catching
from tests.postgres_server import Cluster
from tests.processes.conftest import emulator
from tests.processes.fleet import Fleet, fleet
from tests.stack.wire import fresh_email

__all__ = ["emulator"]


def ask(made: Fleet, email: str, server: int = 0) -> None:
    """Ask one of the servers for a code."""
    body = {"email": email, "callback_url": "http://localhost:3000/"}
    made.stack(server).ok("POST", "/auth/otp/send-sign-in-code", body, access="client")


async def waiting(url: str, *, make_due: bool = False) -> int:
    """How many letters wait; their leases may be ended, as time would."""
    db = await open_database(url, microseconds, exclusive=False)
    try:
        if make_due:
            await db.change("UPDATE outbox SET next_at = 0 RETURNING id")
        row = await db.one("SELECT COUNT(*) FROM outbox")
        assert row is not None
        return int(row[0])
    finally:
        await db.close()


def test_three_servers_send_each_letter_once(tmp_path: Path, postgres: Cluster, emulator: str) -> None:
    name = postgres.create_database()
    url = postgres.url(name)
    addresses = [fresh_email() for _ in range(60)]
    with catching() as catcher, fleet(tmp_path, url, emulator, 3, mail_port=catcher.port) as made:
        for place, address in enumerate(addresses):
            ask(made, address, place % 3)
        catcher.wait(60)
        made.stop()
        assert sorted(one.recipients[0] for one in catcher.caught) == sorted(addresses)
        assert asyncio.run(waiting(url)) == 0
    postgres.drop_database(name)


def test_a_letter_of_a_killed_server_leaves_once_more_and_no_letter_is_lost(
    migrated_url: str,
    tmp_path: Path,
    emulator: str,
) -> None:
    held, other = fresh_email(), fresh_email()
    with catching() as catcher, fleet(tmp_path, migrated_url, emulator, 1, mail_port=catcher.port) as made:
        catcher.hold = 1
        ask(made, held)
        catcher.wait(1, to=held)
        ask(made, other)
        made.servers[0].stop(signal.SIGKILL)
        assert asyncio.run(waiting(migrated_url)) >= 1
        asyncio.run(waiting(migrated_url, make_due=True))
        made.servers[0].start()
        made.ready()
        twice = catcher.wait(2, to=held)
        assert len({one.mail["Message-ID"] for one in twice}) == 1
        assert len({one.code for one in twice}) == 1
        code = twice[0].code
        assert made.stack().call("POST", "/auth/otp/sign-in", {"code": code}, access="client").status == 200
        assert made.stack().call("POST", "/auth/otp/sign-in", {"code": code}, access="client").status == 409
        catcher.wait(1, to=other)
        made.stop()
    assert asyncio.run(waiting(migrated_url)) == 0


def test_a_server_that_stops_finishes_what_it_began(
    migrated_url: str,
    tmp_path: Path,
    emulator: str,
) -> None:
    with catching() as catcher, fleet(tmp_path, migrated_url, emulator, 1, mail_port=catcher.port) as made:
        addresses = [fresh_email() for _ in range(10)]
        for address in addresses:
            ask(made, address)
        made.stop()
        left = asyncio.run(waiting(migrated_url))
        assert len(catcher.caught) + left == 10
        assert len({one.recipients for one in catcher.caught}) == len(catcher.caught)
