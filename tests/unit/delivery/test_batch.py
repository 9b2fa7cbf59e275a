import asyncio

import pytest

from chatbridge.delivery.batch import Batcher
from chatbridge.errors import StoreUnavailable


class Writer:
    """Writes when it is let; remembers each batch; fails those that hold a `bad` item."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.writes = asyncio.Event()

    async def __call__(self, items: list[str]) -> list[str]:
        self.batches.append(items)
        self.writes.set()
        await self.may_write.wait()
        if "bad" in items:
            raise ValueError("a bad batch")
        return [item.upper() for item in items]


async def write_all(batcher: Batcher[str, str], *items: str) -> list[str | BaseException]:
    return await asyncio.gather(*(batcher(item) for item in items), return_exceptions=True)


async def test_alone_an_item_is_written_at_once() -> None:
    writer = Writer()
    assert await Batcher(writer, limit=10)("a") == "A"
    assert writer.batches == [["a"]]


async def test_each_item_gets_its_own_answer_in_order() -> None:
    writer = Writer()
    batcher = Batcher(writer, limit=10)
    assert await write_all(batcher, "a", "b", "c") == ["A", "B", "C"]
    assert [item for batch in writer.batches for item in batch] == ["a", "b", "c"]


async def test_what_waits_while_one_batch_is_written_makes_up_the_next() -> None:
    writer = Writer()
    writer.may_write.clear()
    batcher = Batcher(writer, limit=2)
    first = batcher("a")
    async with asyncio.timeout(10):
        await writer.writes.wait()
    rest = asyncio.create_task(write_all(batcher, "b", "c", "d"))
    await asyncio.sleep(0)
    writer.may_write.set()
    assert [await first, *await rest] == ["A", "B", "C", "D"]
    assert writer.batches == [["a"], ["b", "c"], ["d"]]


async def test_a_failure_belongs_to_the_item_at_fault() -> None:
    batcher = Batcher(Writer(), limit=2)
    answers = await write_all(batcher, "a", "b", "bad", "c", "d")
    assert [str(answer) for answer in answers] == ["A", "B", "a bad batch", "C", "D"]


async def test_an_outage_belongs_to_the_whole_batch_and_is_not_asked_for_item_by_item() -> None:
    asked = []

    async def away(items: list[str]) -> list[str]:
        asked.append(items)
        raise StoreUnavailable("away")

    answers = await write_all(Batcher(away, limit=10), "a", "b", "c")
    assert [str(answer) for answer in answers] == ["away"] * 3
    assert asked == [["a", "b", "c"]]


async def test_somebody_who_stopped_waiting_harms_nobody() -> None:
    writer = Writer()
    writer.may_write.clear()
    batcher = Batcher(writer, limit=10)
    impatient = batcher("a")
    patient = batcher("b")
    await asyncio.sleep(0)
    impatient.cancel()
    writer.may_write.set()
    assert await patient == "B"
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert writer.batches == [["a", "b"]]


@pytest.mark.parametrize("item", ["a", "bad"])
async def test_drained_waits_for_everything_written_or_failed(item: str) -> None:
    writer = Writer()
    writer.may_write.clear()
    batcher = Batcher(writer, limit=1)
    waiting = asyncio.create_task(write_all(batcher, item, "b"))
    await asyncio.sleep(0)
    drained = asyncio.create_task(batcher.drained())
    await asyncio.sleep(0)
    assert not drained.done()
    writer.may_write.set()
    async with asyncio.timeout(10):
        await drained
    assert writer.batches == [[item], ["b"]]
    await waiting


async def test_drained_returns_at_once_where_nothing_waits() -> None:
    await Batcher(Writer(), limit=1).drained()


async def test_who_does_not_want_to_wait_is_let_go_and_the_items_are_written_all_the_same() -> None:
    writer = Writer()
    writer.may_write.clear()
    batcher = Batcher(writer, limit=2)
    answers = [batcher(item) for item in ("a", "b", "c")]
    async with asyncio.timeout(10):
        await writer.writes.wait()
    batcher.give_up(lambda item: item != "b", StoreUnavailable("it hangs"))
    for answer in (answers[0], answers[2]):
        with pytest.raises(StoreUnavailable):
            await answer
    writer.may_write.set()
    assert await answers[1] == "B"
    await batcher.drained()
    assert writer.batches == [["a", "b"], ["c"]]
