"""Connections, made in one way for every transport: the address guard in their sockets, limits, TLS, kept alive."""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.failures import ForbiddenAddress
from chatbridge.clients.outgoing import Proxy

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """Bounds of outgoing requests; times in seconds."""

    connect_timeout: float = 5.0
    total_timeout: float = 15.0
    connections: int = 1024
    """To all hosts together. Hosts that are allowed by name have a pool of their own, with as many."""
    connections_per_host: int = 1024


class Pool(aiohttp.TCPConnector):
    """Connections that are kept alive. One that anything is left on from an earlier answer is never handed out."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list["Trace"],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's name for it
    ) -> "Connection":
        """Return a connection on which nothing has been said since the last answer.

        Raises:
            ClientConnectionError: besides aiohttp's own reasons, a new connection was ended or spoken on by the far
                side before it was asked anything.

        """
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is not None and is_clean(protocol):
                return connection
            is_new = protocol is None or protocol._parser is None  # noqa: SLF001 - see `is_clean`
            connection.close()
            if is_new:
                raise aiohttp.ClientConnectionError("it ended the connection before a request")


def is_clean(protocol: "ResponseHandler") -> bool:
    """Return whether the next bytes on this connection will be the answer to the next request.

    Whole answers that nobody asked for show in `should_close`, half of one only in the parser of the last answer,
    which aiohttp keeps until the next request.
    """
    if protocol.should_close or not protocol.is_connected():
        return False
    parser = protocol._parser  # noqa: SLF001 - there is no public way to ask
    try:
        return parser is None or parser.feed_eof() is None
    except HttpProcessingError:
        return False


P = TypeVar("P", bound=Pool)


class Pools(Generic[P]):
    """Two pools: one guarded, one for hosts that are allowed by name. With a proxy it is the proxy's host that counts."""

    def __init__(
        self,
        guard: AddressGuard,
        limits: TransportLimits,
        proxy: Proxy | None,
        *,
        kind: type[P],
    ) -> None:
        """Prepare; `open` makes the pools, of this kind."""
        self._guard, self._limits, self._proxy, self._kind = guard, limits, proxy, kind

    async def open(self) -> None:
        """Make both pools. Authorities that certificates may come from are read now, from the system."""
        tls = await asyncio.to_thread(_tls)
        self.guarded = self._pool(tls, self._guarded_socket)
        self.by_name = self._pool(tls, None)

    async def close(self) -> None:
        """Close every connection."""
        await self.guarded.close()
        await self.by_name.close()

    def for_url(self, url: URL) -> P:
        """Return the pool whose connections may go where this request has to be dialled."""
        dialled = url if self._proxy is None else self._proxy.url
        return self.by_name if self._guard.allows_host(dialled.host or "") else self.guarded

    def _pool(self, tls: ssl.SSLContext, factory: aiohttp.SocketFactoryType | None) -> P:
        return self._kind(
            limit=self._limits.connections,
            limit_per_host=self._limits.connections_per_host,
            socket_factory=factory,
            ssl=tls,
        )

    def _guarded_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        # Called for the very address that is about to be dialled, so no later answer of the DNS can differ.
        family, kind, protocol, _, address = info
        refusal = self._guard.refusal(str(address[0]))
        if refusal is not None:
            raise ForbiddenAddress(refusal)
        return socket.socket(family=family, type=kind, proto=protocol)


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
