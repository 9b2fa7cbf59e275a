"""Marks that nobody reports: failures at once, deliveries after a quarter of an hour, in words the operator reads."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatbridge.bridge.accepting import Acceptor, entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.marks import Marking, Marks
from chatbridge.ids import delivery_id
from chatbridge.model import (
    Direction,
    FailureReason,
    HookVersion,
    Kind,
    Mark,
    Signing,
    Status,
)
from chatbridge.observability.metrics import Metrics
from chatbridge.store import feed, pending, schema
from chatbridge.store.engine import Store, open_store
from chatbridge.store.entries import ConversationKey, Entry, Outcome, OutcomeKind
from chatbridge.store.feed import Appending
from chatbridge.store.partitions import EVERYTHING
from chatbridge.store.passport import find_passport
from chatbridge.store.sealing import Sealer
from tests.fakes import FakeClock
from tests.media import make_media_parts
from tests.unit.factories import make_channel, make_link, make_message, make_messenger

MESSENGER = make_messenger()


@dataclass
class KeepingQueue:
    """Keeps what it is offered."""

    taken: list[Entry] = field(default_factory=list)
    partitions: frozenset[int] = EVERYTHING

    def offer(self, entries: Sequence[Entry]) -> list[int]:
        self.taken.extend(entries)
        return []

    def look_up(self, lanes: Sequence[int]) -> None:
        """Nothing is kept of it."""


@dataclass
class Reporting:
    """Whether the messenger reports by itself."""

    on: bool = True


@dataclass
class House:
    store: Store
    clock: FakeClock
    acceptor: Acceptor
    queue: KeepingQueue
    marks: Marks
    reporting: Reporting

    async def reply(self, message_id: str = "a-1") -> Entry:
        """An operator's message that is queued."""
        await self.acceptor.take(
            make_message(id=message_id),
            direction=Direction.TO_MESSENGER,
            conversation=ConversationKey(link_id=1, external_id="conv-1", amojo_id="chat-1"),
            message_id=message_id,
            key=entry_key(MESSENGER, Direction.TO_MESSENGER, Kind.MESSAGE, message_id),
        )
        return self.queue.taken[-1]

    async def ended(self, entry: Entry, kind: OutcomeKind, **members: Any) -> Outcome:
        """The end of an attempt, recorded."""
        now = self.clock.now()
        outcome = Outcome(entry=entry, kind=kind, signed_at=now, answered_at=now, **members)
        await self.store.write(pending.settle, [outcome], now)
        return outcome

    def told(self) -> list[Status]:
        """What goes to amoCRM."""
        events = [entry.read() for entry in self.queue.taken if entry.kind == Kind.STATUS]
        return [event for event in events if isinstance(event, Status)]


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    async with opened(tmp_path, clock) as house:
        yield house


@asynccontextmanager
async def opened(folder: Path, clock: FakeClock, **channel: Any) -> AsyncIterator[House]:
    store = open_store(f"sqlite:///{folder}/marks.db", synchronous="normal")
    await store.start()
    try:
        await store.write(schema.metadata.create_all)
        directory = Directory(store, Sealer(["a long random passphrase"]), clock)
        await directory.add_channel(make_channel(**channel))
        await directory.add_messenger(MESSENGER)
        version = channel.get("hook_version", HookVersion.V2)
        await directory.add_link(make_link(hook_version=version))
        queue, reporting = KeepingQueue(), Reporting()
        acceptor = Acceptor(
            store=store,
            clock=clock,
            metrics=Metrics(),
            queue=queue,
            copier=make_media_parts(store, clock, folder).copier,
        )
        marks = Marks(
            store=store,
            clock=clock,
            directory=directory,
            acceptor=acceptor,
            partitions=lambda: EVERYTHING,
            reports=lambda _: reporting.on,
        )
        yield House(store, clock, acceptor, queue, marks, reporting)
    finally:
        await store.close()


async def test_what_was_taken_is_delivered_after_a_quarter_of_an_hour(house: House) -> None:
    await house.ended(await house.reply(), OutcomeKind.DELIVERED)
    house.clock.advance(15 * 60 - 1)
    await house.marks.walk_on()
    assert house.told() == []
    house.clock.advance(1)
    await house.marks.walk_on()
    (status,) = house.told()
    assert (status.amojo_message_id, status.mark) == ("a-1", Mark.DELIVERED)
    house.clock.advance(3600)
    await house.marks.walk_on()
    assert len(house.told()) == 1, "it is told once"


async def test_a_failure_that_a_crash_left_untold_is_found(house: House) -> None:
    failed = {"code": "far_side_down", "detail": "HTTP 500"}
    await house.ended(await house.reply(), OutcomeKind.PARKED, **failed)
    house.clock.advance(15 * 60)
    await house.marks.walk_on()
    (status,) = house.told()
    assert (status.mark, status.reason) == (Mark.FAILED, FailureReason.INTERNAL)
    assert status.text == "Мессенджер не отвечал 15 минут."


async def test_a_failure_is_told_at_once_with_the_messengers_words(house: House) -> None:
    outcome = await house.ended(
        await house.reply(),
        OutcomeKind.PARKED,
        code="rejected",
        detail="HTTP 422",
        reason=FailureReason.NO_CONVERSATION,
        words="No such number",
    )
    house.marks.start()
    house.marks.ended([outcome])
    await house.acceptor.drained()
    while not house.told():
        await house.store.read(pending.newest)
    (status,) = house.told()
    assert status.reason is FailureReason.NO_CONVERSATION
    assert status.text == "Мессенджер не принял сообщение: No such number"
    await house.marks.stop()


@pytest.mark.parametrize("reports", [True, False])
async def test_a_messenger_that_reports_is_given_time_to_do_so(
    house: House, *, reports: bool
) -> None:
    house.reporting.on = reports
    outcome = await house.ended(await house.reply(), OutcomeKind.DELIVERED)
    house.marks.start()
    house.marks.ended([outcome])
    for _ in range(20):
        await house.store.read(pending.newest)
    while not reports and not house.told():
        await house.store.read(pending.newest)
    assert [status.mark for status in house.told()] == ([] if reports else [Mark.DELIVERED])
    await house.marks.stop()


@pytest.mark.parametrize(
    "channel", [{"hook_version": HookVersion.V1}, {"signing": Signing.LEGACY}], ids=["v1", "legacy"]
)
async def test_the_generation_of_2017_is_told_nothing_but_it_is_remembered(
    tmp_path: Path, clock: FakeClock, channel: dict[str, Any]
) -> None:
    async with opened(tmp_path, clock, **channel) as house:
        await house.ended(await house.reply(), OutcomeKind.DELIVERED)
        clock.advance(15 * 60)
        await house.marks.walk_on()
        assert house.told() == []
        key = entry_key(MESSENGER, Direction.TO_MESSENGER, Kind.MESSAGE, "a-1")
        passport = await house.store.read(find_passport, (key,))
        assert passport is not None
        assert passport.receipt is not None
        assert passport.receipt.mark is Mark.DELIVERED


async def fed(house: House, message_id: str) -> str:
    """An operator's message that went into the messenger's feed; its key there."""
    entry = await house.reply(message_id)
    outcome = await house.ended(entry, OutcomeKind.DELIVERED, waiting=True)
    house.marks.ended([outcome])
    key = delivery_id(entry.key)
    event = Appending(MESSENGER.id, "conv-1", key, b"{}")
    await house.store.write(feed.append, [event], house.clock.now())
    return key


async def test_what_nobody_fetched_for_a_quarter_of_an_hour_has_failed(house: House) -> None:
    await fed(house, "a-1")
    late = await fed(house, "a-2")
    await house.store.write(feed.note_fetched, {MESSENGER.id: 1})
    house.clock.advance(15 * 60)
    await house.marks.walk_on()
    said = [(one.amojo_message_id, one.mark, one.reason, one.text) for one in house.told()]
    words = "Сообщение ждёт: получатель не в сети."
    assert sorted(said) == [
        ("a-1", Mark.DELIVERED, None, None),
        ("a-2", Mark.FAILED, FailureReason.MESSENGER_OFF, words),
    ]
    await house.marks.fetched([late, late, "no delivery's key"])
    assert [(one.amojo_message_id, one.mark) for one in house.told()[2:]] == [
        ("a-2", Mark.DELIVERED)
    ], "fetched late is better than never"


@pytest.mark.parametrize("reports", [True, False])
async def test_what_nobody_reports_is_delivered_once_it_is_fetched(
    house: House, *, reports: bool
) -> None:
    house.reporting.on = reports
    house.marks.start()
    key = await fed(house, "a-1")
    for _ in range(20):
        await house.store.read(pending.newest)
    assert house.told() == [], "it is in the feed, and nobody has it"
    await house.marks.fetched([key])
    assert [one.mark for one in house.told()] == ([] if reports else [Mark.DELIVERED])
    await house.marks.stop()


async def test_a_failure_that_the_messenger_reported_stays_when_it_is_fetched(
    house: House,
) -> None:
    key = await fed(house, "a-1")
    at = house.clock.now()
    failed = Marking(Mark.FAILED, at, FailureReason.NO_CONVERSATION, "blocked")
    assert await house.marks.report(MESSENGER, "a-1", failed)
    await house.marks.fetched([key])
    assert [one.mark for one in house.told()] == [Mark.FAILED]
