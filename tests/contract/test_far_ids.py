"""Operators' messages by the ids that messengers give them, on both databases."""

from typing import Any

import pytest

from chatbridge.bridge.accepting import entry_key
from chatbridge.bridge.naming import FarNames
from chatbridge.errors import NotSent, StoreUnavailable
from chatbridge.model import Direction, Kind, Link, Message, Person, Reaction, Started
from chatbridge.store import far_ids, journal, pending, targets
from chatbridge.store.engine import Store, open_store
from chatbridge.store.entries import Entry, Outcome, OutcomeKind
from chatbridge.store.far_ids import FarName
from chatbridge.store.passport import find_passport
from tests.contract.conftest import add_link
from tests.factories import make_draft, make_message, make_messenger, make_outcome
from tests.fakes import BEGINNING

NOBODY = (b"x" * 16,)


async def reply(store: Store, link: Link, message_id: str, **draft: Any) -> Entry:
    made = make_draft(link, message_id, direction=Direction.TO_MESSENGER, **draft)
    (answer,) = await store.write(journal.accept, [made], BEGINNING)
    assert answer.entry is not None
    return answer.entry


def taken(entry: Entry, *names: str) -> Outcome:
    """The messenger took it, and calls it so."""
    return make_outcome(entry, OutcomeKind.DELIVERED, far_id=names[0], names=names)


async def found(store: Store, link: Link, far_id: str) -> str | None:
    """amoCRM's id of the message that the link's messenger calls so, the same wherever it is looked for."""
    name = FarName(link.messenger_id, far_id)
    target = await store.read(targets.find_target, NOBODY, name)
    passport = await store.read(find_passport, NOBODY, name)
    assert (target and target.entry_id) == (passport and passport.entry_id)
    return target and target.message_id


async def test_a_message_is_found_by_every_id_that_its_messenger_gave(
    store: Store, link: Link
) -> None:
    album = await reply(store, link, "a-1")
    await store.write(pending.settle, [taken(album, "p-9", "p-1", "p-5")], BEGINNING)
    for far_id in ("p-9", "p-1", "p-5"):
        assert await found(store, link, far_id) == "a-1"
    assert await found(store, link, "p-2") is None
    assert await store.read(far_ids.find, album.key) == "p-9", "the first is the main one"
    passport = await store.read(find_passport, (album.key,))
    assert passport is not None
    assert passport.far_id == "p-9"


async def test_an_id_is_one_messengers_own(store: Store, link: Link) -> None:
    other = await add_link(store)
    mine, theirs = await reply(store, link, "a-1"), await reply(store, other, "a-2")
    await store.write(pending.settle, [taken(mine, "p-1"), taken(theirs, "p-1")], BEGINNING)
    assert await found(store, link, "p-1") == "a-1"
    assert await found(store, other, "p-1") == "a-2"
    await store.write(pending.settle, [taken(await reply(store, other, "a-3"), "p-3")], BEGINNING)
    assert await found(store, link, "p-3") is None


async def test_an_id_that_is_given_again_stays_with_the_first_and_harms_nothing(
    store: Store, link: Link
) -> None:
    first, second = await reply(store, link, "a-1"), await reply(store, link, "a-2")
    await store.write(pending.settle, [taken(first, "p-1", "p-1")], BEGINNING)
    await store.write(pending.settle, [taken(first, "p-1"), taken(second, "p-1", "p-2")], BEGINNING)
    assert await found(store, link, "p-1") == "a-1"
    assert await found(store, link, "p-2") == "a-2"
    assert await store.read(pending.load_after, 0, 10) == []


async def test_who_was_delivered_without_a_name_has_none(store: Store, link: Link) -> None:
    entries = [await reply(store, link, f"a-{number}") for number in range(3)]
    plain = make_outcome(entries[0], OutcomeKind.DELIVERED)
    assert plain.is_plain
    assert not taken(entries[1], "p-1").is_plain
    await store.write(pending.settle_delivered, [plain], BEGINNING)
    await store.write(pending.settle, [make_outcome(entries[1], OutcomeKind.PARKED)], BEGINNING)
    for entry in entries:
        assert await store.read(far_ids.find, entry.key) is None


async def test_of_two_messages_that_are_meant_the_older_is_found(store: Store, link: Link) -> None:
    first, second = await reply(store, link, "a-1"), await reply(store, link, "a-2")
    await store.write(pending.settle, [taken(first, "p-1"), taken(second, "p-2")], BEGINNING)
    for key, far_id in ((second.key, "p-1"), (first.key, "p-2")):
        name = FarName(link.messenger_id, far_id)
        target = await store.read(targets.find_target, (key,), name)
        assert target is not None
        assert target.message_id == "a-1"


# --- what an operator says about a message ------------------------------------------------------


SHOP = make_messenger()
OPERATOR = Person(amojo_id="o-1")


def quoting(message_id: str) -> Message:
    return make_message(id="a-9", reply_to=message_id)


def reacting(message_id: str | None, amojo_id: str | None) -> Reaction:
    return Reaction(
        message_id=message_id,
        amojo_message_id=amojo_id,
        reacted_at=BEGINNING,
        by=OPERATOR,
        emoji="👍",
    )


async def test_an_operator_means_a_message_that_the_messenger_knows_otherwise(
    store: Store, link: Link
) -> None:
    key = entry_key(SHOP, Direction.TO_MESSENGER, Kind.MESSAGE, "a-1")
    entry = await reply(store, link, "a-1", key=key)
    await store.write(pending.settle, [taken(entry, "p-1", "p-0")], BEGINNING)
    names = FarNames(store)
    assert await names.put_into(quoting("a-1"), SHOP) == quoting("p-1")
    assert await names.put_into(reacting(None, "a-1"), SHOP) == reacting("p-1", "a-1")
    for event in (
        quoting("m-1"),
        make_message(),
        reacting("m-1", "a-1"),
        reacting(None, "a-2"),
        Started(amojo_conversation_id="chat-1", started_at=BEGINNING, receiver=OPERATOR),
    ):
        assert await names.put_into(event, SHOP) is event
    assert await names.put_into(quoting("a-1"), make_messenger()) == quoting("a-1")


async def test_a_message_is_named_before_its_delivery_is_recorded(store: Store) -> None:
    """A reply and another that quotes it waited together: the second leaves while the first is being recorded."""
    names = FarNames(store)
    names.remember(entry_key(SHOP, Direction.TO_MESSENGER, Kind.MESSAGE, "a-1"), "p-1")
    assert await names.put_into(quoting("a-1"), SHOP) == quoting("p-1")


async def test_nothing_leaves_while_nobody_can_look_up_a_name() -> None:
    away = open_store("postgresql://postgres@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        await away.start()
    with pytest.raises(NotSent):
        await FarNames(away).put_into(quoting("a-1"), SHOP)
    await away.close()
