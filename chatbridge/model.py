"""The neutral values both sides meet in: messages, people, and the things that are set up.

All frozen. Times are integers: microseconds since 1970-01-01 UTC (`…_at`). Nothing here knows a wire format,
except that a message can be written to bytes and read back, because the journal keeps it so. What a message is made of are
msgspec's structs: every message makes several of them, and they cost a tenth of a frozen dataclass.
"""

from dataclasses import dataclass, field
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


class Person(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
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


class Location(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """A place on the map, in degrees."""

    lat: float
    lon: float


class ContactCard(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """Somebody's name and number, sent as a message."""

    name: str
    phone: str


class Content(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """What is said. Which members are set depends on `type`; a caption may stand beside any media."""

    type: MessageType
    text: str | None = None
    media_url: str | None = None
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


class Message(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
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
    content: Content
    reply_to: str | None = None
    """Id of the quoted message."""
    silent: bool = False
    """Client's message that must not ring in amoCRM."""
    source: str | None = None
    """External id of the source (line) it belongs to."""
    extras: dict[str, Any] = msgspec.field(default_factory=dict)
    """Parts of an operator's message passed on as amoCRM wrote them: `markup`, `template`, `forwards`, `post`."""


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Message)


def encode_message(message: Message) -> bytes:
    """Return the message as JSON bytes, for the journal. Members at their default are left out."""
    return _ENCODER.encode(message)


def decode_message(data: bytes) -> Message:
    """Return the message that `encode_message` wrote. Members unknown to this version are an error."""
    return _DECODER.decode(data)


# --- what is set up -----------------------------------------------------------------------------


class Signing(StrEnum):
    """How requests to amojo are signed."""

    CURRENT = "current"
    LEGACY = "legacy"


class HookVersion(StrEnum):
    """The shape of amojo's callbacks."""

    V1 = "v1"
    V2 = "v2"


class WebhookFormat(StrEnum):
    """The shape in which a backend gets operators' messages."""

    STANDARD = "standard"
    AMOJO_V2 = "amojo_v2"
    AMOJO_V1 = "amojo_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What amoCRM's support registered."""

    id: str
    """The channel id given by amoCRM, a UUID."""
    code: str
    secret: str = field(repr=False)
    base_url: str
    signing: Signing
    hook_version: HookVersion
    bot_id: str | None
    title: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmojoIdentity:
    """The credentials with which a messenger talks amojo to this server, as if this server were amoCRM."""

    channel_id: str
    secret: str = field(repr=False)
    account_id: str

    @property
    def scope_id(self) -> str:
        """Return `{channel_id}_{account_id}`, as amojo forms it."""
        return f"{self.channel_id}_{self.account_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Messenger:
    """Where clients write."""

    id: str
    name: str
    kind: str
    webhook_url: str | None
    webhook_format: WebhookFormat
    webhook_secret: str = field(repr=False)
    api_key_hash: bytes = field(repr=False)
    amojo: AmojoIdentity
    settings: dict[str, Any]
    created_at: int
    updated_at: int


class LinkState(StrEnum):
    """Whether amoCRM's account is connected to the channel."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A channel connected to an account, with the messenger behind it."""

    id: int
    scope_id: str
    channel_id: str
    account_id: str
    messenger_id: str
    title: str | None
    state: LinkState
    hook_version: HookVersion
    created_at: int
    connected_at: int
