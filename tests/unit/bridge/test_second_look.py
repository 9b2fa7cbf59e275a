"""One look for all who wait, and never more than one a second."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chatbridge.bridge.second_look import Flight, SecondLook
from chatbridge.errors import StoreUnavailable
from chatbridge.store.directory import Names
from tests.fakes import FakeClock

MOST = 1000


class Work:
    """Something that is done when the test says so."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Semaphore(0)
        self.failure: Exception | None = None
        self.looked_for: list[Names] = []

    async def __call__(self, names: Names | None = None) -> None:
        self.begun += 1
        if names is not None:
            self.looked_for.append(names)
        await self.may_end.acquire()
        if self.failure is not None:
            raise self.failure


async def others_run() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def asked(call: Callable[[], Awaitable[object]], count: int = 1) -> list[asyncio.Task[object]]:
    async def ask() -> object:
        return await call()

    return [asyncio.create_task(ask()) for _ in range(count)]


def key(number: int) -> Names:
    return Names(key_hashes=frozenset({bytes([number % 256, number // 256])}))


@pytest.fixture
def work() -> Work:
    return Work()


# --- runs that are shared -----------------------------------------------------------------------


async def test_who_asks_while_it_runs_gets_the_next_run_together(
    work: Work, clock: FakeClock
) -> None:
    flight = Flight(work, clock)
    first = asked(flight)
    await others_run()
    late = asked(flight, 5)
    await others_run()
    assert work.begun == 1
    work.may_end.release()
    await asyncio.gather(*first)
    await others_run()
    assert work.begun == 2
    assert not any(task.done() for task in late)
    work.may_end.release()
    await asyncio.gather(*late)
    assert work.begun == 2


async def test_a_run_that_fails_fails_for_all_and_the_next_one_does_not(
    work: Work, clock: FakeClock
) -> None:
    flight = Flight(work, clock)
    work.failure = StoreUnavailable("away")
    work.may_end.release()
    failed = await asyncio.gather(*asked(flight, 3), return_exceptions=True)
    assert failed == [work.failure] * 3
    work.failure = None
    work.may_end.release()
    await flight()
    assert work.begun == 2


async def test_who_goes_away_takes_nothing_from_the_others(work: Work, clock: FakeClock) -> None:
    flight = Flight(work, clock)
    gone, stays = asked(flight, 2)
    await others_run()
    gone.cancel()
    work.may_end.release()
    await stays
    assert work.begun == 1


async def test_a_failure_that_nobody_waits_for_is_not_complained_of(
    work: Work, clock: FakeClock
) -> None:
    """The loop would log it: its warnings fail the test."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    flight = Flight(work, clock)
    (gone,) = asked(flight)
    await others_run()
    gone.cancel()
    work.failure = StoreUnavailable("away")
    work.may_end.release()
    await others_run()
    assert complaints == []


# --- looks --------------------------------------------------------------------------------------


async def test_a_lone_caller_waits_for_the_look_alone(work: Work, clock: FakeClock) -> None:
    work.may_end.release()
    assert await SecondLook(work, clock).at(key(1))
    assert work.looked_for == [key(1)]


async def test_those_who_come_later_share_the_look_of_the_next_second(
    work: Work, clock: FakeClock
) -> None:
    look = SecondLook(work, clock)
    work.may_end.release()
    await look.at(key(0))
    late = [asyncio.create_task(look.at(key(number))) for number in (1, 2, 1)]
    await others_run()
    clock.advance(0.9)
    await others_run()
    assert work.begun == 1
    work.may_end.release()
    clock.advance(0.1)
    assert await asyncio.gather(*late) == [True] * 3
    assert work.looked_for[1:] == [key(1) | key(2)]


async def test_the_pause_begins_when_a_look_has_ended(work: Work, clock: FakeClock) -> None:
    look = SecondLook(work, clock)
    first = asyncio.create_task(look.at(key(1)))
    await others_run()
    clock.advance(10)
    second = asyncio.create_task(look.at(key(2)))
    await others_run()
    work.may_end.release()
    await first
    await others_run()
    assert work.begun == 1
    clock.advance(1)
    work.may_end.release()
    await second
    assert work.looked_for == [key(1), key(2)]


async def test_when_very_many_wait_the_next_is_refused_at_once(
    work: Work, clock: FakeClock
) -> None:
    look = SecondLook(work, clock)
    waiting = [asyncio.create_task(look.at(key(number))) for number in range(MOST)]
    await others_run()
    assert not await look.at(key(MOST))
    work.may_end.release()
    work.may_end.release()
    assert all(await asyncio.gather(*waiting))
    clock.advance(1)
    assert await look.at(key(MOST))


async def test_a_database_that_is_away_is_named_so(work: Work, clock: FakeClock) -> None:
    look = SecondLook(work, clock)
    work.failure = StoreUnavailable("away")
    work.may_end.release()
    with pytest.raises(StoreUnavailable):
        await look.at(key(1))
    work.failure = None
    clock.advance(1)
    work.may_end.release()
    assert await look.at(key(1))
