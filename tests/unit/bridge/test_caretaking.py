"""Each connector looks after the messengers that this node leads, and after no others."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from structlog.testing import capture_logs

from chatbridge.bridge.caretaking import Caretaker
from chatbridge.bridge.inbound import ClientDoor
from chatbridge.connectors.base import Connector, Delivery, Taken
from chatbridge.connectors.host import Inbound
from chatbridge.model import Messenger
from chatbridge.store.partitions import EVERYTHING
from tests.factories import make_messenger
from tests.fakes import FakeClock
from tests.hosts import make_host


class Pigeons(Connector):
    kind = "pigeon"
    broken = False

    def __init__(self) -> None:
        super().__init__(make_host())
        self.led: list[list[str]] = []
        self.life: list[str] = []

    async def send(self, delivery: Delivery) -> Taken:
        raise NotImplementedError

    async def start(self, inbound: Inbound) -> None:  # noqa: ARG002 - the port's
        self.life.append("started")

    async def look_after(self, messengers: Sequence[Messenger]) -> None:
        self.led.append([messenger.name for messenger in messengers])
        if self.broken:
            raise OSError("no pigeons today")

    async def stop(self) -> None:
        self.life.append("stopped")


class People:
    """The directory, as far as a caretaker asks it."""

    def __init__(self, *messengers: Messenger) -> None:
        self.list = list(messengers)

    def messengers(self) -> list[Messenger]:
        return self.list


def keep(people: People, pigeons: Pigeons, clock: FakeClock, **changes: Any) -> Caretaker:
    values = {
        "directory": people,
        "clock": clock,
        "connectors": {"pigeon": pigeons},
        "partitions": lambda: EVERYTHING,
    }
    return Caretaker(**values | changes)


async def look(clock: FakeClock) -> None:
    """Let the caretaker look once more."""
    await clock.somebody_sleeps()
    clock.advance(1)
    await asyncio.sleep(0)
    await clock.somebody_sleeps()


async def test_whom_it_tells_of() -> None:
    clock = FakeClock()
    first, second = (make_messenger(kind="pigeon", name=name) for name in ("a", "b"))
    people, pigeons = People(first, make_messenger()), Pigeons()
    partitions = EVERYTHING
    caretaker = keep(people, pigeons, clock, partitions=lambda: partitions)
    await caretaker.start(ClientDoor)  # type: ignore[arg-type]  # nobody comes in
    caretaker.look()
    await look(clock)
    people.list.append(second)
    await look(clock)
    people.list[0] = replace(first, name="a2")
    await look(clock)
    partitions = frozenset()
    await look(clock)
    await look(clock)
    assert pigeons.led == [["a"], ["a", "b"], ["a2", "b"], []]
    await caretaker.withdraw()
    await caretaker.stop()
    assert pigeons.life == ["started", "stopped"]
    assert len(pigeons.led) == 4


async def test_a_fault_of_one_is_logged_and_the_others_go_on() -> None:
    clock, pigeons, doves = FakeClock(), Pigeons(), Pigeons()
    pigeons.broken = True
    people = People(make_messenger(kind="pigeon"), make_messenger(kind="dove"))
    caretaker = keep(people, pigeons, clock, connectors={"pigeon": pigeons, "dove": doves})
    with capture_logs() as logs:
        caretaker.look()
        await look(clock)
        await caretaker.withdraw()
    assert len(doves.led) == 2
    assert {log["event"] for log in logs} == {"connector_fault"}
