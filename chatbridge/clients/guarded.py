"""aiohttp's `ClientSession` behind the address guard and the proxy: whatever it can send, as far as it may go.

It is not free of aiohttp's inside: the session's own repeats are switched off, and the pool looks at the parser.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.failures import FAILURES, delivery_error
from chatbridge.clients.outgoing import Proxy, parse_url
from chatbridge.clients.pools import Pool, Pools, TransportLimits
from chatbridge.clients.reading import KEPT
from chatbridge.errors import NotSent

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class _Departure:
    """One request on its way: whether it may still leave, and whether it did."""

    def __init__(self, host: str, allowed: Callable[[], bool] | None) -> None:
        self._host, self._allowed = host, allowed
        self.left = False

    def leave(self) -> None:
        if self._allowed is not None and not self._allowed():
            raise NotSent(f"{self._host} not sent: the right to deliver it was lost")
        self.left = True


_departure: Final[ContextVar[_Departure]] = ContextVar("departure")
"""Of the request that this task is sending: `ClientSession` hands nothing of ours on to its connector."""


class _AskingPool(Pool):
    """Asks for leave when a connection is there: `ClientSession` writes at once when it has one."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list["Trace"],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's name for it
    ) -> "Connection":
        connection = await super().connect(req, traces, timeout)
        try:
            _departure.get().leave()
        except BaseException:
            connection.release()
            raise
        return connection


class GuardedClient:
    """Sends requests over pooled keep-alive connections. It follows no redirect and repeats nothing by itself."""

    def __init__(
        self,
        guard: AddressGuard,
        limits: TransportLimits,
        *,
        user_agent: str,
        proxy: Proxy | None = None,
    ) -> None:
        """Prepare; `start` opens the pools."""
        self._guard, self._limits, self._user_agent = guard, limits, user_agent
        self._proxy = proxy
        self._pools = Pools(guard, limits, proxy, kind=_AskingPool)

    async def start(self) -> None:
        """Open the pools, and a session over each."""
        await self._pools.open()
        pools = (self._pools.guarded, self._pools.by_name)
        self._sessions = {pool: self._session(pool) for pool in pools}

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()

    @asynccontextmanager
    async def request(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        seconds: float,
        allowed: Callable[[], bool] | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Give the answer, whatever its status; what it says is read within the block.

        Args:
            method: of HTTP.
            address: where to.
            headers: sent with it.
            data: its body, anything that aiohttp can send: bytes, a form with files, a stream.
            seconds: for all of it, the block included.
            allowed: asked right before the first byte; see `protocol.http.Transport`.

        Raises:
            NotSent, OutcomeUnknown, Misconfigured: see `protocol.http.Transport`.

        """
        url = parse_url(address, self._guard, self._proxy)
        departure, proxy = _Departure(url.host or "", allowed), self._proxy
        token = _departure.set(departure)
        try:
            async with (
                asyncio.timeout(seconds),
                self._sessions[self._pools.for_url(url)].request(
                    method,
                    url,
                    data=data,
                    headers={
                        **(headers or {}),
                        **(proxy.headers if proxy is not None and url.scheme == "http" else {}),
                    },
                    allow_redirects=False,
                    proxy=proxy.url if proxy else None,
                    proxy_headers=proxy.headers if proxy else None,
                ) as answer,
            ):
                yield answer
        except FAILURES as error:
            raise delivery_error(error, url.host or "", left=departure.left) from error
        finally:
            _departure.reset(token)

    def _session(self, pool: Pool) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=pool,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Answers are never unpacked, so that a small one cannot unfold: then nobody may pack them.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            skip_auto_headers=("Accept",),
            auto_decompress=False,
            read_bufsize=KEPT,
            trust_env=False,
        )
        # It would repeat a DELETE by itself. There is no public switch; without this one it does so again.
        session._retry_connection = False  # noqa: SLF001
        return session
