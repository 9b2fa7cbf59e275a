"""A server that stops answers whoever is inside: the server in this process, its callers on raw sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web

from chatbridge.app import create_app
from chatbridge.config import Settings
from chatbridge.web.draining import Draining, silence
from chatbridge.web.listening import Entrance, listen
from chatbridge.web.sockets import open_sockets
from tests.callers import Caller
from tests.fakes import SECONDS
from tests.processes import until

TOKEN = "q8N2vX5kT1wZ7rY4mB6p"
LONG = SECONDS * 20
"""A grace that a test never waits for."""

EXPRESS = b"POST /v1/messages HTTP/1.1\r\nHost: bridge\r\nContent-Length: 2\r\n\r\n{}"
"""Answered with 401 on the short way in."""
ORDINARY = (
    f"POST /v1/messengers HTTP/1.1\r\nHost: bridge\r\nAuthorization: Bearer {TOKEN}\r\n"
    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
).encode()
"""Answered with 422 by aiohttp."""
READY = b"GET /readyz HTTP/1.1\r\nHost: bridge\r\n\r\n"

both_ways = pytest.mark.parametrize(
    ("request_bytes", "status"), [(EXPRESS, 401), (ORDINARY, 422)], ids=["express", "aiohttp"]
)


@dataclass
class House:
    """A server and who comes to it."""

    entrance: Entrance
    port: int
    callers: list[Caller]
    stopping: asyncio.Task[None] | None = None

    async def caller(self) -> Caller:
        caller = await Caller.arriving(self.port)
        self.callers.append(caller)
        return caller

    def stop(self, *, delay: float = 0, grace: float = LONG) -> asyncio.Task[None]:
        self.stopping = asyncio.create_task(self.entrance.close(delay=delay, grace=grace))
        return self.stopping

    async def end(self) -> None:
        """Leave nothing open, whatever a test came to."""
        if self.stopping is None:
            await self.stop(grace=0)
        await self.entrance.runner.cleanup()
        for caller in self.callers:
            caller.writer.close()

    async def takes_nobody(self) -> None:
        """Wait until new connections are refused."""
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    await self.caller()
                except ConnectionRefusedError:
                    return


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    settings = Settings(
        public_url="https://bridge.example.com",
        secret_key=TOKEN,
        admin_token=TOKEN,
        store={"url": f"sqlite:///{tmp_path}/bridge.db", "synchronous": "normal"},
    )
    runner = web.AppRunner(create_app(settings), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    sockets = open_sockets("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    house = House(await listen(runner, sockets), port, [])
    yield house
    await house.end()


async def test_before_its_end_a_server_says_so_and_goes_on(house: House) -> None:
    inside = await house.caller()
    assert (await inside.ask(READY)).status == 200
    stopping = house.stop(delay=LONG)
    await asyncio.sleep(0)
    for caller in (inside, await house.caller()):
        said = await caller.ask(READY)
        assert (said.status, said.is_last) == (503, False)
        assert b'"status":"stopping"' in said.body
        assert (await caller.ask(ORDINARY)).status == 422
    said = await (await house.caller()).ask(EXPRESS)
    assert (said.status, said.is_last) == (401, False)
    stopping.cancel()
    house.stopping = None


@both_ways
async def test_whoever_is_inside_is_answered_once_more(
    house: House, request_bytes: bytes, status: int
) -> None:
    caller = await house.caller()
    assert not (await caller.ask(request_bytes)).is_last
    stopping = house.stop()
    while not (said := await caller.ask(request_bytes)).is_last:
        assert said.status == status
    assert said.status == status
    assert await caller.is_let_go()
    await stopping


@both_ways
async def test_a_request_on_its_way_is_waited_for(
    house: House, request_bytes: bytes, status: int
) -> None:
    caller = await house.caller()
    assert not (await caller.ask(request_bytes)).is_last
    caller.send(request_bytes[:-1])
    idle = await house.caller()
    stopping = house.stop()
    await house.takes_nobody()
    assert await idle.is_let_go(), "the quiet time is over"
    assert not stopping.done()
    said = await caller.ask(request_bytes[-1:])
    assert (said.status, said.is_last) == (status, True)
    assert await caller.is_let_go()
    await stopping


async def test_requests_that_came_together_are_all_answered(house: House) -> None:
    caller = await house.caller()
    caller.send(EXPRESS * 2 + EXPRESS[:-1])
    assert [(await caller.hear()).is_last for _ in range(2)] == [False, False]
    stopping = house.stop()
    await house.takes_nobody()
    caller.send(EXPRESS[-1:] + EXPRESS * 2)
    assert [(await caller.hear()).is_last for _ in range(3)] == [False, False, True]
    assert await caller.is_let_go()
    await stopping


@both_ways
async def test_who_says_nothing_is_let_go(house: House, request_bytes: bytes, status: int) -> None:
    used, fresh = await house.caller(), await house.caller()
    assert (await used.ask(request_bytes)).status == status
    await house.stop()
    assert await used.is_let_go()
    assert await fresh.is_let_go()


@pytest.mark.parametrize(
    ("before", "request_bytes", "sent", "status"),
    [
        pytest.param(EXPRESS, EXPRESS, 0, 401, id="express"),
        pytest.param(ORDINARY, ORDINARY, 0, 422, id="aiohttp"),
        pytest.param(ORDINARY, ORDINARY, 12, 422, id="aiohttp, in the middle of a head"),
    ],
)
async def test_only_who_has_been_quiet_for_long_is_let_go_at_once(
    house: House, before: bytes, request_bytes: bytes, sent: int, status: int
) -> None:
    lively, quiet, fresh = await house.caller(), await house.caller(), await house.caller()
    for caller in (lively, quiet):
        assert (await caller.ask(before)).status == status
    lively.send(request_bytes[:sent])
    name = lively.writer.get_extra_info("sockname")

    def silence(transport: asyncio.BaseTransport) -> float:
        return 0 if transport.get_extra_info("peername") == name else LONG

    house.entrance = replace(house.entrance, silence=silence)
    stopping = house.stop()
    assert await quiet.is_let_go()
    assert await fresh.is_let_go()
    assert not stopping.done()
    said = await lively.ask(request_bytes[sent:])
    assert (said.status, said.is_last) == (status, True)
    await stopping


async def test_the_system_tells_for_how_long_a_connection_was_quiet(house: House) -> None:
    caller = await house.caller()
    transport = caller.writer.transport
    await asyncio.to_thread(until, lambda: (silence(transport) or 0) > 0.05, "it is quiet")
    begun = time.monotonic()
    await caller.ask(READY)
    told = silence(transport) or 0
    assert told <= time.monotonic() - begun + 0.01
    transport.close()
    assert silence(transport) is None


async def test_a_request_that_ends_after_the_next_one_began_leaves_that_one_busy() -> None:
    """The order in which Python 3.12 and newer call back, where tasks start eagerly."""
    draining, connection = Draining(), object()
    first, second = (asyncio.create_task(asyncio.Event().wait()) for _ in range(2))
    draining.begin(connection, first)
    first.cancel()
    draining.begin(connection, second)
    await asyncio.wait([first])
    await asyncio.sleep(0)
    assert draining.busy == {connection: second}
    second.cancel()
    await asyncio.wait([second])
    await asyncio.sleep(0)
    assert draining.busy == {}


@both_ways
async def test_the_grace_ends_what_does_not_end(
    house: House, request_bytes: bytes, status: int
) -> None:
    caller = await house.caller()
    assert (await caller.ask(request_bytes)).status == status
    caller.send(request_bytes[:-1])
    await house.stop(grace=0.1)
    await house.end()
    assert await caller.is_let_go()
