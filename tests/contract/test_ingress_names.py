"""What an integration means by an id. Two messengers share a channel here, so that one could meet the other's."""

from dataclasses import dataclass

import pytest

from chatbridge.bridge import ingress_ids
from chatbridge.bridge.accepting import entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.ingress_names import Names
from chatbridge.errors import NotFound, UnreadablePayload
from chatbridge.model import Channel, Content, Direction, Kind, Link, MessageType, Messenger, Quote
from chatbridge.protocol.amojo.ingress import Edited
from chatbridge.store import conversations, journal
from chatbridge.store.engine import Store
from chatbridge.store.entries import ConversationKey, Naming
from chatbridge.store.sealing import Sealer
from tests.factories import make_channel, make_draft, make_link, make_message, make_messenger
from tests.fakes import BEGINNING, FakeClock


@dataclass
class House:
    store: Store
    names: Names
    channel: Channel
    own: tuple[Messenger, Link]
    others: tuple[Messenger, Link]

    async def accept(self, whose: tuple[Messenger, Link], message_id: str) -> int:
        """A client's message in c-1; the number of its conversation."""
        messenger, link = whose
        key = entry_key(messenger, Direction.TO_AMOJO, Kind.MESSAGE, message_id)
        await self.store.write(journal.accept, [make_draft(link, message_id, key=key)], BEGINNING)
        named = ConversationKey(link_id=link.id, external_id="c-1", amojo_id=None)
        return (await self.store.read(conversations.find, [named]))[named].id


@pytest.fixture
async def house(store: Store) -> House:
    directory = Directory(store, Sealer(["a passphrase of the tests"]), FakeClock())
    channel = await directory.add_channel(make_channel())
    pairs = []
    for messenger in (make_messenger(), make_messenger()):
        await directory.add_messenger(messenger)
        pairs.append((messenger, await directory.add_link(make_link(channel, messenger))))
    return House(store, Names(store, directory), channel, *pairs)


async def test_a_conversation_is_named_by_what_was_answered_until_amocrms_id_is_known(
    house: House,
) -> None:
    number, link = await house.accept(house.own, "m-1"), house.own[1]
    answered = await house.names.of_conversation(link, "c-1")
    assert answered == ingress_ids.conversation_uuid(house.channel, number)
    assert await house.names.of_chat(link, answered) is None
    await house.store.write(conversations.learn_amojo_ids, [Naming(link.id, "c-1", "A")])
    assert await house.names.of_conversation(link, "c-1") == "A"
    assert [await house.names.of_chat(link, name) for name in (answered, "A", "B")] == [
        "A",
        "A",
        "B",
    ]


async def test_a_conversation_of_another_messenger_is_nobodys(house: House) -> None:
    messenger, link = house.own
    theirs = await house.accept(house.others, "m-1")
    answered = ingress_ids.conversation_uuid(house.channel, theirs)
    assert await house.names.of_chat(link, answered) is None
    for conversation_id in (None, "c-1"):
        message = make_message(conversation_id=conversation_id, amojo_conversation_id=answered)
        with pytest.raises(UnreadablePayload, match=r"payload\.conversation_id: required"):
            await house.names.as_known(messenger, link, message)


async def test_a_conversation_may_be_named_by_the_other_sides_id_alone(house: House) -> None:
    messenger, link = house.own
    number = await house.accept(house.own, "m-1")
    answered = ingress_ids.conversation_uuid(house.channel, number)
    await house.store.write(conversations.learn_amojo_ids, [Naming(link.id, "c-1", "A")])
    for name, kept in ((answered, None), ("A", "A")):
        message = make_message(conversation_id=None, amojo_conversation_id=name)
        known = await house.names.as_known(messenger, link, message)
        assert (known.conversation_id, known.amojo_conversation_id) == ("c-1", kept)
    nobody_knows = make_message(conversation_id=None, amojo_conversation_id="B")
    with pytest.raises(UnreadablePayload, match=r"payload\.conversation_id: required"):
        await house.names.as_known(messenger, link, nobody_knows)
    first_of_it = make_message(conversation_id="c-2", amojo_conversation_id="B")
    assert await house.names.as_known(messenger, link, first_of_it) == first_of_it


async def test_messages_are_named_by_what_was_answered_to_their_own_messenger(
    house: House,
) -> None:
    messenger, link = house.own
    await house.accept(house.own, "m-1")
    await house.accept(house.others, "m-2")
    own = ingress_ids.message_uuid(messenger, "m-1")
    theirs = ingress_ids.message_uuid(house.others[0], "m-2")
    assert await house.names.of_message(messenger, own) == "m-1"
    for name in (theirs, "m-1", "a-1"):
        assert await house.names.of_message(messenger, name) == name
    quotes = make_message(quote=Quote(amojo_id=own), forward=Quote(amojo_id=theirs))
    known = await house.names.as_known(messenger, link, quotes)
    assert (known.quote, known.forward) == (Quote(id="m-1"), Quote(amojo_id=theirs))
    with pytest.raises(NotFound):
        await house.names.of_conversation_with(messenger, theirs)


async def test_an_edit_may_name_one_message_twice_and_no_two(house: House) -> None:
    messenger, _ = house.own
    await house.accept(house.own, "m-1")
    own = ingress_ids.message_uuid(messenger, "m-1")
    named = [("m-1", None, "m-1"), (None, own, "m-1"), ("m-1", own, "m-1"), ("m-1", "a-1", "m-1")]
    for message_id, answered_id, wanted in [*named, (None, "a-1", "a-1")]:
        assert await house.names.of_edited(messenger, edited(message_id, answered_id)) == wanted
    with pytest.raises(UnreadablePayload, match=r"payload\.msgid"):
        await house.names.of_edited(messenger, edited("m-2", own))


def edited(message_id: str | None, answered_id: str | None) -> Edited:
    return Edited(
        message_id=message_id,
        answered_id=answered_id,
        content=Content(type=MessageType.TEXT, text="x"),
        edited_at=BEGINNING,
        name=None,
    )
