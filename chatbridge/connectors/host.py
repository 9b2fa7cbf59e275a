"""What a connector is given: the server around it, and the door through which clients' messages come in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from chatbridge.clock import Clock
from chatbridge.connectors.feed import Feed
from chatbridge.model import Content, FailureReason, Mark, Message, Messenger, Person
from chatbridge.protocol.http import Transport


class Download(Protocol):
    """A file that is coming."""

    @property
    def size(self) -> int | None:
        """Return how many bytes it is said to have."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield its bytes as they come.

        Raises:
            MediaUnreachable: they stop coming, or come too slowly.

        """


class HttpClient(Protocol):
    """aiohttp's client behind the address guard and the proxy; for what `Transport` cannot say: forms, streams, long waits."""

    def request(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        seconds: float,
        allowed: Callable[[], bool] | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Give the answer, whatever its status; what it says is read within the block, all within so many seconds.

        Raises:
            NotSent, OutcomeUnknown, Misconfigured: see `protocol.http.Transport`.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was taken."""

    id: str
    """Names it in a message's content, as `media_id`."""
    url: str
    content_type: str
    size: int
    file_name: str | None


class Inbound(Protocol):
    """Takes what clients do. When a method returns, what it took is on disk: only then is the far side told."""

    async def message(self, messenger: Messenger, message: Message) -> None:
        """Take a client's message. The same id again changes nothing.

        Raises:
            NotLinked, LinkAmbiguous: there is not exactly one account that it is for. It is not taken.
            InvalidFields: it names a file that is none.
            StoreUnavailable: it was not stored.

        """

    async def edit(
        self, messenger: Messenger, message_id: str, content: Content, *, name: str, at: int
    ) -> None:
        """Take new content of a client's message, under a name of this edit that stays the same when it is told again.

        Raises:
            NotFound: the messenger has sent no such message.
            NotEditable: it is an operator's.
            StoreUnavailable: it was not stored.

        """

    async def reaction(
        self,
        messenger: Messenger,
        message_id: str,
        client: Person,
        *,
        emoji: str | None,
        removed: bool,
        name: str,
        at: int,
    ) -> None:
        """Take a client's reaction to a message of either side, or its end, under a name as for `edit`.

        Raises:
            NotFound: the messenger knows no such message.
            StoreUnavailable: it was not stored.

        """

    async def mark(
        self,
        messenger: Messenger,
        message_id: str,
        mark: Mark,
        *,
        at: int,
        reason: FailureReason | None = None,
        text: str | None = None,
    ) -> bool:
        """Take what became of an operator's message; return whether that was news.

        Raises:
            NotFound: this messenger has had no such message.
            StoreUnavailable: it was not stored.

        """

    async def typing(
        self, messenger: Messenger, conversation_id: str, client_id: str, *, milliseconds: int
    ) -> None:
        """Pass on that a client types, if anybody wants to know; nothing is kept, and nothing is raised."""

    async def upload(
        self, messenger: Messenger, chunks: AsyncIterator[bytes], *, file_name: str | None
    ) -> Upload:
        """Keep a file.

        Raises:
            MediaTooLarge: it is beyond the limit.
            MediaNotKept: the place where files are kept did not take it.
            StoreUnavailable: the database is away.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The server as a connector sees it."""

    public_url: str
    """The address under which the world reaches this server, without a slash at its end."""
    clock: Clock
    transport: Transport
    """Sends small requests, fast."""
    http: HttpClient
    """Sends everything else."""
    new_id: Callable[[], str]
    """Makes a random UUID."""
    keys: Callable[[str], Sequence[bytes]]
    """Returns 32-byte keys for a purpose of the connector's own: the first signs, all of them verify. They stay the same over restarts and on all nodes."""
    messengers: Callable[[str], Sequence[Messenger]]
    """Returns the messengers of a kind, oldest first."""
    find_messenger: Callable[[str], Awaitable[Messenger | None]]
    """Returns the messenger with this id, whatever its kind; one that another node made a moment ago is looked for in the database.
    Raises StoreUnavailable."""
    open_file: Callable[[Content], AbstractAsyncContextManager[Download]]
    """Gives the file of an operator's message. Raises MediaError."""
    max_bytes: int
    """Bytes of a file at most."""
    feed: Feed
    """Keeps events until they are fetched, and wakes whoever waits for them, on whatever node."""
    stopping: asyncio.Event
    """Is set when the server stops: what stays open for long (a socket, a stream) has to end now."""
