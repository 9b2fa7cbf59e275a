"""The plain transport: aiohttp's `ClientSession` over the same connections; three times the CPU, less of aiohttp's inside.

It is not free of it: the session's own repeats are switched off, and the pool both transports share looks at the parser.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.failures import FAILURES, delivery_error
from chatbridge.clients.outgoing import Proxy, check_head, parse_url
from chatbridge.clients.pools import Pool, Pools, TransportLimits
from chatbridge.clients.reading import KEPT, AnswerHeaders, read_start
from chatbridge.errors import NotSent
from chatbridge.protocol.http import Request, Response

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


class SessionTransport:
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

    async def send(
        self, request: Request, *, allowed: Callable[[], bool] | None = None
    ) -> Response:
        """Return the answer, whatever its status; see `protocol.http.Transport`."""
        url = parse_url(request.url, self._guard, self._proxy)
        check_head(request)
        departure = _Departure(url.host or "", allowed)
        token = _departure.set(departure)
        try:
            async with asyncio.timeout(self._limits.total_timeout):
                return await self._exchange(request, url)
        except FAILURES as error:
            raise delivery_error(error, url.host or "", left=departure.left) from error
        finally:
            _departure.reset(token)

    async def _exchange(self, request: Request, url: URL) -> Response:
        headers = {**request.headers, "Content-Length": str(len(request.body))}
        proxy = self._proxy
        if proxy is not None and url.scheme == "http":
            headers |= proxy.headers
        async with self._sessions[self._pools.for_url(url)].request(
            request.method,
            url,
            data=request.body,
            headers=headers,
            allow_redirects=False,
            proxy=proxy.url if proxy else None,
            proxy_headers=proxy.headers if proxy else None,
        ) as answer:
            body = await read_start(answer.content)
            if len(body) > KEPT:
                answer.close()  # too late where all of it has come: the session has its connection back
            return Response(
                status=answer.status, headers=AnswerHeaders(answer.headers), body=body[:KEPT]
            )

    def _session(self, pool: Pool) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=pool,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Answers are never unpacked, so that a small one cannot unfold: then nobody may pack them.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            skip_auto_headers=("Accept", "Content-Type"),
            auto_decompress=False,
            read_bufsize=KEPT,
            trust_env=False,
        )
        # It would repeat a DELETE by itself. There is no public switch; without this one it does so again.
        session._retry_connection = False  # noqa: SLF001
        return session
