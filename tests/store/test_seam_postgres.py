"""PostgreSQL's side of the seam: what is certain after a lost connection, timeouts, clocks,
failover.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from oneself.faults import Fault, FaultCode
from oneself.store.database import StatementFailed, Tx
from oneself.store.opening import database_at, open_database
from oneself.store.postgres import PostgresDatabase
from oneself.store.postgres_link import Dialing
from tests.postgres_server import Cluster, free_port, running_cluster
from tests.store.conftest import Count, clock

TABLE = "CREATE TABLE rows (n BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT '')"
INSERT = "INSERT INTO rows (n) VALUES ($1) RETURNING n"
KILL_OTHERS = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
# A commit that takes a while: what is checked only then sleeps.
SLOW_COMMIT = (
    """CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$""",
    """CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON rows DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION dawdle()""",
)


@asynccontextmanager
async def opened(url: str, **settings: object) -> AsyncIterator[PostgresDatabase]:
    size = settings.pop("size", 8)
    wait = settings.pop("wait_seconds", 10.0)
    dialing = Dialing(url, clock, **settings)  # type: ignore[arg-type]
    db = PostgresDatabase(dialing, size=size, wait_seconds=wait)  # type: ignore[arg-type]
    await db.open()
    yield db
    await db.close()


@pytest.fixture
async def pg(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    async with opened(postgres_url) as db:
        await db.change(TABLE)
        yield db


@pytest.fixture
async def operator(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    """A second client, for what an operator does from outside."""
    async with opened(postgres_url, size=1, application="operator") as db:
        yield db


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server of this test's own, to be stopped and started."""
    with running_cluster() as cluster:
        yield cluster


async def stored(db: PostgresDatabase) -> list[int]:
    return [row[0] for row in await db.all("SELECT n FROM rows ORDER BY n")]


async def unavailable(call: object) -> str:
    """The detail of the Fault(database_unavailable) that awaiting `call` raises."""
    with pytest.raises(Fault) as refused:
        await call  # type: ignore[misc]
    assert refused.value.code == FaultCode.DATABASE_UNAVAILABLE
    return refused.value.detail


async def many(db: PostgresDatabase, first: int, count: int) -> None:
    """Use as many connections as there may be."""
    await asyncio.gather(
        *(db.write(lambda tx, n=n: tx.one(INSERT, n)) for n in range(first, first + count))  # type: ignore[misc]
    )


async def test_connections_cut_while_idle_are_replaced_unnoticed(
    pg: PostgresDatabase, operator: PostgresDatabase
) -> None:
    for start in (0, 100, 200):
        await many(pg, start, 20)
        await operator.one(KILL_OTHERS)
        assert await pg.one("SELECT 1") is not None
        await operator.one(KILL_OTHERS)
        await many(pg, start + 20, 20)
    assert len(await stored(pg)) == 120


async def test_a_connection_cut_before_the_commit_runs_the_closure_again(
    pg: PostgresDatabase, operator: PostgresDatabase
) -> None:
    runs: list[int] = []

    async def work(tx: Tx) -> int:
        runs.append(len(runs))
        await tx.one(INSERT, 1)
        if len(runs) < 3:
            await operator.one(KILL_OTHERS)
        await tx.one(INSERT, 2)
        return len(runs)

    assert await pg.write(work) == 3
    assert await stored(pg) == [1, 2]


async def test_reads_cut_in_the_middle_are_made_again(pg: PostgresDatabase, operator: PostgresDatabase) -> None:
    slow = "SELECT pg_sleep(0.3), (SELECT count(*) FROM rows)"
    reads = [asyncio.create_task(pg.one(slow)) for _ in range(4)]
    await asyncio.sleep(0.15)
    await operator.one(KILL_OTHERS)
    assert all(row is not None and row[1] == 0 for row in await asyncio.gather(*reads))


@pytest.mark.parametrize("verb", ["change", "write"])
async def test_a_commit_whose_outcome_is_unknown_is_never_made_again(
    pg: PostgresDatabase, operator: PostgresDatabase, verb: str
) -> None:
    for statement in SLOW_COMMIT:
        await pg.change(statement)
    runs: list[int] = []

    async def work(tx: Tx) -> None:
        runs.append(1)
        await tx.one(INSERT, 1)

    committing = pg.write(work) if verb == "write" else pg.change(INSERT, 1)
    task = asyncio.create_task(committing)
    await asyncio.sleep(0.3)
    await operator.one(KILL_OTHERS)
    assert "unknown" in await unavailable(task)
    assert len(runs) <= 1
    await asyncio.sleep(0.7)
    assert await stored(pg) == []


@pytest.mark.slow
async def test_a_commit_that_its_standby_has_not_is_not_believed() -> None:
    """An operator who cancels the wait for a synchronous standby turns it into a warning and a
    success.
    """
    ghost = {"synchronous_standby_names": "ghost", "synchronous_commit": "local"}
    with running_cluster(ghost) as cluster:
        url = cluster.url(cluster.create_database())
        waiting = {"synchronous_commit": "on"}
        async with opened(url) as operator, opened(url, extra=waiting) as db:
            await operator.change(TABLE)
            for number, call in enumerate((db.change(INSERT, 0), db.write(lambda tx: tx.one(INSERT, 1)))):
                task = asyncio.create_task(call)
                await asyncio.sleep(0.3)
                assert not task.done(), number
                await operator.one(
                    "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                )
                assert "standby" in await unavailable(task)
            assert await stored(operator) == [0, 1]


async def test_a_slow_statement_ends_in_time(postgres_url: str) -> None:
    async with opened(postgres_url, statement_timeout=0.3, size=1) as db:
        begun = time.monotonic()
        assert "57014" in await unavailable(db.one("SELECT pg_sleep(5)"))
        assert "57014" in await unavailable(db.write(lambda tx: tx.one("SELECT pg_sleep(5)")))
        assert time.monotonic() - begun < 2
        assert tuple(await db.one("SELECT 1") or ()) == (1,)
        assert db.pool.open_links == 1


@pytest.mark.parametrize("verb", ["one", "change", "write", "batch_one"])
async def test_a_server_that_says_nothing_is_given_up(postgres_url: str, verb: str) -> None:
    async with opened(postgres_url, statement_timeout=0.2, size=1) as db:
        row = await db.one("SELECT pg_backend_pid()")
        assert row is not None
        os.kill(row[0], signal.SIGSTOP)
        try:
            begun = time.monotonic()
            detail = await unavailable(silenced(db, verb))
            assert ("unknown" if verb == "change" else "in time") in detail
            assert time.monotonic() - begun < 4
            assert tuple(await db.one("SELECT 1") or ()) == (1,)
        finally:
            os.kill(row[0], signal.SIGCONT)


async def silenced(db: PostgresDatabase, verb: str) -> None:
    if verb == "write":
        await db.write(lambda tx: tx.one("SELECT 1"))
    elif verb == "batch_one":
        await asyncio.gather(*(db.batch_one("SELECT CAST($1 AS TEXT)", "x") for _ in range(3)))
    else:
        await {"one": db.one, "change": db.change}[verb]("SELECT pg_backend_pid()")


async def test_a_lock_held_too_long_is_contended(pg: PostgresDatabase, postgres_url: str) -> None:
    await pg.change(INSERT, 1)
    held, free = asyncio.Event(), asyncio.Event()

    async def hold(tx: Tx) -> None:
        await tx.run("UPDATE rows SET name = 'held' WHERE n = 1")
        held.set()
        await free.wait()

    holding = asyncio.create_task(pg.write(hold))
    await held.wait()
    async with opened(postgres_url, lock_timeout=0.2) as db:
        with pytest.raises(Fault) as refused:
            await db.write(lambda tx: tx.run("UPDATE rows SET name = 'b' WHERE n = 1"))
        assert refused.value.code == FaultCode.DATABASE_CONTENDED
    free.set()
    await holding


async def test_a_deadlock_is_resolved_and_its_victim_runs_again(pg: PostgresDatabase) -> None:
    for number in (1, 2):
        await pg.change(INSERT, number)
    both = asyncio.Barrier(2)
    runs: list[int] = []

    async def work(tx: Tx, first: int, second: int) -> None:
        runs.append(first)
        await tx.run("UPDATE rows SET name = name || 'x' WHERE n = $1", first)
        if len(runs) <= 2:
            await both.wait()
        await tx.run("UPDATE rows SET name = name || 'x' WHERE n = $1", second)

    await asyncio.gather(pg.write(lambda tx: work(tx, 1, 2)), pg.write(lambda tx: work(tx, 2, 1)))
    # The victim may lose again: nothing orders its second try behind whoever waited for it.
    assert len(runs) >= 3
    assert [row[0] for row in await pg.all("SELECT name FROM rows")] == ["xx", "xx"]


async def test_a_statement_outlives_a_change_of_its_columns(pg: PostgresDatabase, operator: PostgresDatabase) -> None:
    await pg.change(INSERT, 7)
    every = "SELECT * FROM rows"
    update = "UPDATE rows SET name = 'x' RETURNING *"
    await pg.all(every)
    await pg.change(update)
    await operator.change("ALTER TABLE rows ADD COLUMN added TEXT NOT NULL DEFAULT 'new'")
    assert [tuple(row) for row in await pg.all(every)] == [(7, "x", "new")]
    await operator.change("ALTER TABLE rows ALTER COLUMN n TYPE TEXT")
    assert [tuple(row) for row in await pg.write(lambda tx: tx.all(every))] == [("7", "x", "new")]
    assert tuple(await pg.change(update) or ()) == ("7", "x", "new")


async def test_a_caller_who_leaves_in_the_middle_leaves_nothing_behind(
    pg: PostgresDatabase,
) -> None:
    async def work(tx: Tx) -> None:
        await tx.one(INSERT, 1)
        await tx.one("SELECT pg_sleep(5)")

    for call in (pg.write(work), pg.one("SELECT pg_sleep(5)"), pg.change("SELECT pg_sleep(5)")):
        task = asyncio.create_task(call)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(0.1)
    assert await stored(pg) == []
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
    assert tuple(await pg.one(busy) or ()) == (1,)
    await many(pg, 10, 30)
    assert pg.pool.open_links <= 8


async def test_nothing_but_the_statement_is_sent(pg: PostgresDatabase, count: Count) -> None:
    """No reset, no BEGIN around a single statement, no second preparation."""
    async with count(pg) as counts:
        for _ in range(3):
            await pg.one("SELECT n FROM rows WHERE n = $1", 1)
        await pg.change(INSERT, 1)
    assert len(counts.statements) == 4
    assert counts.commits == 1
    prepared = await pg.all("SELECT statement FROM pg_prepared_statements")
    assert [row[0] for row in prepared].count("SELECT n FROM rows WHERE n = $1") == 1


async def test_wrong_clocks_are_refused(postgres_url: str) -> None:
    for seconds in (-3, 3):

        def wrong(seconds: int = seconds) -> int:
            return clock() + seconds * 1_000_000

        detail = await unavailable(open_database(postgres_url, wrong))
        assert f"clock is {-seconds:+}.0 s from ours" in detail
        db = await open_database(postgres_url, wrong, clock_limit=None)
        await db.close()
    async with opened(postgres_url) as db:
        assert abs(db.clock_difference) < 1_000_000


async def test_an_unreachable_server_is_told_with_the_reason(postgres: Cluster, postgres_url: str) -> None:
    nobody = f"postgresql://oneself@127.0.0.1:{free_port()}/x"
    assert "Connect" in await unavailable(open_database(nobody, clock))
    assert "nowhere" in await unavailable(open_database(postgres.url("nowhere"), clock))
    both = postgres_url.replace("@", f"@127.0.0.1:{free_port()},")
    db = await open_database(both, clock)
    assert await db.one("SELECT 1") is not None
    await db.close()


def test_hosts_are_told_apart() -> None:
    def hosts(url: str) -> list[str]:
        return Dialing(url, clock).hosts()

    several = hosts("postgresql://u:p%40@a:1,b,[::1]:3/x?sslmode=require")
    assert several == [f"postgresql://u:p%40@{host}/x?sslmode=require" for host in ("a:1", "b", "[::1]:3")]
    for url in ("postgresql://a/x", "postgresql:///x?host=/run/postgresql", "postgresql://u@a:5/x"):
        assert hosts(url) == [url]


async def test_a_wrong_url_is_refused_without_its_password() -> None:
    for url in ("postgresql://u:canary#x@h/x", "postgresql://u:canary/x@h/x"):
        assert "canary" not in await unavailable(open_database(url, clock))


async def test_a_server_that_crashes_is_missed_only_while_it_is_away(own_cluster: Cluster) -> None:
    async with opened(own_cluster.url()) as db:
        await db.change(TABLE)
        await many(db, 0, 20)
        own_cluster.stop(signal.SIGKILL)
        for call in (
            db.one("SELECT 1"),
            db.change(INSERT, 100),
            db.write(lambda tx: tx.one(INSERT, 101)),
        ):
            await unavailable(call)
        own_cluster.start()
        await many(db, 200, 20)
        assert len(await stored(db)) == 40


async def test_a_failover_needs_no_restart(own_cluster: Cluster, postgres: Cluster) -> None:
    """The writing role moves between two servers without a connection being cut."""
    name = postgres.create_database()
    own_cluster.sql(f"CREATE DATABASE {name}")
    clusters = (own_cluster, postgres)

    def writable(chosen: Cluster) -> None:
        for cluster in clusters:
            mode = "off" if cluster is chosen else "on"
            cluster.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {mode}")

    for cluster in clusters:
        cluster.sql(TABLE, name)
    writable(own_cluster)
    url = f"postgresql://oneself@127.0.0.1:{own_cluster.port},127.0.0.1:{postgres.port}/{name}"
    async with opened(url) as db:
        where = "SELECT current_setting('port')"
        await many(db, 0, 20)
        assert tuple(await db.one(where) or ()) == (str(own_cluster.port),)
        writable(postgres)
        own_cluster.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        own_cluster.sql("ALTER DATABASE postgres SET default_transaction_read_only = off")
        own_cluster.sql("SELECT pg_reload_conf()")
        await asyncio.sleep(0.1)
        await _demote_open_sessions(db)
        await many(db, 100, 20)
        assert tuple(await db.one(where) or ()) == (str(postgres.port),)
        assert await stored(db) == list(range(100, 120))
    postgres.drop_database(name)


async def _demote_open_sessions(db: PostgresDatabase) -> None:
    """Make the sessions that are open read-only, as they are on a server that became a standby."""
    for link in db.pool._links:
        await link.say("SET default_transaction_read_only = on")


async def test_behind_a_pooler_nothing_lives_on_a_connection(postgres_url: str, count: Count) -> None:
    db = database_at(postgres_url, clock, pooled=True)
    await db.open()
    await db.change(TABLE)
    assert tuple(await db.change(INSERT, 1) or ()) == (1,)

    async def work(tx: Tx) -> int:
        assert await tx.all("SELECT n FROM rows") != []
        await tx.many("INSERT INTO rows (n) VALUES ($1)", [(7,), (8,)])
        return await tx.run("UPDATE rows SET name = $1", "x") + await tx.run("DELETE FROM rows")

    assert await db.write(work) == 6
    assert await db.one("SELECT n FROM rows WHERE n = $1", 1) is None
    assert await db.batch_one("SELECT n FROM rows WHERE n = $1", 1) is None
    named = await db.one("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''")
    assert tuple(named or ()) == (0,)
    with pytest.raises(StatementFailed):
        await db.one("SELECT x FROM nowhere")
    async with count(db) as counts:
        await db.one("SELECT n FROM rows")
        await db.change(INSERT, 2)
    assert (len(counts.statements), counts.commits) == (2, 1)
    await db.close()
