"""The fast transport: aiohttp's connections, and nothing of its client.

Most of what `ClientSession` costs (about 90 us of CPU for a request, against 30 here) is spent on what a signed request
does not need: it is complete to the byte already. So this writes it in one piece to a connection of aiohttp's pool
and reads the answer from aiohttp's parser. Pool, limits, name lookups, TLS and parser stay aiohttp's.

`connect`, `ClientRequest`, `protocol.set_response_params` and `protocol.read` are public by name but hardly promised by
anybody. When a release of aiohttp breaks them, the contract tests fail, and whoever has that release already sets
`network.transport = "session"`: the same behaviour at the price of `ClientSession`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.deadlines import Deadlines
from chatbridge.clients.failures import FAILURES, delivery_error
from chatbridge.clients.outgoing import Proxy, check_head, parse_url
from chatbridge.clients.pools import Pools, TransportLimits
from chatbridge.clients.wire import NotAllowed
from chatbridge.clients.wire_pool import WirePool
from chatbridge.errors import NotSent
from chatbridge.protocol.http import Request, Response

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ConnectionKey

_HOSTS: Final = 1024
_ADDRESSES: Final = 4096
"""Addresses whose first lines are remembered: one for each link and each webhook in use."""


class _Dial(aiohttp.ClientRequest):
    """What aiohttp wants to know to connect to a host; made once, for making it costs as much as a whole request."""

    @cached_property
    def connection_key(self) -> "ConnectionKey":
        return super().connection_key


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """An address, and what is the same in every request to it."""

    host: str
    pool: WirePool
    dial: _Dial
    opening: str
    """Everything from the request's target to the last header that does not change."""


class ThinTransport:
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
        self._guard, self._user_agent, self._proxy = guard, user_agent, proxy
        self._pools = Pools(guard, limits, proxy, kind=WirePool)
        self._connect_timeout = aiohttp.ClientTimeout(connect=limits.connect_timeout)
        self._deadlines = Deadlines(limits.total_timeout)
        self._target = lru_cache(_ADDRESSES)(self._new_target)
        self._dial = lru_cache(_HOSTS)(self._new_dial)

    async def start(self) -> None:
        """Open the pools."""
        await self._pools.open()

    async def close(self) -> None:
        """Close every connection."""
        self._deadlines.close()
        self._target.cache_clear()
        self._dial.cache_clear()
        await self._pools.close()

    async def send(
        self, request: Request, *, allowed: Callable[[], bool] | None = None
    ) -> Response:
        """Return the answer, whatever its status; see `protocol.http.Transport`."""
        target = self._target(request.url)
        check_head(request)
        wire = None
        try:
            with self._deadlines.begin():
                written, has_body = _write(request, target.opening), request.method != "HEAD"
                while True:
                    wire = await target.pool.take(target.dial, self._connect_timeout)
                    try:
                        return await wire.exchange(written, allowed=allowed, has_body=has_body)
                    except aiohttp.ClientConnectionError:
                        # An idle connection may end before anything was written to it: then another one is taken.
                        if wire.left or wire.is_fresh:
                            raise
                    finally:
                        target.pool.give_back(wire)
        except NotAllowed:
            raise NotSent(f"{target.host} not sent: the right to deliver it was lost") from None
        except FAILURES as error:
            left = wire is not None and wire.left
            raise delivery_error(error, target.host, left=left) from error

    def _new_target(self, address: str) -> _Target:
        url = parse_url(address, self._guard, self._proxy)
        dial = self._dial(url.origin())
        fixed = {
            "Host": dial.headers["Host"],
            "User-Agent": self._user_agent,
            # Answers are never unpacked, so that a small one cannot unfold: then nobody may pack them.
            "Accept-Encoding": "identity",
        }
        path = url.raw_path_qs
        if self._proxy is not None and url.scheme == "http":
            path = str(url)
            fixed |= self._proxy.headers
        return _Target(
            host=url.host or "",
            pool=self._pools.for_url(url),
            dial=dial,
            opening=f" {path} HTTP/1.1\r\n{_lines(fixed)}",
        )

    def _new_dial(self, origin: URL) -> _Dial:
        proxy = self._proxy
        return _Dial(
            "POST",
            origin,
            loop=asyncio.get_running_loop(),
            proxy=proxy.url if proxy else None,
            proxy_headers=proxy.headers if proxy else None,
        )


def _write(request: Request, opening: str) -> bytes:
    body = request.body
    head = f"{request.method}{opening}{_lines(request.headers)}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
