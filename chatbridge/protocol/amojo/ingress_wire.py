"""Bodies of amojo's calls as integrations write them to this server ("Chats API reference"): what must be there, and what it may be.

As strict as amojo says it is: ids are strings, times and sizes whole numbers. Members that nobody knows are ignored, and null
stands for absent. Where the reference asks for more than is needed (a name, the size of a file), it may be left out.
"""

import re
from functools import cache
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from chatbridge.errors import UnreadablePayload

_SHOWN: Final = 300
"""Characters of a fault's sentence: it may quote what was sent."""

Id = Annotated[str, Meta(min_length=1, max_length=255)]
Line = Annotated[str, Meta(max_length=4096)]
Phone = Annotated[str, Meta(max_length=255)] | Annotated[int, Meta(ge=0, lt=2**53)]
"""The pages of 2017 print a phone as a number."""
Whole = Annotated[int, Meta(ge=0, lt=2**53)]
HookVersion = Literal["v1", "v2"]
StatusCode = Literal[-1, 0, 1, 2]

_IDS: Final = frozenset(
    {"account_id", "conversation_id", "conversation_ref_id", "id", "msgid", "ref_id"}
)


class Wire(Struct, frozen=True, kw_only=True, gc=False):
    """Base of all bodies. A ValueError in a check begins with the member that it is about."""

    def __post_init__(self) -> None:
        """Refuse ids that no header, log or address can carry."""
        for name in _IDS.intersection(self.__struct_fields__):
            if not (getattr(self, name) or "").isprintable():
                raise ValueError(f"{name}: must be printable")


class Connect(Wire, frozen=True, kw_only=True):
    """Connect the channel to an account."""

    account_id: Id
    hook_api_version: HookVersion | None = None
    title: Line | None = None
    is_time_window_disabled: bool | None = None


class Disconnect(Wire, frozen=True, kw_only=True):
    """The opposite."""

    account_id: Id


class Profile(Wire, frozen=True, kw_only=True):
    """How a person can be reached."""

    phone: Phone | None = None
    email: Line | None = None


class Participant(Wire, frozen=True, kw_only=True):
    """Somebody who writes, receives or reacts."""

    id: Id | None = None
    ref_id: Id | None = None
    name: Line | None = None
    avatar: Line | None = None
    profile: Profile | None = None
    profile_link: Line | None = None


class Delivery(Wire, frozen=True, kw_only=True):
    """How far an operator's message has come, in either generation of the body."""

    msgid: Id | None = None
    status_code: StatusCode | None = None
    delivery_status: StatusCode | None = None
    error_code: int | None = None
    error: Line | None = None


class TypingSender(Wire, frozen=True, kw_only=True):
    """Who types."""

    id: Id


class Typing(Wire, frozen=True, kw_only=True):
    """A client types."""

    conversation_id: Id
    sender: TypingSender
    duration_ms: Whole | None = None


class React(Wire, frozen=True, kw_only=True):
    """Somebody reacts, or takes that back."""

    conversation_id: Id | None = None
    conversation_ref_id: Id | None = None
    id: Id | None = None
    msgid: Id | None = None
    user: Participant
    type: Literal["react", "unreact"]
    emoji: Annotated[str, Meta(max_length=64)] | None = None

    def __post_init__(self) -> None:
        """Check that it names a conversation, a message and a person, by either side's id."""
        super().__post_init__()
        if self.conversation_id is None and self.conversation_ref_id is None:
            raise ValueError("conversation_id: required")
        if self.msgid is None and self.id is None:
            raise ValueError("msgid: required")
        if self.user.id is None and self.user.ref_id is None:
            raise ValueError("user.id: required")


class CreateChat(Wire, frozen=True, kw_only=True):
    """A chat without a message. amoCRM reads the rest of it."""

    conversation_id: Id
    user: Participant


Read = TypeVar("Read", bound=Wire)

_FAULT: Final = re.compile(r"(?P<words>.*?)(?: - at `\$\.?(?P<place>.*)`)?", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")


def decode(kind: type[Read], body: bytes | Raw, *, within: str = "") -> Read:
    """Return a body as its kind says.

    Raises:
        UnreadablePayload: it is not JSON, or a member is wrong; the sentence begins with that member's place.

    """
    try:
        read: Read = _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise UnreadablePayload(_sentence(error, within)[:_SHOWN]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadablePayload("the body is not JSON") from error
    return read


@cache
def _decoder(kind: type[Read]) -> msgspec.json.Decoder[Read]:
    return msgspec.json.Decoder(kind)


def _sentence(error: msgspec.ValidationError, within: str) -> str:
    found = _FAULT.fullmatch(str(error))
    words, place = (found["words"], found["place"]) if found else (str(error), None)
    if missing := _MISSING.fullmatch(words):
        words = f"{missing[1]}: required"
    elif error.__cause__ is None:
        return f"{'.'.join(filter(None, (within, place))) or 'body'}: {words}"
    return ".".join(filter(None, (within, place, words)))
