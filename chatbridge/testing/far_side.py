"""What the author of a connector brings: a stand-in of the messenger's server, with clients who write through it."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final

from chatbridge.model import ContactCard, Location, MessageType

RETRY_AFTER: Final = 2
"""Seconds that a stand-in asks to wait when it throttles."""


class Failure(StrEnum):
    """What may go wrong with an operator's message at the messenger."""

    REFUSES = "refuses"
    """It will never take it: the client blocked the shop."""
    THROTTLES = "throttles"
    """It asks to wait `RETRY_AFTER` seconds, and does not take it."""
    IS_DOWN = "is_down"
    """It says that it is broken, and does not take it."""
    HANGS = "hangs"
    """It takes it, shows it to the client, and answers nothing before the connection ends."""
    UNREACHABLE = "unreachable"
    """Nobody listens at its address, between `go_away` and `come_back`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What clients of a messenger can do, and what its server does by itself. The kit tests what is said here.

    What operators can do is not said here: the connector's `capabilities` do.
    """

    types: frozenset[MessageType] = frozenset({MessageType.TEXT})
    """What clients can send."""
    captions: bool = False
    """Whether a client's file may have a text; no messenger has one at a sticker."""
    longest_text: int = 4096
    """Characters of one message at most, whoever writes it."""
    edits: bool = False
    """Clients correct what they wrote: `client_edits`."""
    reactions: bool = False
    """Clients react: `client_reacts`."""
    replies: bool = False
    """Clients answer a certain message: `Said.reply_to`."""
    reads: bool = False
    """It tells that a client has read something: `client_reads`."""
    begun_by_operators: bool = False
    """Operators can write first, to a phone number."""
    repeats: bool = False
    """It may tell the same thing twice: `repeats_last`."""
    keeps: bool = False
    """It keeps what this server did not take, and brings it once the server is back."""
    knows_repeats: bool = False
    """It knows a delivery that comes again, and shows it once. If not, a crash may show it twice."""
    failures: frozenset[Failure] = frozenset(Failure)
    """What it can be told to fail with."""
    file_limit: int | None = None
    """`max_bytes` of the connector's capabilities, if it has a limit below 50 MB."""


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who writes, in the one conversation that they have with the shop."""

    number: int
    """From 1 on, so that ids can be made of it."""
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class File:
    """A file."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a client sends."""

    type: MessageType = MessageType.TEXT
    text: str | None = None
    file: File | None = None
    """Of the types that have one."""
    location: Location | None = None
    contact: ContactCard | None = None
    reply_to: str | None = None
    """The id of the message that is answered: `Sent.message_id`, or `Seen.id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Under which ids the connector has to hand in what a client sent."""

    message_id: str
    conversation_id: str
    client_id: str
    file_name: str | None = None
    """The name that the messenger tells of the file, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message of an operator as the client sees it."""

    id: str
    """As clients' answers and reactions name it."""
    type: MessageType = MessageType.TEXT
    text: str | None = None
    file: bytes | None = field(default=None, repr=False)
    """If only a link came, what is behind it."""
    location: Location | None = None
    contact: ContactCard | None = None
    reply_to: str | None = None
    """The id of the message that is answered."""
    buttons: tuple[str, ...] = ()


class FarSide(ABC):
    """A stand-in of one messenger's server, speaking real bytes on loopback, and of the clients behind it.

    Each test makes one of its own. `chatbridge.testing.http_far_side` has one that is an HTTP server.
    """

    can: ClassVar[Abilities] = Abilities()

    def __init__(self) -> None:
        """Prepare; no I/O yet."""
        self.tries: list[float] = []
        """When each operator's message came, whatever became of it: `time.monotonic()`."""
        self._failures: deque[Failure] = deque()
        self._let_go = asyncio.Event()

    def fail_next(self, failure: Failure) -> None:
        """Let the next operator's message fail, or the one after those that shall fail already."""
        self._failures.append(failure)

    def due_failure(self) -> Failure | None:
        """Return how to fail, None if all is well. The stand-in asks this, once for each operator's message that comes."""
        self.tries.append(time.monotonic())
        return self._failures.popleft() if self._failures else None

    async def hang(self) -> None:
        """Return when the stand-in may break the connection off without an answer (`Failure.HANGS`)."""
        await self._let_go.wait()

    def let_go(self) -> None:
        """Let all who hang break off."""
        self._let_go.set()
        self._let_go = asyncio.Event()

    # --- its life ---------------------------------------------------------------------------------

    @abstractmethod
    async def start(self) -> None:
        """Listen."""

    @abstractmethod
    async def stop(self) -> None:
        """End everything. It may be away."""

    async def go_away(self) -> None:
        """Listen no longer, and close what is open (`Failure.UNREACHABLE`)."""
        raise NotImplementedError

    async def come_back(self) -> None:
        """Listen again, at the same address."""
        raise NotImplementedError

    @abstractmethod
    def draft(self) -> dict[str, Any]:
        """Return the body of POST /v1/messengers that makes a messenger here: `{"kind": …, "settings": …}`."""

    def wrong_drafts(self) -> Mapping[str, dict[str, Any]]:
        """Return bodies that must be refused, such as one with a wrong token, by the member to blame: `/settings/token`."""
        return {}

    async def join(self, url: str, messenger: Mapping[str, Any]) -> None:  # noqa: B027
        """Do what the owner does at the messenger once POST /v1/messengers has answered `messenger`; the server is at `url`."""

    def trouble(self) -> str:
        """Return what went wrong with this server lately, as the stand-in sees it; for messages of tests that fail."""
        return ""

    # --- clients ----------------------------------------------------------------------------------

    @abstractmethod
    async def client_sends(self, client: Client, said: Said) -> Sent:
        """Let a client write. Return once it is on its way: it need not have arrived. What one client sends stays in order."""

    async def repeats_last(self) -> None:
        """Tell the last thing that a client did once more, as after a lost answer (`Abilities.repeats`)."""
        raise NotImplementedError

    async def client_edits(self, sent: Sent, text: str) -> None:
        """Let a client correct a text (`Abilities.edits`)."""
        raise NotImplementedError

    async def client_reacts(self, client: Client, message_id: str, emoji: str | None) -> None:
        """Let a client react to a message of either side, None: take that back (`Abilities.reactions`)."""
        raise NotImplementedError

    async def client_reads(self, client: Client, seen: Seen) -> None:
        """Let a client read an operator's message (`Abilities.reads`)."""
        raise NotImplementedError

    @abstractmethod
    def received(self, client: Client) -> Sequence[Seen]:
        """Return what the client sees of operators' messages, oldest first."""

    def reactions(self, client: Client) -> Mapping[str, str]:
        """Return operators' reactions that the client sees: by `Sent.message_id`. For connectors with that capability."""
        raise NotImplementedError
