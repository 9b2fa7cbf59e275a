"""Lost replies: who is asked for them, when amoCRM does not answer, and what waits for them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from chatbridge.bridge.accepting import Acceptor, entry_key
from chatbridge.bridge.callbacks import Callbacks
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.histories import Histories
from chatbridge.bridge.recovery import AGAIN_AFTER, Recovery
from chatbridge.clock import Clock
from chatbridge.model import Direction, HookVersion, Kind, Link, LinkState, Message, Person
from chatbridge.observability.metrics import Metrics
from chatbridge.protocol.amojo.signing import sign_body
from chatbridge.protocol.http import Request, Response
from chatbridge.store import recoveries, schema
from chatbridge.store.engine import Store, open_store
from chatbridge.store.entries import ConversationKey, Entry
from chatbridge.store.partitions import EVERYTHING
from chatbridge.store.recoveries import Gap, Reason, State
from chatbridge.store.recoveries import Recovery as Row
from chatbridge.store.sealing import Sealer
from tests.fakes import FakeClock
from tests.media import make_media_parts
from tests.unit.clock import JumpingClock
from tests.unit.factories import (
    ACCOUNT_ID,
    NOW,
    SECOND,
    SECRET,
    make_channel,
    make_link,
    make_message,
    make_messenger,
    make_response,
)
from tests.unit.protocol.amojo.hook_samples import CHAT, FULL, MARKUP

MESSENGER = make_messenger()
GAP = Gap(NOW - 100 * SECOND, NOW, Reason.DOWN)


def item(message_id: str, at: int = NOW - 50 * SECOND, **message: Any) -> dict[str, Any]:
    """An operator's message as a history has it."""
    said = {"id": message_id, "type": "text", "text": "Yes"} | message
    parties = {"sender": {"id": "op-1"}, "receiver": {"id": "r-1", "client_id": "u-1"}}
    return {"msec_timestamp": at // 1_000, "message": said} | parties


@dataclass
class Amojo:
    """amoCRM at the other end of the transport: histories by conversation, newest first."""

    histories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    instead: Callable[[str], Response | None] = lambda _: None
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    """Which conversation was asked, from which message on, for how many."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, request: Request, *, allowed: object = None) -> Response:
        assert allowed is None
        url = urlsplit(request.url)
        chat, query = url.path.split("/")[-2], parse_qs(url.query)
        offset, limit = int(query["offset"][0]), int(query["limit"][0])
        self.asked.append((chat, offset, limit))
        await self.gate.wait()
        if (other := self.instead(chat)) is not None:
            return other
        items = self.histories.get(chat, [])[offset : offset + limit]
        return make_response(200, {"messages": items}) if items else make_response(204)


@dataclass
class Queue:
    """Keeps what it is offered."""

    taken: list[Entry] = field(default_factory=list)
    partitions: frozenset[int] = EVERYTHING

    def offer(self, entries: Sequence[Entry]) -> list[int]:
        self.taken.extend(entries)
        return []

    def look_up(self, lanes: Sequence[int]) -> None:
        """Nothing is kept of it."""


class Nobody:
    """Nobody is told that somebody types, and nothing is spooled."""

    waiting: dict[str, int] = {}  # noqa: RUF012 - always empty

    def operator_types(self, *_: object) -> None:
        """Nothing is kept of it."""

    async def put(self, *_: object) -> None:
        """Nothing is kept of it."""


@dataclass
class House:
    store: Store
    clock: Clock
    amojo: Amojo
    queue: Queue
    acceptor: Acceptor
    callbacks: Callbacks
    recovery: Recovery
    directory: Directory

    async def conversation(self, name: str, link_id: int = 1) -> None:
        """A conversation that amoCRM knows, and that was active."""
        message = make_message(id=f"m-{link_id}-{name}", conversation_id=f"conv-{name}")
        await self.acceptor.take(
            message,
            direction=Direction.TO_AMOJO,
            conversation=ConversationKey(
                link_id=link_id, external_id=f"conv-{name}", amojo_id=name
            ),
            message_id=message.id,
            key=entry_key(MESSENGER, Direction.TO_AMOJO, Kind.MESSAGE, message.id),
        )

    async def recover(self, gap: Gap = GAP) -> Row:
        """The recovery of a stretch, at its end."""
        await self.recovery.ask(gap)
        await self.recovery.start()
        return await self.ended()

    async def ended(self) -> Row:
        async with asyncio.timeout(10):
            while True:
                (row,) = await self.recovery.list_(before=None, limit=1)
                if row.ended_at is not None:
                    return row

    def replies(self) -> list[str]:
        """Ids of operators' messages that were taken, in their order."""
        return [e.message_id for e in self.queue.taken if e.direction is Direction.TO_MESSENGER]


@asynccontextmanager
async def opened(folder: Path, clock: Clock) -> AsyncIterator[House]:
    store = open_store(f"sqlite:///{folder}/recovery.db", synchronous="normal")
    await store.start()
    await store.write(schema.metadata.create_all)
    directory = Directory(store, Sealer(["a long random passphrase"]), clock)
    await directory.add_channel(make_channel())
    await directory.add_messenger(MESSENGER)
    await directory.add_link(make_link(created_at=NOW - 10**12))
    amojo, queue, metrics = Amojo(), Queue(), Metrics()
    amojo.gate.set()
    media = make_media_parts(store, clock, folder)
    acceptor = Acceptor(store=store, clock=clock, metrics=metrics, queue=queue, copier=media.copier)
    callbacks = Callbacks(
        store=store,
        clock=clock,
        directory=directory,
        metrics=metrics,
        acceptor=acceptor,
        typists=Nobody(),
        spool=Nobody(),
        new_id=lambda: "fresh",
    )
    recovery = Recovery(
        store=store,
        clock=clock,
        directory=directory,
        histories=Histories(directory=directory, transport=amojo, clock=clock, rate=1e9),
        callbacks=callbacks,
        partitions=lambda: queue.partitions,
        days=3,
    )
    try:
        yield House(store, clock, amojo, queue, acceptor, callbacks, recovery, directory)
    finally:
        await recovery.stop()
        await store.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """One whose clock jumps to the end of every wait."""
    async with opened(tmp_path, JumpingClock()) as house:
        yield house


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[House]:
    """One whose clock stands still."""
    async with opened(tmp_path, FakeClock(NOW)) as house:
        yield house


async def test_what_is_missing_is_taken_oldest_first(house: House) -> None:
    await house.conversation("chat")
    times = [NOW - 100 * SECOND + number * SECOND for number in range(60)]
    house.amojo.histories["chat"] = [item(f"a-{at}", at) for at in reversed(times)]
    row = await house.recover()
    assert (row.state, row.conversations, row.recovered) == (State.DONE, 1, 60)
    assert house.replies() == [f"a-{at}" for at in times]
    assert [(offset, limit) for _, offset, limit in house.amojo.asked] == [
        (0, 25),
        (25, 25),
        (50, 25),
        (60, 25),
    ]


async def test_a_history_is_read_no_further_than_the_stretch_goes(house: House) -> None:
    await house.conversation("chat")
    old, late = NOW - 3600 * SECOND, NOW + 3600 * SECOND
    house.amojo.histories["chat"] = [
        item("a-late", late),
        item("a-1"),
        *(item(f"a-old-{number}", old) for number in range(60)),
    ]
    await house.recover()
    assert house.replies() == ["a-1"]
    assert len(house.amojo.asked) == 1


async def test_what_was_said_before_the_link_was_made_is_not_ours(house: House) -> None:
    (link,) = house.directory.links()
    await house.directory.change_link(link, created_at=NOW - 20 * SECOND)
    await house.conversation("chat")
    house.amojo.histories["chat"] = [item("a-2", NOW - 10 * SECOND), item("a-1")]
    await house.recover()
    assert house.replies() == ["a-2"]


async def test_a_server_that_gives_the_same_page_for_ever_is_left(house: House) -> None:
    await house.conversation("chat")
    same = make_response(200, {"messages": [item("a-1")]})
    house.amojo.instead = lambda _: same
    row = await house.recover()
    assert (row.state, row.recovered, len(house.amojo.asked)) == (State.DONE, 1, 2)


async def test_where_an_answer_is_too_large_less_is_asked_for(house: House) -> None:
    await house.conversation("chat")
    wide = [item(f"a-{number}", text="x" * 12_000) for number in range(6)]
    house.amojo.histories["chat"] = wide

    async def cut(request: Request, *, allowed: object = None) -> Response:
        answer = await Amojo.send(house.amojo, request, allowed=allowed)
        return Response(status=answer.status, headers={}, body=answer.body[: 64 * 1024])

    house.amojo.send = cut  # type: ignore[method-assign]  # the transport keeps no more of an answer
    row = await house.recover()
    assert (row.state, row.recovered) == (State.DONE, 6)
    assert [limit for _, _, limit in house.amojo.asked][:2] == [25, 5]


async def test_what_fails_is_asked_again_and_then_given_up(house: House) -> None:
    await house.conversation("good")
    await house.conversation("bad")
    house.amojo.histories["good"] = [item("a-1")]
    house.amojo.instead = lambda chat: make_response(500) if chat == "bad" else None
    row = await house.recover()
    assert (row.state, row.conversations, row.failed, row.recovered) == (State.PARTIAL, 1, 1, 1)
    asked = [chat for chat, *_ in house.amojo.asked]
    assert asked.count("bad") == len(AGAIN_AFTER) + 1
    assert house.clock.now() - NOW >= sum(AGAIN_AFTER) * SECOND


async def test_a_link_that_fails_all_the_time_is_not_asked_for_each_conversation(
    house: House,
) -> None:
    for number in range(20):
        await house.conversation(f"chat-{number}")
    house.amojo.instead = lambda _: make_response(503)
    row = await house.recover()
    assert row.failed == 20
    assert len(house.amojo.asked) <= (len(AGAIN_AFTER) + 1) * 8


async def test_whom_amocrm_asks_to_wait_waits(house: House) -> None:
    await house.conversation("chat")
    house.amojo.histories["chat"] = [item("a-1")]
    answers = [make_response(429, retry_after="77")]
    house.amojo.instead = lambda _: answers.pop() if answers else None
    row = await house.recover()
    assert row.state == State.DONE
    assert house.clock.now() - NOW >= 77 * SECOND


@pytest.mark.parametrize(
    "change", [{"hook_version": HookVersion.V1}, {"state": LinkState.DISCONNECTED}], ids=str
)
async def test_who_cannot_be_asked_is_not(house: House, change: dict[str, Any]) -> None:
    (link,) = house.directory.links()
    await house.directory.change_link(link, **change)
    await house.conversation("chat")
    row = await house.recover()
    assert (row.state, house.amojo.asked) == (State.DONE, [])


async def test_one_link_alone_may_be_asked(house: House) -> None:
    other = make_link(id=0, scope_id="other", account_id=ACCOUNT_ID[:-1] + "b")
    second = await house.directory.add_link(other)
    await house.conversation("chat")
    await house.conversation("another", second.id)
    await house.recover(Gap(GAP.from_at, GAP.to_at, Reason.ASKED, "other"))
    assert {chat for chat, *_ in house.amojo.asked} == {"another"}


async def test_nothing_is_recovered_by_who_does_not_deliver_the_first_partition(
    patient: House,
) -> None:
    patient.queue.partitions = EVERYTHING - {0}
    await patient.conversation("chat")
    await patient.recovery.ask(GAP)
    await patient.recovery.start()
    assert isinstance(patient.clock, FakeClock)
    await patient.clock.somebody_sleeps()
    assert patient.amojo.asked == []
    patient.queue.partitions = EVERYTHING
    patient.recovery.wake()
    assert (await patient.ended()).state == State.DONE


def callback_of(house: House, name: str, message_id: str) -> tuple[Link, Message]:
    message = make_message(
        id=message_id, conversation_id=f"conv-{name}", amojo_conversation_id=name
    )
    return house.directory.links()[0], message


async def taken_by_callback(house: House, name: str, message_id: str) -> None:
    """What is done with an operator's message."""
    link, message = callback_of(house, name, message_id)
    if house.callbacks.first is not None:
        await house.callbacks.first(link, message)
    await house.callbacks.take_recovered(link, message, 1)


async def test_a_callback_lets_what_was_missed_go_first(patient: House) -> None:
    patient.queue.partitions = EVERYTHING - {0}
    await patient.recovery.ask(GAP)
    await patient.recovery.start()
    patient.amojo.histories["chat"] = [item("a-2"), item("a-1")]
    await taken_by_callback(patient, "chat", "a-3")
    assert patient.replies() == ["a-1", "a-2", "a-3"]
    await taken_by_callback(patient, "chat", "a-4")
    assert len(patient.amojo.asked) == 2, "it is asked once"


async def test_a_reply_whose_callback_is_here_keeps_what_histories_do_not_tell(
    patient: House,
) -> None:
    patient.queue.partitions = EVERYTHING - {0}
    await patient.recovery.ask(GAP)
    await patient.recovery.start()
    told = FULL["message"]["message"]["id"]
    patient.amojo.histories[CHAT] = [
        item("a-2", NOW - 1),
        item(told),
        item("a-1", NOW - 99 * SECOND),
    ]
    body = json.dumps(FULL).encode()
    await patient.callbacks.take(make_link().scope_id, body, sign_body(SECRET, body))
    assert patient.replies() == ["a-1", told, "a-2"]
    assert patient.queue.taken[1].read().extras["markup"] == MARKUP
    assert (await patient.recovery.list_(before=None, limit=1))[0].recovered == 2


async def test_a_callback_waits_no_longer_than_amocrm_does(patient: House) -> None:
    patient.queue.partitions = EVERYTHING - {0}
    await patient.recovery.ask(GAP)
    await patient.recovery.start()
    patient.amojo.gate.clear()
    patient.amojo.histories["chat"] = [item("a-1")]
    waiting = asyncio.create_task(taken_by_callback(patient, "chat", "a-2"))
    async with asyncio.timeout(10):
        while not patient.amojo.asked:
            await patient.store.read(recoveries.next_open)
    assert isinstance(patient.clock, FakeClock)
    assert not waiting.done()
    patient.clock.advance(2)
    await waiting
    assert patient.replies() == ["a-2"]
    await taken_by_callback(patient, "chat", "a-3")
    assert patient.replies() == ["a-2", "a-3"], "the next one does not wait again"


async def test_who_asks_for_old_replies_makes_no_callback_wait(patient: House) -> None:
    patient.queue.partitions = EVERYTHING - {0}
    await patient.recovery.ask(GAP._replace(reason=Reason.ASKED))
    await patient.recovery.start()
    assert patient.callbacks.first is None


async def test_what_an_operator_began_and_nobody_bound_is_recovered_too(house: House) -> None:
    (link,) = house.directory.links()
    began = make_message(id="a-1", conversation_id=None, amojo_conversation_id="chat")
    began = replace(began, receiver=Person(amojo_id="r-1", phone="+79000000001"))
    await house.callbacks.take_recovered(link, began, 1)
    house.amojo.histories["chat"] = [item("a-2"), item("a-1")]
    row = await house.recover()
    assert row.recovered == 1
    kinds = [(entry.kind, entry.message_id) for entry in house.queue.taken]
    assert kinds == [(Kind.STARTED, "a-1"), (Kind.MESSAGE, "a-1"), (Kind.MESSAGE, "a-2")]
