"""Connections that are kept at hand, and what is known of them, against real sockets.

`existing` is compared with what the far side has open throughout: a connection that is not counted or counted for ever would
break the limits, slowly.
"""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from chatbridge.clients.wire import NotAllowed, Wire
from chatbridge.clients.wire_pool import IDLE_SECONDS, WirePool
from chatbridge.protocol.http import Response
from tests.contract.transports import (
    OK,
    RawServer,
    always,
    others_have_their_turn,
    raw_server,
    read_request,
    saying,
    within,
)
from tests.fakes import SECONDS
from tests.processes import free_port

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
PATIENT = aiohttp.ClientTimeout(connect=SECONDS)


@asynccontextmanager
async def wire_pool(kind: type[WirePool] = WirePool, **settings: Any) -> AsyncIterator[WirePool]:
    pool = kind(**settings)
    try:
        yield pool
    finally:
        await pool.close()
        assert pool.existing == 0


def dial(server: RawServer) -> aiohttp.ClientRequest:
    return aiohttp.ClientRequest("POST", URL(server.url), loop=asyncio.get_running_loop())


async def take(pool: WirePool, to: aiohttp.ClientRequest) -> Wire:
    return await within(pool.take(to, PATIENT))


async def send(
    pool: WirePool, to: aiohttp.ClientRequest, request: bytes = REQUEST, *, has_body: bool = True
) -> Response:
    wire = await take(pool, to)
    try:
        return await within(wire.exchange(request, has_body=has_body))
    finally:
        pool.give_back(wire)


async def keep_idle(pool: WirePool, to: aiohttp.ClientRequest, count: int) -> None:
    """Leave so many idle connections behind, opened one after another."""
    for wire in [await take(pool, to) for _ in range(count)]:
        pool.give_back(wire)


# --- an idle connection -------------------------------------------------------------------------


async def test_an_idle_connection_is_used_again() -> None:
    async with raw_server(always(OK)) as server, wire_pool() as pool:
        for _ in range(5):
            assert (await send(pool, dial(server))).body == b"ok"
        assert (server.connections, server.open, pool.existing) == (1, 1, 1)


async def test_those_that_were_used_last_are_used_first() -> None:
    async with raw_server(always(OK)) as server, wire_pool() as pool:
        to = dial(server)
        first, second = await take(pool, to), await take(pool, to)
        pool.give_back(first)
        pool.give_back(second)
        assert await take(pool, to) is second
        assert await take(pool, to) is first
        pool.give_back(first)
        pool.give_back(second)


async def test_bytes_that_nobody_asked_for_end_it() -> None:
    more = asyncio.Event()

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        writer.write(OK)
        await more.wait()
        writer.write(OK)
        await reader.read()

    async with raw_server(talk) as server, wire_pool() as pool:
        await send(pool, dial(server))
        more.set()
        await server.has_open(0)
        assert pool.existing == 0


async def test_bytes_that_nobody_asked_for_end_it_though_they_come_with_the_answer() -> None:
    """Whoever asked runs only when everything that has arrived is taken in; an event loop may read many times before."""
    async with raw_server(always(b"")) as server, wire_pool() as pool:
        wire = await take(pool, dial(server))
        asking = asyncio.create_task(wire.exchange(REQUEST))
        while not server.requests:
            await others_have_their_turn()
        wire.data_received(OK)
        wire.data_received(b"HTTP/1.1 200 OK\r\n")
        assert (await within(asking)).body == b"ok"
        assert not wire.usable
        pool.give_back(wire)
        await server.has_open(0)
        assert pool.existing == 0


async def test_one_that_the_far_side_closes_is_gone_and_the_next_request_dials() -> None:
    async with raw_server(saying(OK)) as server, wire_pool() as pool:
        for number in range(1, 4):
            await send(pool, dial(server))
            await others_have_their_turn()
            assert (server.connections, server.open, pool.existing) == (number, 0, 0)


async def test_one_that_has_ended_a_moment_ago_is_not_used() -> None:
    """The end is known, but nobody was told yet."""
    async with raw_server(always(OK)) as server, wire_pool() as pool:
        to = dial(server)
        wire = await take(pool, to)
        pool.give_back(wire)
        wire.close()
        assert (await send(pool, to)).body == b"ok"
        await server.has_open(1)
        assert (server.connections, pool.existing) == (2, 1)


async def test_an_address_has_its_connections_whoever_asks_for_it() -> None:
    """What knows how to dial may be made anew; a connection that is known under the old one would take up a place."""
    async with raw_server(always(OK)) as server, wire_pool(limit_per_host=1) as pool:
        await send(pool, dial(server))
        await send(pool, dial(server))
        assert (server.connections, pool.existing) == (1, 1)


# --- time passes --------------------------------------------------------------------------------


class FastLoop(asyncio.SelectorEventLoop):
    """Its time can be moved on."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def run_fast(main: Callable[[FastLoop], Coroutine[Any, Any, None]]) -> None:
    loop = FastLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main(loop))


def test_idle_ones_end_in_time() -> None:
    async def main(loop: FastLoop) -> None:
        async with raw_server(always(OK)) as server, wire_pool() as pool:
            to = dial(server)
            await keep_idle(pool, to, 2)
            loop.ahead += IDLE_SECONDS / 2
            await send(pool, to)
            loop.ahead += IDLE_SECONDS / 2
            await server.has_open(1)
            assert pool.existing == 1, "the other one was used since then"
            loop.ahead += IDLE_SECONDS / 2
            await server.has_open(0)
            assert pool.existing == 0
            await send(pool, to)
            loop.ahead += IDLE_SECONDS
            await server.has_open(0)
            assert (server.connections, pool.existing) == (3, 0)

    run_fast(main)


def test_one_in_use_does_not_end() -> None:
    async def main(loop: FastLoop) -> None:
        async with raw_server(always(OK)) as server, wire_pool() as pool:
            to = dial(server)
            wire = await take(pool, to)
            await keep_idle(pool, to, 1)
            loop.ahead += 2 * IDLE_SECONDS
            await server.has_open(1)
            assert (await within(wire.exchange(REQUEST))).body == b"ok"
            pool.give_back(wire)

    run_fast(main)


def test_nothing_is_remembered_of_an_address_without_connections() -> None:
    async def main(loop: FastLoop) -> None:
        async with (
            raw_server(always(OK)) as server,
            raw_server(always(OK)) as busy,
            wire_pool() as pool,
        ):
            to = dial(server)
            await send(pool, to)
            known = weakref.ref(to)
            del to
            loop.ahead += IDLE_SECONDS / 2
            await send(pool, dial(busy))
            loop.ahead += IDLE_SECONDS / 2
            await server.has_open(0)
            gc.collect()
            assert (known(), pool.existing, busy.open) == (None, 1, 1)

    run_fast(main)


# --- limits -------------------------------------------------------------------------------------


async def test_at_the_limit_the_longest_idle_one_gives_way() -> None:
    async with (
        raw_server(always(OK)) as old,
        raw_server(always(OK)) as newer,
        raw_server(always(OK)) as other,
        wire_pool(limit=3) as pool,
    ):
        await keep_idle(pool, dial(old), 1)
        await keep_idle(pool, dial(newer), 2)
        await send(pool, dial(other))
        await old.has_open(0)
        assert (newer.open, other.open, pool.existing) == (2, 1, 3)


async def test_without_a_limit_none_gives_way() -> None:
    async with (
        raw_server(always(OK)) as old,
        raw_server(always(OK)) as other,
        wire_pool(limit=0) as pool,
    ):
        await keep_idle(pool, dial(old), 3)
        await send(pool, dial(other))
        await others_have_their_turn()
        assert (old.open, other.open, pool.existing) == (3, 1, 4)


class SlowResolver(AbstractResolver):
    """Never knows a name."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def resolve(self, *_: Any, **__: Any) -> list[ResolveResult]:
        self.asked.set()
        await asyncio.Event().wait()
        return []

    async def close(self) -> None: ...


async def test_one_that_is_being_dialled_counts() -> None:
    """Else the idle one would be kept while somebody waits for its place."""
    resolver = SlowResolver()
    async with (
        raw_server(always(OK)) as idle,
        raw_server(always(OK)) as other,
        wire_pool(limit=2, resolver=resolver) as pool,
    ):
        await keep_idle(pool, dial(idle), 1)
        nowhere = aiohttp.ClientRequest(
            "POST", URL("http://slow.invalid/"), loop=asyncio.get_running_loop()
        )
        dialling = asyncio.create_task(pool.take(nowhere, PATIENT))
        await within(resolver.asked.wait())
        await send(pool, dial(other))
        await idle.has_open(0)
        assert (other.open, pool.existing) == (1, 1)
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling


async def waiting_for(pool: WirePool, to: aiohttp.ClientRequest) -> asyncio.Task[Wire]:
    """Begin to wait for a connection where there is none."""
    waiting = asyncio.create_task(pool.take(to, PATIENT))
    await others_have_their_turn()
    assert not waiting.done()
    return waiting


@pytest.mark.parametrize("limit", ["limit", "limit_per_host"])
async def test_one_that_becomes_free_is_passed_on_to_who_waits(limit: str) -> None:
    async with raw_server(always(OK)) as server, wire_pool(**{limit: 1}) as pool:
        to = dial(server)
        wire = await take(pool, to)
        waiting = await waiting_for(pool, to)
        pool.give_back(wire)
        passed_on = await within(waiting)
        assert (await within(passed_on.exchange(REQUEST))).body == b"ok"
        assert (server.connections, pool.existing) == (1, 1)
        pool.give_back(passed_on)


async def test_who_waits_for_another_host_gets_the_place() -> None:
    async with (
        raw_server(always(OK)) as server,
        raw_server(always(OK)) as other,
        wire_pool(limit=1) as pool,
    ):
        wire = await take(pool, dial(server))
        waiting = await waiting_for(pool, dial(other))
        pool.give_back(wire)
        pool.give_back(await within(waiting))
        assert (other.open, pool.existing) == (1, 1)


async def test_one_that_ends_makes_place_for_who_waits() -> None:
    async with raw_server(always(OK)) as server, wire_pool(limit=1) as pool:
        wire = await take(pool, dial(server))
        waiting = await waiting_for(pool, dial(server))
        wire.close()
        pool.give_back(wire)
        pool.give_back(await within(waiting))
        await server.has_open(1)
        assert (server.connections, pool.existing) == (2, 1)


async def test_who_waits_no_more_gets_nothing() -> None:
    async with raw_server(always(OK)) as server, wire_pool(limit=1) as pool:
        to = dial(server)
        wire = await take(pool, to)
        waiting = await waiting_for(pool, to)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        pool.give_back(wire)
        assert await take(pool, to) is wire, "kept at hand"
        pool.give_back(wire)


# --- a connection that cannot be had ------------------------------------------------------------


async def test_one_that_cannot_be_dialled_does_not_count() -> None:
    async with wire_pool(limit=1) as pool:
        for _ in range(3):
            with pytest.raises(aiohttp.ClientConnectorError):
                await send(pool, dial(RawServer(port=free_port())))
            assert pool.existing == 0


async def test_nothing_is_remembered_of_an_address_that_cannot_be_dialled() -> None:
    async with wire_pool() as pool:
        to = dial(RawServer(port=free_port()))
        with pytest.raises(aiohttp.ClientConnectorError):
            await send(pool, to)
        known = weakref.ref(to)
        del to
        await others_have_their_turn()
        gc.collect()
        assert known() is None


class Gone(WirePool):
    """Its connections end as soon as they are there."""

    async def connect(self, *args: Any) -> aiohttp.connector.Connection:
        connection = await super().connect(*args)
        connection.close()
        return connection


async def test_one_that_is_gone_at_once_does_not_count() -> None:
    async with raw_server(always(OK)) as server, wire_pool(Gone) as pool:
        with pytest.raises(aiohttp.ClientConnectionError):
            await send(pool, dial(server))
        await others_have_their_turn()
        assert (server.open, pool.existing) == (0, 0)


# --- exchanges ----------------------------------------------------------------------------------


async def test_an_answer_in_two_pieces_is_read_and_the_connection_used_again() -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await read_request(server, reader)
            if len(server.requests) % 2:
                writer.write(OK[:30])
                await others_have_their_turn()
                writer.write(OK[30:])
            else:
                writer.write(OK)

    async with raw_server(talk) as server, wire_pool() as pool:
        for _ in range(4):
            assert (await send(pool, dial(server))).body == b"ok"
        assert (server.connections, server.open, pool.existing) == (1, 1, 1)


async def test_after_an_answer_in_two_pieces_bytes_that_nobody_asked_for_end_it() -> None:
    more = asyncio.Event()

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        writer.write(OK[:30])
        await others_have_their_turn()
        writer.write(OK[30:])
        await more.wait()
        writer.write(b"H")
        await reader.read()

    async with raw_server(talk) as server, wire_pool() as pool:
        await send(pool, dial(server))
        more.set()
        await server.has_open(0)
        assert pool.existing == 0


async def test_the_answer_to_head_has_no_body() -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            request = await read_request(server, reader)
            writer.write(OK.removesuffix(b"ok") if request.startswith(b"HEAD") else OK)

    head = REQUEST.replace(b"POST", b"HEAD")
    async with raw_server(talk) as server, wire_pool() as pool:
        to = dial(server)
        for _ in range(2):
            answer = await send(pool, to, head, has_body=False)
            assert (answer.status, answer.body) == (200, b"")
            assert answer.headers["content-length"] == "2"
            assert (await send(pool, to)).body == b"ok"
        assert (server.connections, pool.existing) == (1, 1)


@pytest.mark.parametrize("said", [b"", OK[:30], OK[:-1]])
async def test_cancelling_in_mid_exchange_ends_the_connection(said: bytes) -> None:
    async with raw_server(always(said)) as server, wire_pool() as pool:
        sending = asyncio.create_task(send(pool, dial(server)))
        while not server.requests:
            await others_have_their_turn()
        await others_have_their_turn()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.has_open(0)
        assert pool.existing == 0


@pytest.mark.parametrize("said", [OK[:30], b"", b"nonsense\r\n\r\n", OK.replace(b"2", b"3")])
async def test_half_an_answer_ends_the_connection(said: bytes) -> None:
    async with raw_server(saying(said)) as server, wire_pool() as pool:
        with pytest.raises((aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError)):
            await send(pool, dial(server))
        await server.has_open(0)
        assert pool.existing == 0


@pytest.mark.parametrize("again", [False, True], ids=["in one piece", "in two"])
async def test_a_long_request_is_written_while_its_answer_is_read(*, again: bool) -> None:
    """The event loop says when it has too much to write, and when no more: to whatever reads in that moment."""
    body = bytes(20_000_000)
    request = REQUEST.replace(b"Length: 0", b"Length: %d" % len(body)) + body
    wrong: list[dict[str, Any]] = []

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        server.requests.append(await reader.readuntil(b"\r\n\r\n"))
        if again:
            writer.write(OK[:30])
            await others_have_their_turn()
        await reader.readexactly(len(body))
        writer.write(OK[30:] if again else OK)
        await reader.read()

    asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
    async with raw_server(talk) as server, wire_pool() as pool:
        assert (await send(pool, dial(server), request)).body == b"ok"
        assert wrong == []
        assert (server.connections, server.open, pool.existing) == (1, 1, 1)


# --- the end ------------------------------------------------------------------------------------


async def test_closing_ends_everything() -> None:
    async with (
        raw_server(always(OK)) as server,
        raw_server(always(b"")) as silent,
    ):
        async with wire_pool(limit=10) as pool:
            await keep_idle(pool, dial(server), 3)
            used = await take(pool, dial(server))
            sending = asyncio.create_task(send(pool, dial(silent)))
            while not silent.requests:
                await others_have_their_turn()
            assert (server.open, silent.open, pool.existing) == (3, 1, 4)
            await pool.close()
            with pytest.raises(aiohttp.ClientError):
                await within(sending)
            pool.give_back(used)
        await server.has_open(0)
        await silent.has_open(0)
        gc.collect()


async def test_what_is_closed_dials_no_more() -> None:
    async with raw_server(always(OK)) as server, wire_pool() as pool:
        await pool.close()
        with pytest.raises(aiohttp.ClientError):
            await send(pool, dial(server))
        await server.has_open(0)


# --- requests of one round leave together ---------------------------------------------------------


async def test_nothing_leaves_before_the_round_is_over_and_whether_it_may_is_asked_then() -> None:
    may = True
    asked: list[bool] = []

    def allowed() -> bool:
        asked.append(may)
        return may

    async with raw_server(saying(OK)) as server, wire_pool() as pool:
        wire = await take(pool, dial(server))
        exchange = asyncio.create_task(wire.exchange(REQUEST, allowed=allowed))
        await asyncio.sleep(0)  # it has begun
        assert not asked
        may = False
        with pytest.raises(NotAllowed):
            await within(exchange)
        assert asked == [False]
        assert not wire.left
        assert wire.usable
        pool.give_back(wire)
        assert server.requests == []


async def test_a_request_that_nobody_waits_for_any_more_does_not_leave() -> None:
    async with raw_server(saying(OK)) as server, wire_pool() as pool:
        wire = await take(pool, dial(server))
        exchange = asyncio.create_task(wire.exchange(REQUEST))
        await asyncio.sleep(0)
        exchange.cancel()
        await asyncio.gather(exchange, return_exceptions=True)
        await others_have_their_turn()
        assert not wire.left
        pool.give_back(wire)
        assert server.requests == []
