"""The plain form of a v2 message callback, read straight into typed values: a text or a file, nothing beside it.

Nearly every operator's message has it, and reading it so takes a quarter of the time. Whatever differs in anything is left to
`callbacks`, which reads tolerantly, member by member; what is read here, it would read in the same way.
"""

from typing import Annotated, Final

from msgspec import DecodeError, Meta, Struct
from msgspec.json import Decoder

from chatbridge.model import Content, Message, MessageType, Person
from chatbridge.protocol.tame import whole

_Id = Annotated[str, Meta(max_length=255)]
_LAST_MILLISECOND: Final = 253_402_300_800_000
"""Year 10000; from here on no calendar can name the moment."""


class _Party(Struct, gc=False):
    id: _Id | None = None
    client_id: _Id | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None


class _Conversation(Struct, gc=False):
    id: _Id | None = None
    client_id: _Id | None = None


class _Source(Struct, gc=False):
    external_id: str | None = None


class _Said(Struct, gc=False):
    id: _Id
    type: MessageType
    text: str | None = None
    media: str | None = None
    thumbnail: str | None = None
    file_name: str | None = None
    file_size: int | float | None = None
    media_duration: int | float | None = None
    sticker_id: str | None = None
    media_group_id: str | None = None
    # Members that are more than a word or a number: they are left to `callbacks`.
    location: None = None
    contact: None = None
    markup: None = None
    template: None = None
    reply_to: None = None
    forwards: None = None
    post: None = None


class _Written(Struct, gc=False):
    conversation: _Conversation
    sender: _Party
    receiver: _Party
    message: _Said
    msec_timestamp: int
    source: _Source | None = None


class _Hook(Struct, gc=False):
    message: _Written


_DECODER: Final = Decoder(_Hook)


def read_plain_message(body: bytes) -> Message | None:
    """Return the message in a callback, None if it is anything else than one plain message."""
    try:
        written = _DECODER.decode(body).message
    except DecodeError:
        return None
    said, conversation = written.message, written.conversation
    sender, receiver = written.sender, written.receiver
    if not (said.id and (conversation.id or conversation.client_id)):
        return None
    ids = (
        f"{said.id}{conversation.id}{conversation.client_id}{sender.id}{sender.client_id}"
        f"{receiver.id}{receiver.client_id}"
    )
    if not ids.isprintable():
        return None
    if not 0 <= written.msec_timestamp < _LAST_MILLISECOND:
        return None
    return Message(
        id=said.id,
        conversation_id=conversation.client_id or None,
        amojo_conversation_id=conversation.id or None,
        sent_at=written.msec_timestamp * 1_000,
        sender=_person(sender),
        receiver=_person(receiver),
        content=Content(
            type=said.type,
            text=said.text or None,
            media_url=said.media or None,
            thumbnail_url=said.thumbnail or None,
            file_name=said.file_name or None,
            file_size=whole(said.file_size) or None,
            duration=whole(said.media_duration),
            sticker_id=said.sticker_id or None,
            media_group_id=said.media_group_id or None,
        ),
        source=(written.source.external_id or None) if written.source else None,
    )


def _person(party: _Party) -> Person:
    return Person(
        id=party.client_id or None,
        amojo_id=party.id or None,
        name=party.name or None,
        phone=party.phone or None,
        email=party.email or None,
    )
