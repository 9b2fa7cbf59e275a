"""Two directories over one database: what one changes, the other reads, whole and never backwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chatbridge.bridge.directory import Directory
from chatbridge.store import directory as rows
from chatbridge.store import schema
from chatbridge.store.engine import Store, open_store
from chatbridge.store.sealing import Sealer
from tests.unit.clock import JumpingClock
from tests.unit.factories import make_channel, make_link, make_messenger

SEALER = Sealer(["a long random passphrase"])


class WatchedStore:
    """A store whose reads may be met by other things that happen."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.shared = store.shared
        self.reads = 0
        self.before: Callable[[Any], Awaitable[None]] | None = None
        self.after: Callable[[Any], Awaitable[None]] | None = None

    async def write(self, unit: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._store.write(unit, *args, **kwargs)

    async def read(self, unit: Any, *args: Any, **kwargs: Any) -> Any:
        self.reads += 1
        if self.before is not None:
            await self.before(unit)
        found = await self._store.read(unit, *args, **kwargs)
        if self.after is not None:
            await self.after(unit)
        return found


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/directory.db", synchronous="normal")
    await store.start()
    try:
        await store.write(schema.metadata.create_all)
        yield store
    finally:
        await store.close()


def directory(store: Any) -> Directory:
    return Directory(store, SEALER, JumpingClock())


async def test_one_process_alone_looks_for_nobody(store: Store) -> None:
    watched = WatchedStore(store)
    here = directory(watched)
    assert not await here.look_for(api_key="cbk_unknown")
    assert not await here.look_for(scope_id="nobody")
    assert not await here.look_for(messenger_id="msgr_9")
    assert await here.find_messenger("msgr_9") is None
    assert watched.reads == 0


async def test_what_an_older_reading_saw_does_not_replace_what_is_newer(store: Store) -> None:
    watched = WatchedStore(store)
    here, elsewhere = directory(watched), directory(store)
    messenger = make_messenger(name="old")
    await elsewhere.add_messenger(messenger)
    seen, go_on = asyncio.Event(), asyncio.Event()

    async def hold_the_first(unit: Any) -> None:
        if unit is rows.list_messengers and not seen.is_set():
            seen.set()
            await go_on.wait()

    watched.after = hold_the_first
    first = asyncio.create_task(here.load())
    await seen.wait()
    await elsewhere.change_messenger(messenger, {"name": "new"})
    second = asyncio.create_task(here.load())
    for _ in range(10):  # as long as a reading takes
        await store.read(rows.list_messengers, SEALER)
    go_on.set()
    await asyncio.gather(first, second)
    assert here.messenger(messenger.id).name == "new"


@pytest.mark.parametrize("unit", [rows.list_links, rows.list_channels, rows.list_messengers])
async def test_a_link_is_never_known_without_those_it_refers_to(store: Store, unit: Any) -> None:
    watched = WatchedStore(store)
    here, elsewhere = directory(watched), directory(store)

    async def something_new(read: Any) -> None:
        if read is unit:
            await elsewhere.add_channel(make_channel())
            await elsewhere.add_messenger(make_messenger())
            await elsewhere.add_link(make_link())

    watched.before = something_new
    await here.load()
    for link in here.links():
        assert here.find_channel(link.channel_id) is not None
        assert here.messenger(link.messenger_id)
