"""Ids that the amojo-compatible ingress answers where amoCRM would answer its own, which are not known yet.

All are UUIDs, as amoCRM's are. None is stored: each follows from what is, the same every time, and leads back to it where
somebody may name it later.
"""

from uuid import UUID

from msgspec.structs import replace

from chatbridge.bridge.accepting import entry_key
from chatbridge.ids import fingerprint
from chatbridge.model import Channel, Direction, Event, Kind, Message, Messenger, Person, Reaction
from chatbridge.protocol.tame import identifier, members


def message_uuid(messenger: Messenger, message_id: str) -> str:
    """Return the id of a message that this messenger sent: the key under which the journal has it."""
    return str(UUID(bytes=entry_key(messenger, Direction.TO_AMOJO, Kind.MESSAGE, message_id)))


def bytes_of(name: str) -> bytes | None:
    """Return the sixteen bytes of a UUID, None for anything else."""
    try:
        return UUID(name).bytes
    except ValueError:
        return None


def person_uuid(messenger: Messenger, person_id: str) -> str:
    """Return the id of a person whom this messenger knows by an id of its own. It leads back to nobody."""
    return str(UUID(bytes=fingerprint(messenger.id, "person", person_id)))


def conversation_uuid(channel: Channel, number: int) -> str:
    """Return the id of a conversation by its number in the database.

    The number is masked, so that messengers cannot count each other's conversations, and proved, so that nobody meets one by
    guessing (SIV: the proof is the nonce of the mask). Both follow from the channel's secret, which no messenger knows.
    """
    plain = number.to_bytes(8, "big")
    proof = fingerprint(channel.secret, "conversation", plain)[:8]
    return str(UUID(bytes=proof + _masked(channel, proof, plain)))


def conversation_number(channel: Channel, name: str) -> int | None:
    """Return the number of the conversation that has this id, None for an id that is amoCRM's own."""
    given = bytes_of(name)
    if given is None:
        return None
    number = int.from_bytes(_masked(channel, given[:8], given[8:]), "big")
    return number if UUID(conversation_uuid(channel, number)).bytes == given else None


def name_of(messenger: Messenger, somebody: Person) -> str:
    """Return amoCRM's id of a person, where the messenger gave it, or what stands in its place."""
    return somebody.amojo_id or person_uuid(messenger, somebody.id or "")


def without_answered_id(messenger: Messenger, somebody: Person) -> Person:
    """Return a person without an id that was answered here: amoCRM does not know it."""
    if somebody.id is None or somebody.amojo_id != person_uuid(messenger, somebody.id):
        return somebody
    return replace(somebody, amojo_id=None)


def with_answered_ids(messenger: Messenger, event: Event) -> Event:
    """Return what an operator did with the messenger's own messages named as the ingress has named them, not as amoCRM does."""
    if isinstance(event, Reaction):
        if event.message_id is None:
            return event
        return replace(event, amojo_message_id=message_uuid(messenger, event.message_id))
    if not isinstance(event, Message):
        return event
    quoted = members(event.extras, "reply_to", "message")
    named = identifier(quoted.get("msgid"))
    if named is None:
        return event
    quoted = quoted | {"id": message_uuid(messenger, named)}
    quote = members(event.extras, "reply_to") | {"message": quoted}
    return replace(event, extras=event.extras | {"reply_to": quote})


def _masked(channel: Channel, proof: bytes, number: bytes) -> bytes:
    mask = fingerprint(channel.secret, "mask", proof)
    return bytes(one ^ other for one, other in zip(number, mask, strict=False))
