"""Bodies of our API, in and out: the source of openapi.json. Strict in, complete out."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from chatbridge.model import (
    MEDIA_TYPES,
    HookVersion,
    LinkState,
    MessageType,
    Signing,
    WebhookFormat,
)


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not contain control characters")
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError("must be an http or https address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_number:
        raise ValueError("must be an http or https address")
    if parts.username is not None or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be an encoded address without a user name in it")
    return value


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(orjson.dumps(value))
    except TypeError as error:
        raise ValueError(
            "must be plain JSON: not too deep, whole numbers within 64 bits"
        ) from error
    if size > 16_384:
        raise ValueError("must not be larger than 16 KiB")
    return value


_FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT = datetime(9000, 1, 1, tzinfo=UTC)


def _this_era(value: datetime) -> datetime:
    if not _FIRST_MOMENT <= value < _LAST_MOMENT:
        raise ValueError("must be a time after 1970")
    return value


Identifier = Annotated[
    str,
    Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", examples=["m-1"]),
    AfterValidator(_printable),
]
AmojoId = Annotated[Identifier, Field(max_length=64)]
"""An id given by amoCRM, a UUID as a rule; the database keeps no longer one."""
Url = Annotated[
    str, Field(max_length=2048, json_schema_extra={"format": "uri"}), AfterValidator(_web_address)
]
Text = Annotated[str, Field(max_length=65_536)]
Short = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name for people, on one line."""


FreeForm = Annotated[dict[str, Any], AfterValidator(_storable)]
Moment = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_this_era)]


class In(BaseModel):
    """A body that callers send: unknown members are an error, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Out(BaseModel):
    """A body that we answer."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


# --- errors ---


class FieldFault(Out):
    """One wrong field."""

    pointer: str = Field(description="JSON pointer of the field, such as `/message/type`")
    detail: str


class Problem(Out):
    """What went wrong and what to do (RFC 9457)."""

    type: str = Field(description="`urn:chatbridge:problem:` and the code")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; see docs/reference/errors.md")
    errors: list[FieldFault] | None = None
    amojo: dict[str, str | int] | None = Field(
        default=None, description="amoCRM's own status, code and text"
    )


# --- management ---


class ChannelDraft(In):
    """A channel as amoCRM's support registered it."""

    code: Identifier = Field(examples=["amo.ext.shop"])
    channel_id: AmojoId = Field(examples=["a4490ccc-5d7f-11e7-907b-a6006ad3dba0"])
    secret: Annotated[str, Field(min_length=8, max_length=255)]
    base_url: Url | None = None
    signing: Annotated[Signing, Field(strict=False)] = Signing.CURRENT
    hook_version: Annotated[HookVersion, Field(strict=False)] = HookVersion.V2
    bot_id: AmojoId | None = None
    title: Short | None = None


class ChannelChange(In):
    """What may change of a channel; members left out stay."""

    code: Identifier | None = None
    secret: Annotated[str, Field(min_length=8, max_length=255)] | None = None
    base_url: Url | None = None
    signing: Annotated[Signing, Field(strict=False)] | None = None
    hook_version: Annotated[HookVersion, Field(strict=False)] | None = None
    bot_id: AmojoId | None = None
    title: Short | None = None


class ChannelOut(Out):
    """A channel; its secret is never shown."""

    channel_id: str
    code: str
    base_url: str
    signing: Signing
    hook_version: HookVersion
    bot_id: str | None
    title: str | None
    callback_url: str = Field(
        description="What amoCRM's support must register as the channel's webhook"
    )
    created_at: datetime
    updated_at: datetime


class MessengerDraft(In):
    """A messenger to make."""

    name: Annotated[Short, Field(min_length=1)]
    kind: Identifier = Field(examples=["backend"])
    webhook_url: Url | None = None
    webhook_format: Annotated[WebhookFormat, Field(strict=False)] = WebhookFormat.STANDARD
    settings: FreeForm = Field(default_factory=dict)


class MessengerChange(In):
    """What may change of a messenger; members left out stay."""

    name: Annotated[Short, Field(min_length=1)] | None = None
    webhook_url: Url | None = None
    webhook_format: Annotated[WebhookFormat, Field(strict=False)] | None = None
    settings: FreeForm | None = None


class MessengerOut(Out):
    """A messenger, without its secrets."""

    id: str
    name: str
    kind: str
    webhook_url: str | None
    webhook_format: WebhookFormat
    settings: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class AmojoCredentials(Out):
    """With these an amojo client can talk to this server as if it were amoCRM."""

    channel_id: str
    secret: str
    account_id: str


class MessengerCreated(MessengerOut):
    """A new messenger with its secrets. They are shown this once."""

    api_key: str
    webhook_secret: str
    amojo: AmojoCredentials


class LinkDraft(In):
    """An account to connect to a channel."""

    channel: Identifier = Field(description="The channel's code or channel_id")
    account_id: AmojoId = Field(description="The account's amojo_id")
    messenger: Identifier = Field(description="The messenger's id")
    title: Short | None = Field(
        default=None, description="Shown in the account; default: the channel's"
    )


class LinkChange(In):
    """What may change of a link; members left out stay."""

    messenger: Identifier | None = None
    title: Short | None = None


class LinkOut(Out):
    """A link."""

    scope_id: str
    channel_id: str
    account_id: str
    messenger: str
    title: str | None
    state: LinkState
    hook_version: HookVersion
    callback_url: str
    created_at: datetime
    connected_at: datetime


class ParkedOut(Out):
    """A message that could not be delivered."""

    id: int
    scope_id: str
    conversation_id: str | None
    message_id: str
    direction: Literal["to_amojo", "to_messenger"]
    code: str
    detail: str
    attempts: int
    received_at: datetime
    parked_at: datetime


class ReleaseDraft(In):
    """Which parked messages to release: those that fit all members given; `{}` means all."""

    scope_id: Identifier | None = None
    code: Identifier | None = None
    ids: (
        Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(min_length=1, max_length=500)]
        | None
    ) = None


class Released(Out):
    """How many messages are on their way again."""

    released: int


class Page(Out):
    """A page of a list. Pass `next` as `after` to get the following one; it is null on the last."""

    next: str | None


class ChannelPage(Page):
    """Channels, oldest first."""

    items: list[ChannelOut]


class MessengerPage(Page):
    """Messengers, oldest first."""

    items: list[MessengerOut]


class LinkPage(Page):
    """Links, oldest first."""

    items: list[LinkOut]


class ParkedPage(Page):
    """Parked messages, oldest first."""

    items: list[ParkedOut]


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(default=None, max_length=255)
    limit: int = Field(default=50, ge=1, le=200)


class ParkedQuery(BaseModel):
    """Which parked messages."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, lt=2**63)
    limit: int = Field(default=50, ge=1, le=200)
    scope_id: Identifier | None = None
    code: Identifier | None = None


# --- messages ---


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
        return MessageType.PICTURE if self.type == "image" else MessageType(self.type)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        kind = self.kind
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


class Health(Out):
    """Whether the server is well."""

    status: Literal["ok"]


class Readiness(Out):
    """Whether the server can take messages, and what keeps it from it."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, str]
