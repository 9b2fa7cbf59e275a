"""What is done again and again goes on whatever becomes of it."""

import asyncio

from structlog.testing import capture_logs

from chatbridge.bridge.periodic import Periodic
from chatbridge.errors import StoreUnavailable
from tests.fakes import FakeClock


async def test_it_goes_on_after_outages_and_faults(clock: FakeClock) -> None:
    runs: asyncio.Queue[int] = asyncio.Queue()

    async def run() -> None:
        number = runs.qsize()
        runs.put_nowait(number)
        if number == 0:
            raise StoreUnavailable("the database is away")
        if number == 1:
            raise ZeroDivisionError

    chore = Periodic(run, clock=clock, every=60, name="a chore")
    with capture_logs() as logs:
        chore.start()
        for _ in range(3):
            await clock.somebody_sleeps()
            clock.advance(60)
        await clock.somebody_sleeps()
        await chore.stop()
    assert runs.qsize() == 4
    assert [(line["event"], line["what"]) for line in logs] == [
        ("put_off", "a chore"),
        ("periodic_fault", "a chore"),
    ]
    clock.advance(600)
    assert runs.qsize() == 4


async def test_stopping_what_was_not_started_is_nothing(clock: FakeClock) -> None:
    await Periodic(asyncio.Event().wait, clock=clock, every=1, name="a chore").stop()
