"""Lines on their way into the journal: paced, one after another in a conversation, and again after a fault."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from chatbridge.bridge import import_plan as plan
from chatbridge.bridge.accepting import Acceptor
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.importing import Importing, SaidLine, reason_of
from chatbridge.bridge.intake import Intake
from chatbridge.errors import IdReused, ImportClosed, InvalidFields
from chatbridge.model import LinkState, Message, decode_message
from chatbridge.observability.metrics import Metrics
from chatbridge.store import import_lines, pending, schema
from chatbridge.store.engine import Store, open_store
from chatbridge.store.entries import OutcomeKind
from chatbridge.store.imports import Import, ImportState
from chatbridge.store.partitions import EVERYTHING
from chatbridge.store.sealing import Sealer
from tests.factories import make_outcome
from tests.fakes import BEGINNING, FakeClock
from tests.media import make_media_parts
from tests.unit.bridge.test_marks import KeepingQueue
from tests.unit.factories import make_channel, make_link, make_message, make_messenger

MESSENGER = make_messenger()


@pytest.mark.parametrize(
    ("waiting", "imports", "lines"),
    [
        (0, 1, 250),
        (750, 1, 250),
        (875, 1, 125),
        (876, 1, 0),
        (5000, 1, 0),
        (0, 10, 100),
        (60, 10, 0),
        (0, 5000, 1),
    ],
)
def test_few_imported_messages_wait_at_any_time(waiting: int, imports: int, lines: int) -> None:
    assert plan.portion(waiting, imports) == lines


def test_where_nothing_moves_it_looks_less_often() -> None:
    pauses = [0.0]
    for _ in range(6):
        pauses.append(plan.pause(pauses[-1], moved=0))
    assert pauses == [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0]
    assert plan.pause(1.0, moved=1) == 0.0


def test_reasons_name_members_and_are_one_line() -> None:
    assert (
        reason_of(InvalidFields(fields={"/id": "wrong", "": "odd"}))
        == "/id: wrong; the whole line: odd"
    )
    assert reason_of(InvalidFields(fields={"/a\x00\n": "wrong"})) == "/a: wrong"
    assert reason_of(IdReused("Used.")) == "Used."
    assert len(reason_of(IdReused("x" * 1000))) == 500


@dataclass
class House:
    store: Store
    clock: FakeClock
    directory: Directory
    queue: KeepingQueue
    intake: Intake
    importing: Importing

    async def uploaded(self, *messages: Message) -> Import:
        """A complete upload."""
        one = await self.importing.begin(MESSENGER, "one", None)
        said = [SaidLine(number, message, None) for number, message in enumerate(messages, 1)]
        await self.importing.take(one, MESSENGER, said, [], scope_id=None)
        return await self.importing.complete(one)

    async def moved(self) -> Import:
        """The import when nothing moves any more."""
        while await self.importing.move_on():
            pass
        return await self.importing.find(MESSENGER, "one")

    async def delivered(self) -> None:
        """All that is queued leaves."""
        outcomes = [make_outcome(entry, OutcomeKind.DELIVERED) for entry in self.queue.taken]
        await self.store.write(pending.settle, outcomes, self.clock.now())

    def queued(self) -> list[tuple[str, bool]]:
        """Ids of what was accepted, and whether it is silent."""
        messages = [entry.read() for entry in self.queue.taken]
        return [(one.id, one.silent) for one in messages if isinstance(one, Message)]


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    store = open_store(f"sqlite:///{tmp_path}/imports.db", synchronous="normal")
    await store.start()
    try:
        await store.write(schema.metadata.create_all)
        directory = Directory(store, Sealer(["a long random passphrase"]), clock)
        await directory.add_channel(make_channel())
        await directory.add_messenger(MESSENGER)
        await directory.add_link(make_link())
        queue, metrics = KeepingQueue(), Metrics()
        media = make_media_parts(store, clock, tmp_path)
        acceptor = Acceptor(
            store=store, clock=clock, metrics=metrics, queue=queue, copier=media.copier
        )
        intake = Intake(store=store, directory=directory, acceptor=acceptor, uploads=media.uploads)
        importing = Importing(
            store=store,
            clock=clock,
            directory=directory,
            intake=intake,
            partitions=lambda: EVERYTHING,
        )
        yield House(store, clock, directory, queue, intake, importing)
    finally:
        await store.close()


def said(message_id: str, conversation: str, at: int) -> Message:
    return make_message(id=message_id, conversation_id=conversation, sent_at=at)


async def test_each_conversation_goes_in_the_order_of_its_times(house: House) -> None:
    b = [said(f"b{n}", "b", at) for n, at in enumerate((3, 1, 2, 2))]
    a = [said(f"a{n}", "a", at) for n, at in enumerate((9, 8))]
    await house.uploaded(b[0], a[0], b[1], a[1], b[2], b[3])
    found = await house.moved()
    silent = ["a1", "b1", "b2", "b3"]
    wanted = ["a1", "a0", "b1", "b2", "b3", "b0"]
    queued = house.queued()
    assert [one for one in queued if one[0][0] == "a"] == [("a1", True), ("a0", False)]
    assert [one for one in queued if one[0][0] == "b"] == [
        (name, name in silent) for name in wanted[2:]
    ]
    assert (found.state, found.imported, found.left) == (ImportState.RUNNING, 6, 0)
    await house.delivered()
    found = await house.moved()
    assert (found.state, found.delivered, found.ended_at) == (ImportState.DONE, 6, BEGINNING)


async def test_no_more_go_than_may_wait(house: House) -> None:
    await house.uploaded(*(said(f"m{n}", f"c{n}", n) for n in range(plan.IN_DELIVERY + 20)))
    found = await house.moved()
    assert (found.imported, found.left) == (plan.IN_DELIVERY, 20)
    await house.delivered()
    found = await house.moved()
    assert (found.imported, found.left) == (plan.IN_DELIVERY + 20, 0)
    assert len(set(house.queued())) == len(house.queued()) == plan.IN_DELIVERY + 20


@pytest.mark.parametrize("taken", [0, 2, 4])
async def test_after_a_crash_what_was_claimed_goes_first_and_once(house: House, taken: int) -> None:
    """A server claimed four lines, put some into the journal, and was killed."""
    messages = [said(f"m{n}", "c", n) for n in range(6)]
    one = await house.uploaded(*messages)
    portion = await house.store.read(import_lines.next_portion, one.id, 4)
    await house.store.write(import_lines.claim, one.id, portion)
    for line in portion.fresh[:taken]:
        message = replace(decode_message(line.body), silent=True)
        await house.intake.client_message(MESSENGER, message, scope_id=None, said=line.body)
    found = await house.moved()
    assert [name for name, _ in house.queued()] == [f"m{n}" for n in range(6)]
    assert [silent for _, silent in house.queued()] == [True] * 5 + [False]
    assert (found.imported, found.repeated, found.bad) == (6, 0, 0)


async def test_a_link_that_is_gone_makes_lines_bad(house: House) -> None:
    await house.uploaded(said("m1", "c", 1))
    (link,) = house.directory.links()
    await house.directory.change_link(link, state=LinkState.DISCONNECTED)
    found = await house.moved()
    (bad,) = await house.importing.list_bad(found)
    assert (found.state, found.bad, bad.number, bad.code) == (ImportState.DONE, 1, 1, "not_linked")


async def test_an_upload_takes_no_more_after_its_end(house: House) -> None:
    one = await house.uploaded(said("m1", "c", 1))
    with pytest.raises(ImportClosed):
        await house.importing.begin(MESSENGER, "one", None)
    with pytest.raises(ImportClosed):
        await house.importing.take(one, MESSENGER, [], [], scope_id=None)
    with pytest.raises(ImportClosed):
        await house.importing.complete(one)
