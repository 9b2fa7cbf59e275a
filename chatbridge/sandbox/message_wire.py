"""The body of a send or edit: POST /v2/origin/custom/{scope_id} (page "chat-api-reference")."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from chatbridge.sandbox.wire import (
    Contact,
    Delivery,
    Id,
    Kind,
    Location,
    Participant,
    Source,
    Text,
    Url,
    Whole,
    Wire,
    absent,
)

MEDIA_KINDS = frozenset({"file", "video", "picture", "voice", "audio", "sticker"})
FILE_KINDS = frozenset({"file", "video", "picture"})


class Post(Wire):
    """The post that a comment belongs to."""

    id: Id
    url: Url


class Body(Wire):
    """The `message` object."""

    type: Kind
    text: Text | None = None
    media: Url | None = None
    file_name: Text | None = None
    file_size: Whole | None = None
    media_duration: Whole | None = None
    sticker_id: Text | None = None
    location: Location | None = None
    contact: Contact | None = None
    callback_data: Text | None = None
    delivery_status: Delivery | None = None
    post: Post | None = None

    def required(self) -> Iterator[str]:
        """Members this type needs."""
        if self.type in {"text", "location", "contact"}:
            yield self.type
        if self.type in MEDIA_KINDS:
            yield "media"
        if self.type in FILE_KINDS:
            yield from ("file_name", "file_size")


class Embedded(Wire):
    """A quoted or forwarded message: an id, or everything."""

    id: Id | None = None
    msgid: Id | None = None
    type: Kind | None = None
    text: Text | None = None
    file_name: Text | None = None
    file_size: Whole | None = None
    media_duration: Whole | None = None
    location: Location | None = None
    contact: Contact | None = None
    timestamp: Whole | None = None
    msec_timestamp: Whole | None = None
    sender: Participant | None = None

    def missing_at(self, path: str) -> Iterator[str]:
        """Paths of required members below `path`."""
        if self.id is not None or self.msgid is not None:
            return
        yield from absent(self, path, ("type", "timestamp", "msec_timestamp", "sender"))
        if self.type in {"text", "location", "contact"}:
            yield from absent(self, path, (self.type,))
        sender = self.sender
        if sender is not None and sender.id is None and sender.ref_id is None:
            yield from absent(sender, f"{path}.sender", ("name",))


class Quote(Wire):
    """The message answered to."""

    message: Embedded


class Forwards(Wire):
    """Forwarded messages: exactly one for now."""

    messages: Annotated[tuple[Embedded, ...], Field(min_length=1, max_length=1)]
    conversation_ref_id: Id | None = None
    conversation_id: Id | None = None


class NewMessage(Wire):
    """Payload of `new_message`."""

    timestamp: Whole
    msec_timestamp: Whole | None = None  # the pages of 2017 do not have it
    msgid: Id
    conversation_id: Id
    conversation_ref_id: Id | None = None
    silent: bool = False
    source: Source | None = None
    sender: Participant
    receiver: Participant | None = None
    message: Body
    reply_to: Quote | None = None
    forwards: Forwards | None = None


class EditMessage(Wire):
    """Payload of `edit_message`: `msgid` or `id` finds the message, both together set the msgid."""

    timestamp: Whole | None = None
    msec_timestamp: Whole | None = None
    msgid: Id | None = None
    id: Id | None = None
    conversation_id: Id | None = None
    message: Body


class SendNew(Wire):
    """A `new_message` event."""

    payload: NewMessage

    def missing(self) -> Iterator[str]:  # noqa: D102 - see Wire
        payload = self.payload
        yield from absent(payload.sender, "payload.sender", ("id", "name"))
        if payload.receiver is not None:
            yield from absent(payload.receiver, "payload.receiver", ("id", "name"))
        yield from absent(payload.message, "payload.message", payload.message.required())
        if payload.reply_to is not None:
            yield from payload.reply_to.message.missing_at("payload.reply_to.message")
        for forwarded in payload.forwards.messages if payload.forwards is not None else ():
            yield from forwarded.missing_at("payload.forwards.messages.0")


class SendEdit(Wire):
    """An `edit_message` event."""

    payload: EditMessage


class Event(Wire):
    """What is common to both events."""

    event_type: Literal["new_message", "edit_message"]
