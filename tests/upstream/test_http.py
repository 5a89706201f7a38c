"""The outbound client against slow, broken, huge and hostile servers."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from oneself.faults import Fault, FaultCode
from oneself.upstream.http import Outbound
from oneself.upstream.limits import Limits
from tests.upstream import scripted
from tests.upstream.conftest import NOW
from tests.upstream.scripted import Answer, Scripted, says, until


async def test_an_answer_comes_back_whole(outbound: Outbound, server: Scripted) -> None:
    server.answers["/a"] = says({"b": 1}, 201)
    reply = await outbound.send("POST", f"{server.base}/a", form={"x": "1 +", "y": "é"})
    assert (reply.status, reply.content_type, reply.body) == (201, "application/json", b'{"b": 1}')
    assert server.seen[0].form == {"x": "1 +", "y": "é"}
    assert "b" not in repr(reply).replace("bytes", "")


@pytest.mark.parametrize("fault", [scripted.hangs, scripted.hangs_in_body])
async def test_a_provider_that_hangs_ends_with_the_deadline(hasty: Outbound, server: Scripted, fault: Answer) -> None:
    server.answers["/a"] = fault  # for an hour
    with pytest.raises(Fault) as caught:
        await hasty.send("GET", f"{server.base}/a")
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert caught.value.facts["sent"] is True


@pytest.mark.parametrize("fault", [scripted.resets, scripted.breaks_off])
async def test_a_cut_connection_is_an_outage(outbound: Outbound, server: Scripted, fault: Answer) -> None:
    server.answers["/a"] = fault
    with pytest.raises(Fault) as caught:
        await outbound.send("POST", f"{server.base}/a", form={"code": "1"})
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert caught.value.facts["sent"] is True
    assert len(server.seen) == 1, "a POST is never sent twice"


async def test_a_refused_connection_says_that_nothing_was_sent(
    outbound: Outbound, server: Scripted, unused_tcp_port: int
) -> None:
    host = f"127.0.0.1:{unused_tcp_port}"
    lonely = Outbound(frozenset({host}), clock=outbound.clock)
    with pytest.raises(Fault) as caught:
        await lonely.send("GET", f"http://{host}/")
    await lonely.close()
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert caught.value.facts["sent"] is False


@pytest.mark.parametrize("fault", [scripted.floods, scripted.talks_nonsense])
async def test_too_much_and_nonsense_are_broken_answers(outbound: Outbound, server: Scripted, fault: Answer) -> None:
    server.answers["/a"] = fault
    with pytest.raises(Fault) as caught:
        await outbound.send("GET", f"{server.base}/a")
    assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID


async def test_a_body_just_within_the_bound_is_read(outbound: Outbound, server: Scripted) -> None:
    server.answers["/a"] = scripted.text(b" " * outbound.limits.size, "application/json")
    assert len((await outbound.send("GET", f"{server.base}/a")).body) == outbound.limits.size


async def test_a_bomb_is_defused(outbound: Outbound, server: Scripted) -> None:
    """Nobody asked for compression; who compresses all the same is measured by what comes out."""
    server.answers["/a"] = scripted.squeezed(b"0" * (64 << 20))
    tracemalloc.start()
    with pytest.raises(Fault) as caught:
        await outbound.send("GET", f"{server.base}/a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID
    assert peak < 16 << 20
    server.answers["/a"] = scripted.squeezed(b'{"a": 1}')
    assert (await outbound.send("GET", f"{server.base}/a")).body == b'{"a": 1}'
    assert server.seen[0].headers["Accept-Encoding"] == "identity"


async def test_no_redirect_is_followed(outbound: Outbound, server: Scripted) -> None:
    server.answers["/a"] = scripted.redirects(f"{server.base}/a")
    assert (await outbound.send("GET", f"{server.base}/a")).status == 302
    assert len(server.seen) == 1


async def test_no_cookie_is_kept(outbound: Outbound, server: Scripted) -> None:
    server.answers["/a"] = says({}, Set_Cookie="who=you")
    for _ in range(2):
        await outbound.send("GET", f"{server.base}/a")
    assert "Cookie" not in server.seen[1].headers


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("999999999999", 86_400),
        ("-1", None),
        ("soon", None),
        ("Mon, 21 Sep 2026 14:13:30 GMT", 11),
        ("Mon, 21 Sep 2020 14:13:30 GMT", 0),
    ],
)
async def test_retry_after_is_read_in_both_forms(
    outbound: Outbound, server: Scripted, value: str, seconds: int | None
) -> None:
    assert NOW == 1_790_000_000_000_000, "2026-09-21 14:13:20 UTC"
    server.answers["/a"] = says({}, 429, Retry_After=value)
    assert (await outbound.send("GET", f"{server.base}/a")).retry_after == seconds


async def test_one_hanging_host_starves_no_other(server: Scripted) -> None:
    async with scripted.scripted() as other:
        server.answers["/a"] = scripted.hangs
        other.answers["/a"] = says({})
        limits = Limits(deadline=120.0, at_once=4, waiting=8)
        client = Outbound(frozenset({"127.0.0.1"}), clock=lambda: NOW, limits=limits)
        stuck = [asyncio.create_task(client.send("GET", f"{server.base}/a")) for _ in range(60)]
        await until(lambda: len(server.seen) == 4 and sum(task.done() for task in stuck) == 48)
        await asyncio.gather(*(client.send("GET", f"{other.base}/a") for _ in range(12)))
        beyond = [task for task in stuck if task.done()]
        assert (len(beyond), len(server.seen)) == (60 - 4 - 8, 4), "those beyond do not wait, the others still do"
        for task in beyond:
            fault = task.exception()
            assert isinstance(fault, Fault) and fault.code is FaultCode.PROVIDER_UNAVAILABLE
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        assert client._transport is not None
        assert not client._transport._gates._gates, "gates that nobody uses are forgotten"
        await client.close()


async def test_waiters_take_their_turn(server: Scripted) -> None:
    server.answers["/a"] = says({})
    limits = Limits(deadline=5.0, at_once=1, waiting=32)
    client = Outbound(frozenset({"127.0.0.1"}), clock=lambda: NOW, limits=limits)
    replies = await asyncio.gather(*(client.send("GET", f"{server.base}/a") for _ in range(20)))
    await client.close()
    assert [reply.status for reply in replies] == [200] * 20


async def test_a_caller_that_gives_up_frees_its_place(server: Scripted) -> None:
    server.answers["/a"] = [scripted.hangs, says({})]
    limits = Limits(deadline=5.0, at_once=1, waiting=1)
    client = Outbound(frozenset({"127.0.0.1"}), clock=lambda: NOW, limits=limits)
    first = asyncio.create_task(client.send("GET", f"{server.base}/a"))
    await until(lambda: bool(server.seen))
    second = asyncio.create_task(client.send("GET", f"{server.base}/a"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).status == 200
    await client.close()
