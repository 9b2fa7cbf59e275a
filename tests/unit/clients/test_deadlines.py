"""Deadlines end what is late, only that, and leave other cancellations alone."""

import asyncio

import pytest

from chatbridge.clients.deadlines import Deadlines
from tests.fakes import SECONDS


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_what_is_late_is_timed_out() -> None:
    deadlines = Deadlines(0.01)
    with pytest.raises(TimeoutError), deadlines.begin():
        await for_ever()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0, "the task goes on as if nothing had been"
    deadlines.close()


async def test_everybody_who_is_late_is_timed_out_in_turn() -> None:
    deadlines = Deadlines(0.01)
    late: list[int] = []

    async def one(number: int) -> None:
        with pytest.raises(TimeoutError), deadlines.begin():
            await for_ever()
        late.append(number)

    async with asyncio.timeout(SECONDS):
        for start in (0, 10):  # the timer stops when nobody is left, and starts again
            await asyncio.gather(*(one(start + number) for number in range(10)))
    assert late == list(range(20))


async def test_who_is_in_time_is_left_alone_and_the_next_is_not_forgotten() -> None:
    deadlines = Deadlines(0.05)
    with deadlines.begin():
        pass
    with pytest.raises(TimeoutError), deadlines.begin():
        await for_ever()


async def test_another_cancellation_stays_one() -> None:
    deadlines = Deadlines(SECONDS)

    async def waits() -> None:
        with deadlines.begin():
            await for_ever()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadlines.close()


async def test_another_cancellation_at_the_same_moment_wins() -> None:
    deadlines = Deadlines(SECONDS)

    async def waits() -> None:
        with deadlines.begin():
            await for_ever()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    next(iter(deadlines._due)).expire()  # noqa: SLF001 - both in one step of the loop
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadlines.close()


async def test_other_errors_pass() -> None:
    deadlines = Deadlines(SECONDS)
    with pytest.raises(KeyError), deadlines.begin():
        raise KeyError
    deadlines.close()


async def test_an_outer_time_out_stays_its_own() -> None:
    deadlines = Deadlines(SECONDS)

    async def waits() -> None:
        with deadlines.begin():
            await for_ever()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waits(), 0.01)
    deadlines.close()
