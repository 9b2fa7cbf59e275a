"""Bodies of the messenger API, in and out: a source of openapi.json."""

from datetime import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from chatbridge.model import MEDIA_TYPES, FailureReason, Mark, MessageType
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
    amojo_id: Identifier | None = Field(
        default=None,
        description="amoCRM's id: of the user, if an operator writes; of the client, if amoCRM began the conversation",
    )


class LocationIn(In):
    """A place, in degrees."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class ContactIn(In):
    """Somebody's name and number."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    phone: Annotated[str, Field(min_length=1, max_length=64)]


class PostIn(In):
    """A post that a client comments on, or shares."""

    id: Identifier | None = None
    url: Url
    preview_url: Url | None = Field(default=None, description="A picture; the link may expire")
    preview_permalink: Url | None = Field(default=None, description="A picture; the link lasts")
    username: Annotated[str, Field(max_length=255)] | None = None
    caption: Annotated[str, Field(max_length=4096)] | None = None


_TYPES = Literal[
    "text", "picture", "image", "file", "video", "voice", "audio", "sticker", "location", "contact"
]

_KINDS = {word: MessageType("picture" if word == "image" else word) for word in get_args(_TYPES)}


class ContentIn(In):
    """What is said. `text` is required for text, a caption elsewhere; media types need `media_url` or `media_id`."""

    type: _TYPES
    text: Text | None = None
    media_url: Url | None = Field(
        default=None,
        description="The file is copied from here at once; the link need not live long",
    )
    media_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        default=None, description="Of a file that you uploaded with POST /v1/media"
    )
    file_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    file_size: int | None = Field(default=None, ge=0, lt=2**53, description="Bytes")
    duration: int | None = Field(default=None, ge=0, lt=2**31, description="Seconds")
    sticker_id: Identifier | None = None
    location: LocationIn | None = None
    contact: ContactIn | None = None
    callback_data: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        default=None, description="Of the row that a client chose from a list"
    )
    shared_post: PostIn | None = None

    @property
    def kind(self) -> MessageType:
        """Return the type; `image` is another word for `picture`."""
        return _KINDS[self.type]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        kind = _KINDS[self.type]
        files = [given for given in (self.media_url, self.media_id) if given is not None]
        if kind not in MEDIA_TYPES and files:
            raise ValueError(f"a {self.type} message has no file")
        if kind is not MessageType.LOCATION and self.location is not None:
            raise ValueError(f"a {self.type} message has no location")
        if kind is not MessageType.CONTACT and self.contact is not None:
            raise ValueError(f"a {self.type} message has no contact")
        if kind is MessageType.TEXT and not self.text:
            raise ValueError("a text message needs text")
        if kind in MEDIA_TYPES and len(files) != 1:
            raise ValueError(f"a {self.type} message needs either media_url or media_id")
        if kind is MessageType.LOCATION and self.location is None:
            raise ValueError("a location message needs location")
        if kind is MessageType.CONTACT and self.contact is None:
            raise ValueError("a contact message needs contact")
        return self


class ForwardIn(In):
    """A message that is passed on: by its id, if either side knows it, or as it was written."""

    id: Identifier | None = None
    message: ContentIn | None = None
    sent_at: Moment | None = None
    sender_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.id is None and (
            self.message is None or self.sent_at is None or self.sender_name is None
        ):
            raise ValueError("needs an id, or message, sent_at and sender_name")
        return self


class ReceiverIn(In):
    """The client for whom an operator writes in the messenger itself."""

    id: Identifier = Field(examples=["u-1"])
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    phone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    email: Annotated[str, Field(min_length=1, max_length=255)] | None = None


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
    reply_to: Identifier | None = Field(
        default=None, description="Id of the quoted message, of either side"
    )
    forward: ForwardIn | None = None
    post: PostIn | None = Field(
        default=None, description="Makes the message a comment under this post"
    )
    silent: bool = Field(default=False, description="Do not ring in amoCRM")
    source: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[ -~]+$")] | None = Field(
        default=None, description="External id of the source (line) it belongs to"
    )
    amojo_conversation_id: Identifier | None = Field(
        default=None,
        description="amoCRM's id of the conversation, from `conversation.started`: it gets your conversation_id",
    )
    author: Literal["client", "operator"] = Field(
        default="client",
        alias="from",
        description="`operator` imports what an operator wrote in the messenger itself: `sender` is the operator"
        " then, and `receiver` the client",
    )
    receiver: ReceiverIn | None = None

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if self.author == "operator" and self.receiver is None:
            raise ValueError("an operator's message needs a receiver")
        if self.author == "client" and self.receiver is not None:
            raise ValueError("a client's message has no receiver")
        if self.author == "client" and self.sender.amojo_id and not self.amojo_conversation_id:
            raise ValueError("sender.amojo_id goes with amojo_conversation_id")
        return self


class EditDraft(In):
    """New content of a client's message."""

    message: ContentIn
    edited_at: Moment | None = Field(default=None, description="Default: now")
    id: Identifier | None = Field(
        default=None, description="Your id of this edit; the same id again is the same edit"
    )


class ReactionDraft(In):
    """A client reacts to a message of either side, or takes it back."""

    user: SenderIn
    emoji: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, examples=["👍"]
    )
    removed: bool = False
    reacted_at: Moment | None = Field(default=None, description="Default: now")
    id: Identifier | None = Field(
        default=None, description="Your id of this reaction; the same id again is the same reaction"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.emoji is None and not self.removed:
            raise ValueError("a reaction needs an emoji")
        return self


class EventTaken(Out):
    """It is on disk and will be delivered."""

    id: str = Field(description="The message it is about")
    state: Literal["queued"] = "queued"


class StatusDraft(In):
    """What became of an operator's message."""

    status: Mark
    at: Moment | None = Field(default=None, description="Default: now")
    reason: FailureReason | None = Field(default=None, description="Why it failed")
    text: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The same in words: the operator reads them"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.status is not Mark.FAILED and (self.reason or self.text):
            raise ValueError("only a failure has a reason")
        return self


class StatusTaken(Out):
    """Where the message stands now."""

    id: str
    status: Mark
    news: bool = Field(description="False if it had come at least as far already: nothing changed")


class TypingDraft(In):
    """A client is typing."""

    sender: SenderIn
    scope_id: Identifier | None = Field(
        default=None, description="Which link it is for; needed only if the messenger has several"
    )
    duration_ms: int = Field(default=5000, ge=1, le=60_000)


class TimelineStepOut(Out):
    """One step on a message's way."""

    step: Literal[
        "received",
        "recovered",
        "stored",
        "copied",
        "not_copied",
        "signed",
        "accepted",
        "delivered",
        "retry",
        "parked",
        "released",
        "marked_delivered",
        "marked_read",
        "marked_failed",
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
    state: Literal["queued", "delivered", "read", "failed"]
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
