"""The spool of a process: order, what was left by others, and what cannot be taken."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chatbridge.bridge.spooling import Spool
from chatbridge.errors import StoreUnavailable
from chatbridge.observability.metrics import Metrics
from chatbridge.spool.records import Spooled
from tests.processes import until
from tests.unit.clock import JumpingClock


@dataclass
class Taker:
    """Takes what it is given, unless the database is away."""

    taken: list[str] = field(default_factory=list)
    refusals: int = 0
    broken: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, record: Spooled) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise StoreUnavailable("away")
        if record.body.decode() == self.broken:
            raise ValueError("a fault of ours")
        self.taken.append(record.body.decode())
        self.changed.set()

    async def wait_for(self, count: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(self.taken) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.taken


@dataclass
class House:
    folder: Path
    taker: Taker = field(default_factory=Taker)
    refused: int = 0
    made: int = 0

    def open(self, *, limit: int = 1 << 20) -> Spool:
        return Spool(
            folder=self.folder,
            limit=limit,
            clock=JumpingClock(),
            metrics=Metrics(),
            new_id=self._name,
            refused=self._refuse,
        )

    def _name(self) -> str:
        self.made += 1
        return str(self.made)

    def _refuse(self) -> None:
        self.refused += 1


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    return House(tmp_path / "spool")


def said(text: str, scope_id: str = "s") -> Spooled:
    return Spooled(scope_id, 1, text.encode())


async def emptied(spool: Spool, house: House) -> None:
    await asyncio.to_thread(
        until,
        lambda: not spool.waiting and not list(house.folder.glob("*.spool")),
        "the spool is empty",
    )


async def test_what_is_put_is_taken_in_its_order_and_its_file_goes(house: House) -> None:
    spool = house.open()
    names = [str(number) for number in range(30)]
    await asyncio.gather(*(spool.put(said(name)) for name in names))
    assert spool.waiting == {"s": 30}
    house.taker.refusals = 3
    await spool.start(house.taker)
    assert await house.taker.wait_for(30) == names
    await emptied(spool, house)
    await spool.put(said("later"))
    assert await house.taker.wait_for(31) == [*names, "later"]
    await emptied(spool, house)
    assert list(house.folder.iterdir()) == []
    await spool.stop()


async def test_what_a_dead_process_left_goes_first(house: House) -> None:
    dead = house.open()
    await dead.start(house.taker)
    house.taker.refusals = 1_000_000
    await dead.put(said("old"))
    await dead.stop()
    house.taker.refusals = 0
    heir = house.open()
    await heir.start(house.taker)
    assert heir.waiting or house.taker.taken == ["old"], "what comes now has to go behind it"
    await heir.put(said("new"))
    assert await house.taker.wait_for(2) == ["old", "new"]
    await emptied(heir, house)
    await heir.stop()


async def test_a_full_spool_refuses_and_says_so(house: House) -> None:
    spool = house.open(limit=100)
    await spool.put(said("fits"))
    with pytest.raises(StoreUnavailable, match="full"):
        await spool.put(said("x" * 100))
    assert (spool.waiting, house.refused) == ({"s": 1}, 1)
    await spool.stop()


async def test_a_disk_that_does_not_take_it_refuses(house: House) -> None:
    house.folder.write_text("in the way")
    spool = house.open()
    with pytest.raises(StoreUnavailable, match="File exists"):
        await spool.put(said("lost"))
    assert (spool.waiting, house.refused) == ({}, 1)
    await spool.stop()


async def test_what_cannot_be_taken_holds_up_nothing_and_is_kept(house: House) -> None:
    house.taker.broken = "bad"
    spool = house.open()
    for text in ("one", "bad", "two"):
        await spool.put(said(text))
    await spool.start(house.taker)
    assert await house.taker.wait_for(2) == ["one", "two"]
    await emptied(spool, house)
    (kept,) = house.folder.iterdir()
    assert kept.name.endswith(".spool.kept")
    assert b"bad" in kept.read_bytes()
    await spool.stop()
