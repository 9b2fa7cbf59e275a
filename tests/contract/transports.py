"""What the contract tests of the transports share: both of them opened, and servers that talk bytes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.pools import TransportLimits
from chatbridge.clients.session import SessionTransport
from chatbridge.clients.thin import ThinTransport
from chatbridge.clients.transport import open_transport
from chatbridge.protocol.http import Request
from tests.fakes import SECONDS

T = TypeVar("T")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
KINDS = ("thin", "session")
PATIENT = TransportLimits(connect_timeout=SECONDS, total_timeout=SECONDS)
HASTY = TransportLimits(connect_timeout=SECONDS, total_timeout=0.5)


class Opener(Protocol):
    """Opens the transport under test, with these networks and hosts allowed."""

    def __call__(
        self, *allowed: str, limits: TransportLimits = PATIENT, proxy: str = ""
    ) -> AbstractAsyncContextManager[ThinTransport | SessionTransport]: ...


def opener(kind: str) -> Opener:
    @asynccontextmanager
    async def opened(
        *allowed: str, limits: TransportLimits = PATIENT, proxy: str = ""
    ) -> AsyncIterator[ThinTransport | SessionTransport]:
        guard = AddressGuard.allowing(allowed)
        transport = open_transport(kind, guard, limits, user_agent="test/1", proxy=proxy)
        await transport.start()
        try:
            yield transport
        finally:
            await transport.close()

    return opened


def post(url: str, body: bytes = b'{"a": 1}') -> Request:
    return Request(method="POST", url=url, headers={"X-Own": "1"}, body=body)


@dataclass
class RawServer:
    """A listener that counts connections and talks bytes."""

    port: int = 0
    connections: int = 0
    open: int = 0
    """How many of them have not ended."""
    requests: list[bytes] = field(default_factory=list)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    """A connection has ended."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, more: int) -> None:
        """Take note of a connection that has begun or ended."""
        self.open += more
        self._changed.set()

    async def has_open(self, count: int) -> None:
        """Return as soon as so many connections are open."""
        while self.open != count:
            self._changed.clear()
            await within(self._changed.wait())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Talk = Callable[[RawServer, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(
    talk: Talk, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    server = RawServer()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        server.count(1)
        try:
            await talk(server, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            server.finished.set()
            server.count(-1)
            writer.close()

    listener = await asyncio.start_server(connected, host, 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


async def read_request(server: RawServer, reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    server.requests.append(head + await reader.readexactly(length))
    return server.requests[-1]


def saying(*answers: bytes) -> Talk:
    """Answer the requests of a connection with these bytes, one after another, then end it."""

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for answer in answers:
            await read_request(server, reader)
            writer.write(answer)
            await writer.drain()

    return talk


def always(answer: bytes) -> Talk:
    """Answer every request with these bytes, and keep the connection."""

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await read_request(server, reader)
            writer.write(answer)
            await writer.drain()

    return talk


async def within(waiting: Awaitable[T]) -> T:
    async with asyncio.timeout(SECONDS):
        return await waiting


async def others_have_their_turn() -> None:
    """Return when what is on its way on loopback has arrived: two round trips over connections of their own."""
    async with raw_server(saying(OK)) as other:
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", other.port)
            writer.write(b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            await within(reader.read())
            writer.close()
            await writer.wait_closed()
