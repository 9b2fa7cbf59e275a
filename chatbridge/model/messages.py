"""What both sides say to each other: messages, what they are made of, and who writes them.

All frozen. Times are integers: microseconds since 1970-01-01 UTC (`…_at`). Nothing here knows a wire format. These are
msgspec's structs: every message makes several of them, and they cost a tenth of a frozen dataclass.
"""

from enum import IntEnum, StrEnum
from typing import Any, Final

import msgspec


class MessageType(StrEnum):
    """What a message carries."""

    TEXT = "text"
    PICTURE = "picture"
    FILE = "file"
    VIDEO = "video"
    VOICE = "voice"
    AUDIO = "audio"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"


MEDIA_TYPES: Final = frozenset(
    {
        MessageType.PICTURE,
        MessageType.FILE,
        MessageType.VIDEO,
        MessageType.VOICE,
        MessageType.AUDIO,
        MessageType.STICKER,
    }
)


class Direction(IntEnum):
    """Which way an entry travels. The numbers are stored; they never change."""

    TO_AMOJO = 0
    TO_MESSENGER = 1


class Value(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """A value that the journal keeps as JSON. Members at their default are left out, unknown ones are an error."""


class Person(Value, frozen=True, kw_only=True):
    """Somebody who writes or receives: a client, or an operator."""

    id: str | None = None
    """The messenger's id of a client; absent for operators."""
    amojo_id: str | None = None
    """amoCRM's id of the same person, where known."""
    name: str | None = None
    avatar_url: str | None = None
    phone: str | None = None
    email: str | None = None
    profile_url: str | None = None


class Location(Value, frozen=True, kw_only=True):
    """A place on the map, in degrees."""

    lat: float
    lon: float


class ContactCard(Value, frozen=True, kw_only=True):
    """Somebody's name and number, sent as a message."""

    name: str
    phone: str


class Post(Value, frozen=True, kw_only=True):
    """A post that is commented on, or was shared. Links named `preview_…` show a picture of it."""

    id: str | None = None
    url: str
    preview_url: str | None = None
    """A link that expires."""
    preview_permalink: str | None = None
    """A link that lasts; wins over the other."""
    username: str | None = None
    """Who wrote the post."""
    caption: str | None = None


class Content(Value, frozen=True, kw_only=True):
    """What is said. Which members are set depends on `type`; a caption may stand beside any media."""

    type: MessageType
    text: str | None = None
    media_url: str | None = None
    media_id: str | None = None
    """A file that was uploaded to this server, instead of a link."""
    media_ref: str | None = None
    """The messenger's own name of a file that has no link: only its connector can fetch it. It never leaves this server."""
    content_type: str | None = None
    """MIME type of a file that is kept here, by its content."""
    thumbnail_url: str | None = None
    file_name: str | None = None
    file_size: int | None = None
    """Bytes."""
    duration: int | None = None
    """Seconds, of voice, audio and video."""
    sticker_id: str | None = None
    media_group_id: str | None = None
    """Common to the parts of one album."""
    location: Location | None = None
    contact: ContactCard | None = None
    callback_data: str | None = None
    """What the row of a list carries that the client chose."""
    shared_post: Post | None = None


class Quote(Value, frozen=True, kw_only=True):
    """A message that another one answers or passes on, as far as it is known."""

    id: str | None = None
    """The messenger's id, of what it sent itself."""
    amojo_id: str | None = None
    content: Content | None = None
    sent_at: int | None = None
    sender: Person | None = None


class Visit(Value, frozen=True, kw_only=True):
    """Where a visitor of a website writes from. For rules; amoCRM is not told, but for the link of the page."""

    site: str
    """Its origin, such as `https://shop.example`."""
    url: str | None = None
    title: str | None = None
    referrer: str | None = None
    """What led to the first page of the visit."""
    utm: dict[str, str] = msgspec.field(default_factory=dict)
    """Marks of the campaign that led there, without `utm_`."""


class Message(Value, frozen=True, kw_only=True):
    """One message, whichever way it travels."""

    id: str
    """The messenger's id of a client's message; amoCRM's id of an operator's."""
    conversation_id: str | None
    """The messenger's id. None while only amoCRM knows the conversation (an operator wrote first)."""
    amojo_conversation_id: str | None = None
    sent_at: int
    """When its author wrote it."""
    sender: Person
    receiver: Person | None = None
    """Whom an operator's message is for; absent from a client's."""
    content: Content
    reply_to: str | None = None
    """Id of the quoted message, as the messenger knows it."""
    quote: Quote | None = None
    """The quoted message."""
    forward: Quote | None = None
    """The message that is passed on with this one."""
    post: Post | None = None
    """The post that a client's comment is about."""
    silent: bool = False
    """Client's message that must not ring in amoCRM."""
    source: str | None = None
    """External id of the source (line) it belongs to."""
    visit: Visit | None = None
    """Of a client on a website."""
    extras: dict[str, Any] = msgspec.field(default_factory=dict)
    """Parts of an operator's message passed on as amoCRM wrote them: `markup`, `template`, `forwards`, `post`."""
