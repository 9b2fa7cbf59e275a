"""What a dialogue wants done: the socket carries it out. Pure values."""

from enum import IntEnum
from typing import NamedTuple

from chatbridge.model import Mark, Message


class Code(IntEnum):
    """Why a socket is closed."""

    RESTART = 1012
    FAULT = 1011
    AWAY = 1013
    NO_FRAME = 4400
    TOO_SLOW = 4408
    TOO_MANY = 4429


class Tell(NamedTuple):
    """Send this frame."""

    frame: bytes


class Enter(NamedTuple):
    """Listen to what is new for this visitor, then answer with `entered`."""

    visitor: str
    is_new: bool


class Take(NamedTuple):
    """Take the visitor's message, then the event that shows it; tell the page its position, or why not."""

    page_id: str
    message: Message
    shown: bytes


class Report(NamedTuple):
    """These operators' messages have come so far, the newest first. Where one is marked already, so are the older ones."""

    mark: Mark
    message_ids: list[str]


class ShowTyping(NamedTuple):
    """Pass on that the visitor types."""


class Look(NamedTuple):
    """Find the events before a position, one more than are told at once; answer with `looked`."""

    before: int


class HangUp(NamedTuple):
    """Close the socket."""

    code: Code
    reason: str


Output = Tell | Enter | Take | Report | ShowTyping | Look | HangUp
