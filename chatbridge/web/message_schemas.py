"""Bodies of the messenger API, in and out: a source of openapi.json."""

from datetime import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from chatbridge.model import (
    MEDIA_TYPES,
    MessageType,
)
from chatbridge.web.fields import Identifier, In, Moment, Out, Text, Url


class SenderIn(In):
    """The client who writes."""

    id: Identifier = Field(examples=["u-1"])
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        default=None, examples=["Anna"]
    )
    avatar_url: Url | None = None
    phone: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, examples=["+79151112233"]
    )
    email: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    profile_url: Url | None = None


class LocationIn(In):
    """A place, in degrees."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class ContactIn(In):
    """Somebody's name and number."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    phone: Annotated[str, Field(min_length=1, max_length=64)]


_TYPES = Literal[
    "text", "picture", "image", "file", "video", "voice", "audio", "sticker", "location", "contact"
]

_KINDS = {word: MessageType("picture" if word == "image" else word) for word in get_args(_TYPES)}


class ContentIn(In):
    """What is said. `text` is required for text, a caption elsewhere; media types need `media_url`."""

    type: _TYPES
    text: Text | None = None
    media_url: Url | None = None
    file_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    file_size: int | None = Field(default=None, ge=0, lt=2**53, description="Bytes")
    duration: int | None = Field(default=None, ge=0, lt=2**31, description="Seconds")
    sticker_id: Identifier | None = None
    location: LocationIn | None = None
    contact: ContactIn | None = None

    @property
    def kind(self) -> MessageType:
        """Return the type; `image` is another word for `picture`."""
        return _KINDS[self.type]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        kind = _KINDS[self.type]
        if kind not in MEDIA_TYPES and self.media_url is not None:
            raise ValueError(f"a {self.type} message has no media_url")
        if kind is not MessageType.LOCATION and self.location is not None:
            raise ValueError(f"a {self.type} message has no location")
        if kind is not MessageType.CONTACT and self.contact is not None:
            raise ValueError(f"a {self.type} message has no contact")
        if kind is MessageType.TEXT and not self.text:
            raise ValueError("a text message needs text")
        if kind in MEDIA_TYPES and self.media_url is None:
            raise ValueError(f"a {self.type} message needs media_url")
        if kind is MessageType.LOCATION and self.location is None:
            raise ValueError("a location message needs location")
        if kind is MessageType.CONTACT and self.contact is None:
            raise ValueError("a contact message needs contact")
        return self


class MessageDraft(In):
    """One client message."""

    id: Identifier = Field(
        description="Your id of the message; the same id again is the same message"
    )
    conversation_id: Identifier = Field(examples=["c-1"])
    scope_id: Identifier | None = Field(
        default=None, description="Which link it is for; needed only if the messenger has several"
    )
    sent_at: Moment | None = Field(default=None, description="Default: now")
    sender: SenderIn
    message: ContentIn
    reply_to: Identifier | None = Field(default=None, description="Id of the quoted message")
    silent: bool = Field(default=False, description="Do not ring in amoCRM")


class TimelineStepOut(Out):
    """One step on a message's way."""

    step: Literal[
        "received", "stored", "signed", "accepted", "delivered", "retry", "parked", "released"
    ]
    at: datetime
    attempt: int | None = None
    code: str | None = None
    detail: str | None = None


class MessageOut(Out):
    """Where a message stands."""

    id: str
    conversation_id: str | None
    direction: Literal["to_amojo", "to_messenger"]
    type: MessageType
    state: Literal["queued", "delivered", "failed"]
    amojo_id: str | None = Field(
        default=None, description="amoCRM's id of the message, once it is known"
    )
    next_attempt_at: datetime | None = Field(default=None, description="While it waits for a retry")
    timeline: list[TimelineStepOut]


class MessageTaken(Out):
    """The message is on disk and will be delivered. The same request again gets the same answer."""

    id: str
    conversation_id: str
    state: Literal["queued"] = "queued"
