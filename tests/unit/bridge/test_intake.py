"""Which account a client's message is for, and who may send a callback."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatbridge.bridge.accepting import Acceptor, entry_key
from chatbridge.bridge.callbacks import Callbacks
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.intake import Intake
from chatbridge.errors import (
    CallbackRefused,
    IdReused,
    LinkAmbiguous,
    NotLinked,
    UnreadablePayload,
)
from chatbridge.model import AmojoIdentity, Direction, Kind, Link, LinkState, Message, Typing
from chatbridge.observability.metrics import Metrics
from chatbridge.protocol.amojo import signing
from chatbridge.spool.records import Spooled
from chatbridge.store import schema
from chatbridge.store.engine import Store, open_store
from chatbridge.store.entries import Entry
from chatbridge.store.partitions import EVERYTHING
from chatbridge.store.sealing import Sealer
from tests.media import make_media_parts
from tests.unit.clock import JumpingClock
from tests.unit.factories import (
    NOW,
    SCOPE_ID,
    SECRET,
    VECTORS,
    make_channel,
    make_link,
    make_message,
    make_messenger,
)

HOOK = next(row for row in VECTORS["body_only"] if row["id"] == "H1")["body"].encode()
MESSENGER = make_messenger()


@dataclass
class House:
    directory: Directory
    intake: Intake
    callbacks: Callbacks
    store: Store
    spool: "KeepingSpool"
    taken: list[Entry] = field(default_factory=list)

    async def link(self, **changes: Any) -> None:
        await self.directory.add_link(make_link(**changes))

    async def client_says(self, *, scope_id: str | None = None, said: bytes = b"said") -> None:
        await self.intake.client_message(MESSENGER, make_message(), scope_id=scope_id, said=said)

    async def callback(self, body: bytes, *, scope_id: str = SCOPE_ID) -> None:
        await self.callbacks.take(scope_id, body, signing.sign_body(SECRET, body))


class KeepingQueue:
    """Keeps what it is offered."""

    partitions = EVERYTHING

    def __init__(self, taken: list[Entry]) -> None:
        self._taken = taken

    def offer(self, entries: Sequence[Entry]) -> list[int]:
        self._taken.extend(entries)
        return []

    def look_up(self, lanes: Sequence[int]) -> None:
        """Nothing is kept of it."""


class NoTypists:
    """Nobody is told that somebody types."""

    def operator_types(self, link: Link, typing: Typing) -> None:
        """Nothing is kept of it."""


@dataclass
class KeepingSpool:
    """Keeps what it is given."""

    kept: list[Spooled] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)

    async def put(self, record: Spooled) -> None:
        self.kept.append(record)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = open_store(f"sqlite:///{tmp_path}/intake.db", synchronous="normal")
    await store.start()
    try:
        await store.write(schema.metadata.create_all)
        clock, taken = JumpingClock(), list[Entry]()
        directory = Directory(store, Sealer(["a long random passphrase"]), clock)
        await directory.add_channel(make_channel())
        await directory.add_messenger(MESSENGER)
        metrics, spool = Metrics(), KeepingSpool()
        media = make_media_parts(store, clock, tmp_path)
        acceptor = Acceptor(
            store=store,
            clock=clock,
            metrics=metrics,
            queue=KeepingQueue(taken),
            copier=media.copier,
        )
        intake = Intake(store=store, directory=directory, acceptor=acceptor, uploads=media.uploads)
        callbacks = Callbacks(
            store=store,
            clock=clock,
            directory=directory,
            metrics=metrics,
            acceptor=acceptor,
            typists=NoTypists(),
            spool=spool,
            new_id=lambda: "fresh",
        )
        yield House(directory, intake, callbacks, store, spool, taken)
    finally:
        await store.close()


# --- which link ---------------------------------------------------------------------------------


async def test_the_only_link_is_meant(house: House) -> None:
    await house.link()
    await house.client_says()
    assert [entry.message_id for entry in house.taken] == ["m-1"]


async def test_one_of_several_has_to_be_named(house: House) -> None:
    await house.link()
    await house.link(scope_id="other", account_id="other", id=2)
    with pytest.raises(LinkAmbiguous):
        await house.client_says()
    await house.client_says(scope_id="other")
    assert [entry.link_id for entry in house.taken] == [2]


async def test_a_disconnected_link_does_not_count(house: House) -> None:
    await house.link()
    await house.link(scope_id="other", account_id="other", id=2, state=LinkState.DISCONNECTED)
    await house.client_says()
    assert [entry.link_id for entry in house.taken] == [1]
    with pytest.raises(NotLinked, match="other"):
        await house.client_says(scope_id="other")


async def test_without_a_link_nothing_is_taken(house: House) -> None:
    with pytest.raises(NotLinked, match="POST /v1/links"):
        await house.client_says()
    assert house.taken == []


async def test_the_link_of_another_messenger_is_unknown(house: House) -> None:
    identity = AmojoIdentity(channel_id="other", secret=SECRET, account_id="other")
    other = make_messenger(id="msgr_2", api_key_hash=b"x" * 32, amojo=identity)
    await house.directory.add_messenger(other)
    await house.link(messenger_id="msgr_2")
    with pytest.raises(NotLinked):
        await house.client_says(scope_id=SCOPE_ID)


# --- repeats ------------------------------------------------------------------------------------


async def test_a_repeat_changes_nothing_and_another_body_is_refused(house: House) -> None:
    await house.link()
    await house.client_says()
    await house.client_says()
    with pytest.raises(IdReused, match="m-1"):
        await house.client_says(said=b"something else")
    assert len(house.taken) == 1


async def test_a_callback_that_comes_twice_is_one_message(house: House) -> None:
    await house.link()
    await house.callback(HOOK)
    await house.callback(HOOK.replace(b'"time":1736847060', b'"time":1736847099'))
    assert [entry.direction for entry in house.taken] == [Direction.TO_MESSENGER]


def test_keys_differ_by_messenger_direction_and_id() -> None:
    keys = {
        entry_key(make_messenger(id=messenger), direction, Kind.MESSAGE, message_id)
        for messenger in ("msgr_1", "msgr_2")
        for direction in Direction
        for message_id in ("m-1", "m-2")
    }
    assert len(keys) == 8


# --- callbacks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", [None, "", "0" * 40, signing.sign_body("f" * 40, HOOK)])
@pytest.mark.parametrize("scope_id", [SCOPE_ID, "nobody"])
async def test_a_forged_callback_is_refused_as_one_for_nobody(
    house: House, scope_id: str, signature: str | None
) -> None:
    await house.link()
    with pytest.raises(CallbackRefused) as caught:
        await house.callbacks.take(scope_id, HOOK, signature)
    assert str(caught.value) == str(CallbackRefused())
    assert house.taken == []


async def test_the_secret_of_nobody_opens_nothing(house: House) -> None:
    with pytest.raises(CallbackRefused):
        await house.callbacks.take("nobody", HOOK, signing.sign_body("0" * 40, HOOK))


@pytest.mark.parametrize(
    "body", [b'{"action":{"typing":{}}}', b'{"action":{"reaction":{}}}', b"{}"]
)
async def test_other_events_are_acknowledged(house: House, body: bytes) -> None:
    await house.link()
    await house.callback(body)
    assert house.taken == []


async def test_what_cannot_be_read_says_so(house: House) -> None:
    await house.link()
    with pytest.raises(UnreadablePayload):
        await house.callback(b"signed, but no JSON")


async def test_a_disconnected_link_still_takes_what_was_on_its_way(house: House) -> None:
    await house.link(state=LinkState.DISCONNECTED)
    await house.callback(HOOK)
    assert len(house.taken) == 1


# --- what cannot be stored, and what was missed -------------------------------------------------

TYPING = b'{"action":{"typing":{"user":{"id":"o-1"},"conversation":{"id":"chat-1"}}}}'
TIMELESS = b'{"conversation_id":"c-1","type":"text","text":"ok","receiver":"u-1"}'


async def test_what_the_database_does_not_take_is_spooled(house: House) -> None:
    await house.link()
    await house.store.close()
    await house.callback(HOOK)
    assert [(one.scope_id, one.body) for one in house.spool.kept] == [(SCOPE_ID, HOOK)]
    assert house.taken == []


async def test_what_follows_something_spooled_goes_behind_it(house: House) -> None:
    await house.link()
    house.spool.waiting = {"another": 1}
    await house.callback(HOOK)
    assert len(house.taken) == 1, "scopes do not wait for each other"
    house.spool.waiting = {SCOPE_ID: 1}
    await house.callback(HOOK)
    assert [one.body for one in house.spool.kept] == [HOOK]


async def test_a_forged_callback_is_never_spooled(house: House) -> None:
    await house.link()
    house.spool.waiting = {SCOPE_ID: 1}
    with pytest.raises(CallbackRefused):
        await house.callbacks.take(SCOPE_ID, HOOK, "0" * 40)
    assert house.spool.kept == []


@pytest.mark.parametrize("body", [HOOK, TIMELESS], ids=["v2", "v1 without a time"])
async def test_what_is_taken_from_the_spool_twice_is_one_message(house: House, body: bytes) -> None:
    await house.link()
    for _ in range(2):
        await house.callbacks.take_spooled(Spooled(SCOPE_ID, NOW, body))
    assert len(house.taken) == 1
    await house.callbacks.take_spooled(Spooled(SCOPE_ID, NOW + 1, TIMELESS))
    assert len(house.taken) == 2, "an operator may write the same again"


async def test_old_dots_are_not_shown(house: House) -> None:
    await house.link()
    await house.callbacks.take_spooled(Spooled(SCOPE_ID, NOW, TYPING))
    assert house.taken == []


async def test_what_is_found_in_the_history_is_taken_unless_its_callback_came(house: House) -> None:
    await house.link()
    link = house.directory.links()[0]
    message = make_message(id="a-1", amojo_conversation_id="chat-1")
    waited: list[str] = []

    async def first(_: Link, message: Message) -> None:
        waited.append(message.id)

    house.callbacks.first = first
    await house.callbacks.take_recovered(link, message, 1)
    await house.callbacks.take_recovered(link, message, 1)
    assert [entry.message_id for entry in house.taken] == ["a-1"]
    assert waited == []
    await house.callback(HOOK)
    assert len(waited) == 1, "a callback lets what was missed go first"
