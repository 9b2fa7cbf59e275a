"""What the journal keeps and the lanes carry: messages, and what happens to them afterwards.

An event is written to JSON and read back by its kind, the word that stands beside it in the journal.
"""

from enum import StrEnum
from typing import Final

import msgspec

from chatbridge.model.directory import LinkState
from chatbridge.model.messages import Content, Message, Person, Value


class Kind(StrEnum):
    """What an event is. The words are stored; they never change."""

    MESSAGE = "message"
    EDIT = "edit"
    REACTION = "reaction"
    STATUS = "status"
    STARTED = "started"
    REPORT = "report"
    LINK = "link"


class Edit(Value, frozen=True, kw_only=True):
    """A client's message has new content."""

    message_id: str
    conversation_id: str
    edited_at: int
    content: Content


class Reaction(Value, frozen=True, kw_only=True):
    """Somebody reacts to a message, or takes that back."""

    message_id: str | None = None
    """The messenger's id, where the message was its own."""
    amojo_message_id: str | None = None
    """amoCRM's id, where known."""
    conversation_id: str | None = None
    amojo_conversation_id: str | None = None
    reacted_at: int
    by: Person
    emoji: str | None = None
    """May be absent when it is taken back."""
    removed: bool = False


class Mark(StrEnum):
    """How far an operator's message has come at the messenger."""

    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"

    @property
    def rank(self) -> int:
        """Return its place in the order in which marks replace each other: a message that arrived has not failed."""
        return _RANKS[self]


_RANKS: Final = {Mark.FAILED: 1, Mark.DELIVERED: 2, Mark.READ: 3}


class FailureReason(StrEnum):
    """Why an operator's message did not reach the client."""

    CONVERSATION_REMOVED = "conversation_removed"
    """The client removed the conversation, or the message."""
    MESSENGER_OFF = "messenger_off"
    """The messenger has switched the integration off."""
    INTERNAL = "internal"
    """The messenger, or this server, is at fault."""
    NO_CONVERSATION = "no_conversation"
    """There can be no conversation with this person: the number is unknown, or they block the sender."""
    OTHER = "other"
    """Something else; the text says what."""


class Status(Value, frozen=True, kw_only=True):
    """What became of an operator's message at the messenger."""

    amojo_message_id: str
    mark: Mark
    marked_at: int
    reason: FailureReason | None = None
    text: str | None = None
    """For the operator's eyes, in words."""


class Started(Value, frozen=True, kw_only=True):
    """An operator wrote first: to a phone number, in a conversation that only amoCRM knows."""

    amojo_conversation_id: str
    started_at: int
    receiver: Person
    source: str | None = None


class Report(Value, frozen=True, kw_only=True):
    """What became of a client's message on its way to amoCRM: it was delivered, or given up."""

    message_id: str
    mark: Mark
    ended_at: int
    conversation_id: str | None = None
    amojo_message_id: str | None = None
    amojo_conversation_id: str | None = None
    code: str | None = None
    """Of the last error, if it was given up."""
    detail: str | None = None


class LinkEvent(Value, frozen=True, kw_only=True):
    """A messenger got a link to an account, or lost it."""

    messenger_id: str
    """Whom it concerns: a link that is moved concerns two."""
    state: LinkState
    changed_at: int


class Typing(Value, frozen=True, kw_only=True):
    """Somebody is typing. It is passed on at once or not at all: a minute later it means nothing."""

    conversation_id: str | None = None
    amojo_conversation_id: str | None = None
    by: Person
    until: int
    """When the dots should vanish."""


Event = Message | Edit | Reaction | Status | Started | Report | LinkEvent

_TYPES: Final[dict[str, type[Event]]] = {
    Kind.MESSAGE: Message,
    Kind.EDIT: Edit,
    Kind.REACTION: Reaction,
    Kind.STATUS: Status,
    Kind.STARTED: Started,
    Kind.REPORT: Report,
    Kind.LINK: LinkEvent,
}
_KINDS: Final = {kept: Kind(kind) for kind, kept in _TYPES.items()}
_ENCODER: Final = msgspec.json.Encoder()
_MESSAGE: Final = msgspec.json.Decoder(Message)
_DECODERS: Final = {kind: msgspec.json.Decoder(kept) for kind, kept in _TYPES.items()}


def kind_of(event: Event) -> Kind:
    """Return the kind under which an event is kept."""
    return _KINDS[type(event)]


def encode_event(event: Event) -> bytes:
    """Return an event as JSON bytes, for the journal. Members at their default are left out."""
    return _ENCODER.encode(event)


def decode_message(data: bytes) -> Message:
    """Return the message that `encode_event` wrote."""
    return _MESSAGE.decode(data)


def encode_content(content: Content) -> bytes:
    """Return content as JSON bytes, to tell one from another."""
    return _ENCODER.encode(content)


def decode_event(kind: str, data: bytes) -> Event:
    """Return the event that `encode_event` wrote. A kind or members unknown to this version are an error."""
    return _DECODERS[kind].decode(data)
