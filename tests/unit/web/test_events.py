"""The stream of events: its signs of life by the clock, and what it says of events that are kept no longer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from chatbridge import ids
from chatbridge.app import create_app
from chatbridge.config import Settings
from chatbridge.store import feed
from chatbridge.web.services import SERVICES, Services
from tests.fakes import SECONDS, FakeClock
from tests.unit.factories import make_messenger

KEY = "cbk_of-this-messenger"
MESSENGER = make_messenger(api_key_hash=ids.api_key_hash(KEY), webhook_url=None)


@dataclass
class House:
    """A server in this process, and a client of it."""

    services: Services
    client: TestClient
    clock: FakeClock

    async def append(self, *names: str) -> None:
        for name in names:
            await self.services.feeds.append(MESSENGER.id, "c-1", name, b'"%s"' % name.encode())

    async def open(self, **after: str) -> ClientResponse:
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = await self.client.get("/v1/events", params=after, headers=headers)
        assert answer.status == 200
        assert await said(answer) == "retry: 2000"
        return answer


async def said(answer: ClientResponse) -> str:
    """What comes next, up to an empty line."""
    async with asyncio.timeout(SECONDS):
        return (await answer.content.readuntil(b"\n\n")).decode().removesuffix("\n\n")


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    secret = "q8N2vX5kT1wZ7rY4mB6p"
    settings = Settings(
        public_url="https://bridge.example.com",
        secret_key=secret,
        admin_token=secret,
        store={"url": f"sqlite:///{tmp_path}/bridge.db", "synchronous": "normal"},
        media={"url": f"{tmp_path}/media"},
        spool={"folder": tmp_path / "spool"},
    )
    app = create_app(settings, clock)
    async with TestClient(TestServer(app)) as client:
        services = app[SERVICES]
        await services.directory.add_messenger(MESSENGER)
        yield House(services, client, clock)


async def silence_of(house: House, answer: ClientResponse) -> float:
    """Seconds by the clock, which goes on, until the stream says that it is alive."""
    begun, saying = house.clock.now(), asyncio.create_task(said(answer))
    while not saying.done():
        house.clock.advance(0.5)
        await house.services.feeds.ends(MESSENGER.id)  # the stream has its turns meanwhile
    assert saying.result() == ":"
    return (house.clock.now() - begun) / 1_000_000


async def test_a_silent_stream_says_that_it_is_alive(house: House) -> None:
    answer = await house.open()
    assert await silence_of(house, answer) >= 15
    await house.append("a")
    assert await said(answer) == 'id: 1\nevent: message\ndata: "a"'
    assert await silence_of(house, answer) >= 15
    await house.services.feeds.whisper(MESSENGER.id, "c-1", b'{"type":"typing.started"}')
    assert await said(answer) == 'event: typing.started\ndata: {"type":"typing.started"}'
    assert await silence_of(house, answer) >= 15


async def test_who_comes_after_the_retention_is_told_of_the_gap(house: House) -> None:
    await house.append("a", "b", "c")
    await house.services.store.write(feed.prune, house.clock.now() + 1, 2)
    answer = await house.open()
    assert await said(answer) == 'id: 3\nevent: message\ndata: "c"', "whoever begins misses nothing"
    answer = await house.open(after="1")
    gap = await said(answer)
    assert gap.startswith('id: 2\nevent: stream.gap\ndata: {"timestamp":"')
    assert '"data":{"after":1,"before":3}' in gap
    assert (await said(answer)).startswith("id: 3\n")
    await house.services.store.write(feed.prune, house.clock.now() + 1, 2)
    answer = await house.open(after="1")
    assert '"data":{"after":1,"before":4}' in await said(answer), "nothing is kept"
    await house.append("d")
    assert await said(answer) == 'id: 4\nevent: message\ndata: "d"'
