"""The plain transport: aiohttp's `ClientSession` over the same connections; three times the CPU, less of aiohttp's inside."""

from collections.abc import Callable

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.guarded import GuardedClient
from chatbridge.clients.outgoing import Proxy, check_head
from chatbridge.clients.pools import TransportLimits
from chatbridge.clients.reading import KEPT, AnswerHeaders, read_start
from chatbridge.protocol.http import Request, Response


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
        self._limits = limits
        self._client = GuardedClient(guard, limits, user_agent=user_agent, proxy=proxy)

    async def start(self) -> None:
        """Open the pools, and a session over each."""
        await self._client.start()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def send(
        self, request: Request, *, allowed: Callable[[], bool] | None = None
    ) -> Response:
        """Return the answer, whatever its status; see `protocol.http.Transport`."""
        check_head(request)
        async with self._client.request(
            request.method,
            request.url,
            headers={**request.headers, "Content-Length": str(len(request.body))},
            data=request.body,
            seconds=self._limits.total_timeout,
            allowed=allowed,
        ) as answer:
            body = await read_start(answer.content)
            if len(body) > KEPT:
                answer.close()  # too late where all of it has come: the session has its connection back
            return Response(
                status=answer.status, headers=AnswerHeaders(answer.headers), body=body[:KEPT]
            )
