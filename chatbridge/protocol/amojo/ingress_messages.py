"""The body of `POST /v2/origin/custom/{scope_id}` as integrations write it: a message, or new content of one."""

from typing import Annotated, Any, Final

from msgspec import Meta, Raw

from chatbridge.model import MEDIA_TYPES, MessageType
from chatbridge.protocol.amojo.ingress_wire import Id, Line, Participant, Phone, Whole, Wire

_YEAR_10000: Final = 253_402_300_800
"""Seconds; from here on no calendar, ours included, can name the moment."""

Seconds = Annotated[int, Meta(ge=0, lt=_YEAR_10000)]
Milliseconds = Annotated[int, Meta(ge=0, lt=_YEAR_10000 * 1_000)]
SourceId = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[ -~]+$")]


class Source(Wire, frozen=True, kw_only=True):
    """The line that a client writes to."""

    external_id: SourceId | None = None


class Location(Wire, frozen=True, kw_only=True):
    """A place."""

    lon: float
    lat: float


class Contact(Wire, frozen=True, kw_only=True):
    """Somebody's name and number."""

    name: Line
    phone: Phone


class Post(Wire, frozen=True, kw_only=True):
    """The post that a comment is about."""

    id: Id
    url: Line
    preview_url: Line | None = None
    preview_permalink: Line | None = None
    username: Line | None = None
    caption: Line | None = None


class SharedPost(Wire, frozen=True, kw_only=True):
    """A post that a client shares."""

    url: Line
    preview_link: Line | None = None
    preview_permalink: Line | None = None
    site_name: Line | None = None


class Said(Wire, frozen=True, kw_only=True):
    """What a message and a quoted one have in common."""

    text: str | None = None
    file_name: Line | None = None
    file_size: Whole | None = None
    media_duration: Whole | None = None
    location: Location | None = None
    contact: Contact | None = None

    def check(self, kind: MessageType) -> None:
        """Refuse a text without text, a place without a place, a contact without a contact."""
        if kind.value in {"text", "location", "contact"} and getattr(self, kind.value) is None:
            raise ValueError(f"{kind.value}: required")


class Body(Said, frozen=True, kw_only=True):
    """The `message` object."""

    type: MessageType
    media: Line | None = None
    sticker_id: Line | None = None
    callback_data: Line | None = None
    shared_post: SharedPost | None = None
    post: Post | None = None
    delivery_status: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check what its type needs."""
        super().__post_init__()
        self.check(self.type)
        if self.delivery_status is not None:
            raise ValueError("delivery_status: is taken by the call delivery_status alone")


class Embedded(Said, frozen=True, kw_only=True):
    """A quoted or forwarded message: an id, or everything."""

    id: Id | None = None
    msgid: Id | None = None
    type: MessageType | None = None
    timestamp: Seconds | None = None
    msec_timestamp: Milliseconds | None = None
    sender: Participant | None = None

    def __post_init__(self) -> None:
        """Check that it can be found or shown."""
        super().__post_init__()
        if self.type is not None:
            self.check(self.type)
        if self.id is not None or self.msgid is not None:
            return
        for name in ("type", "sender"):
            if getattr(self, name) is None:
                raise ValueError(f"{name}: required where there is neither id nor msgid")
        if self.timestamp is None and self.msec_timestamp is None:
            raise ValueError("timestamp: required where there is neither id nor msgid")


class ReplyTo(Wire, frozen=True, kw_only=True):
    """The message answered to."""

    message: Embedded


class Forwards(Wire, frozen=True, kw_only=True):
    """Messages passed on, of which there can be one for now."""

    messages: Annotated[tuple[Embedded, ...], Meta(min_length=1, max_length=1)]


class NewMessage(Wire, frozen=True, kw_only=True):
    """Payload of `new_message`."""

    msgid: Id
    conversation_id: Id | None = None
    conversation_ref_id: Id | None = None
    timestamp: Seconds | None = None
    msec_timestamp: Milliseconds | None = None
    silent: bool | None = None
    source: Source | None = None
    sender: Participant
    receiver: Participant | None = None
    message: Body
    reply_to: ReplyTo | None = None
    forwards: Forwards | None = None

    def __post_init__(self) -> None:
        """Check what a message cannot do without."""
        super().__post_init__()
        if self.conversation_id is None and self.conversation_ref_id is None:
            raise ValueError("conversation_id: required")
        if self.sender.id is None:
            raise ValueError("sender.id: required")
        if self.receiver is not None and self.receiver.id is None:
            raise ValueError("receiver.id: required")
        if self.message.type in MEDIA_TYPES and not self.message.media:
            raise ValueError("message.media: required")


class EditMessage(Wire, frozen=True, kw_only=True):
    """Payload of `edit_message`. What it names by neither `msgid` nor `id` cannot be found."""

    msgid: Id | None = None
    id: Id | None = None
    timestamp: Seconds | None = None
    msec_timestamp: Milliseconds | None = None
    message: Body

    def __post_init__(self) -> None:
        """Check that it names a message."""
        super().__post_init__()
        if self.msgid is None and self.id is None:
            raise ValueError("msgid: required")


class Event(Wire, frozen=True, kw_only=True):
    """What both have in common."""

    event_type: str
    payload: Raw
