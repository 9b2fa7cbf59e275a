"""Bodies of amojo requests, checked as strictly as amojo says it checks them.

Ints are ints, ids are strings, unknown members are ignored (pages "chat-start" and
"chat-api-reference"). Which missing members the real amojo refuses is not published: here it is
what the reference marks as required. An error names the member: `payload.message.type: required`.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Id = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(max_length=100_000)]
Url = Annotated[str, Field(max_length=4_096)]
Whole = Annotated[int, Field(ge=0, le=2**53)]
# The pages of 2017 print a phone as a number.
Phone = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
Kind = Literal[
    "text", "contact", "file", "video", "picture", "voice", "audio", "sticker", "location"
]


def absent(value: BaseModel, path: str, members: Iterable[str]) -> Iterator[str]:
    """Paths of those members that are absent or null."""
    prefix = f"{path}." if path else ""
    return (prefix + member for member in members if getattr(value, member) is None)


class Wire(BaseModel):
    """Base of all bodies."""

    # Numbers become strings only where strictness is switched off.
    model_config = ConfigDict(
        strict=True, frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True
    )

    def missing(self) -> Iterator[str]:
        """Paths of members that are required only in this combination."""
        return iter(())


class Connect(Wire):
    """Connect a channel to an account."""

    account_id: Id
    title: Text | None = None
    hook_api_version: Literal["v1", "v2"] | None = None
    is_time_window_disabled: bool = False


class Disconnect(Wire):
    """The opposite."""

    account_id: Id


class Source(Wire):
    """The line of the channel that a client wrote to."""

    external_id: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[ -~]+$")]


class Profile(Wire):
    """What feeds duplicate control of contacts."""

    phone: Phone | None = None
    email: Text | None = None


class Participant(Wire):
    """Sender, receiver or user; which ids it needs depends on the call."""

    id: Id | None = None
    ref_id: Id | None = None
    name: Text | None = None
    avatar: Url | None = None
    profile: Profile | None = None
    profile_link: Url | None = None


class CreateChat(Wire):
    """A chat without a message."""

    conversation_id: Id
    source: Source | None = None
    user: Participant

    def missing(self) -> Iterator[str]:  # noqa: D102 - see Wire
        # An existing person's ref_id alone is known to be accepted.
        if self.user.ref_id is None:
            yield from absent(self.user, "user", ("id", "name"))


class Location(Wire):
    """A point on the map."""

    lon: float
    lat: float


class Contact(Wire):
    """A shared contact."""

    name: Text
    phone: Phone


class Delivery(Wire):
    """Both generations of the delivery status, and the one inside an edited message."""

    msgid: Id | None = None
    status_code: Literal[1, 2, -1] | None = None
    delivery_status: Literal[1, 2, -1] | None = None
    error_code: Annotated[int, Field(ge=0, le=2**31)] | None = None
    error: Text | None = None


class TypingSender(Wire):
    """Who types."""

    id: Id


class Typing(Wire):
    """A client types."""

    conversation_id: Id
    sender: TypingSender
    duration_ms: Whole = 5_000


class React(Wire):
    """A reaction is set or taken back."""

    conversation_id: Id | None = None
    conversation_ref_id: Id | None = None
    id: Id | None = None
    msgid: Id | None = None
    user: Participant
    type: Literal["react", "unreact"]
    emoji: Annotated[str, Field(max_length=64)] | None = None

    def missing(self) -> Iterator[str]:  # noqa: D102 - see Wire
        if self.conversation_id is None:
            yield from absent(self, "", ("conversation_ref_id",))
        if self.id is None:
            yield from absent(self, "", ("msgid",))
        if self.user.id is None:
            yield from absent(self.user, "user", ("ref_id",))
