"""Fetches files by link, as a stream, through the same guard as every other request."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from yarl import URL

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.failures import FAILURES, delivery_error
from chatbridge.clients.outgoing import Proxy, parse_url
from chatbridge.clients.pools import Pool, Pools, TransportLimits
from chatbridge.errors import MediaForbidden, MediaGone, MediaUnreachable, Misconfigured

_REDIRECTS: Final = 3
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_COMES_BACK: Final = frozenset({408, 425, 429})
_FIRST_BYTE: Final = 10.0
"""Seconds without a byte, before the first and between two."""
_SLOWEST: Final = 10_000
"""Bytes in a second, on the whole, from `_FIRST_BYTE` seconds on."""


class Download:
    """A file that is coming."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    @property
    def size(self) -> int | None:
        """Return how many bytes it is said to have."""
        return self._answer.content_length

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield its bytes as they come.

        Raises:
            MediaUnreachable: they stop coming, or come too slowly.

        """
        loop, received = asyncio.get_running_loop(), 0
        begun = loop.time()
        try:
            async for chunk in self._answer.content.iter_any():
                received += len(chunk)
                seconds = loop.time() - begun
                if seconds > _FIRST_BYTE and received < _SLOWEST * seconds:
                    raise MediaUnreachable(f"{self._answer.host} sends the file too slowly")
                yield chunk
        except FAILURES as error:
            raise MediaUnreachable(
                f"{self._answer.host} stopped in the middle of the file"
            ) from error


class Downloader:
    """A client that fetches files: it sends no credentials, and follows at most three redirects, each checked anew."""

    def __init__(
        self, guard: AddressGuard, *, connect_timeout: float, user_agent: str, proxy: str = ""
    ) -> None:
        """Prepare; `start` opens connections."""
        self._guard, self._proxy, self._user_agent = guard, Proxy.at(proxy), user_agent
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=connect_timeout, sock_read=_FIRST_BYTE
        )
        limits = TransportLimits(connect_timeout=connect_timeout)
        self._pools = Pools(guard, limits, self._proxy, kind=Pool)

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
    async def open(self, link: str) -> AsyncGenerator[Download]:
        """Give the file behind a link.

        Raises:
            MediaForbidden: the link, or where it is redirected to, is none that this server may call.
            MediaGone: the answer is a refusal.
            MediaUnreachable: there is no usable answer.

        """
        for _ in range(_REDIRECTS + 1):
            url = self._checked(link)
            answer = await self._ask(url)
            try:
                moved = answer.headers.get("Location") if answer.status in _MOVED else None
                if moved is None:
                    _check_answer(answer)
                    yield Download(answer)
                    return
                link = str(answer.url.join(URL(moved, encoded=True)))
            except ValueError as error:
                raise MediaForbidden(f"{url.host} redirects to what is no address") from error
            finally:
                answer.close()
        raise MediaUnreachable(f"more than {_REDIRECTS} redirects")

    def _checked(self, link: str) -> URL:
        try:
            if not link.isascii() or " " in link:
                link = str(URL(link))  # as browsers do with a name that nobody encoded
            return parse_url(link, self._guard, self._proxy)
        except (Misconfigured, ValueError) as error:
            raise MediaForbidden(str(error)) from error

    async def _ask(self, url: URL) -> aiohttp.ClientResponse:
        proxy = self._proxy
        try:
            return await self._sessions[self._pools.for_url(url)].get(
                url,
                allow_redirects=False,
                headers=proxy.headers if proxy is not None and url.scheme == "http" else None,
                proxy=proxy.url if proxy else None,
                proxy_headers=proxy.headers if proxy else None,
            )
        except FAILURES as error:
            failure = delivery_error(error, url.host or "", left=False)
            kind = MediaForbidden if isinstance(failure, Misconfigured) else MediaUnreachable
            raise kind(str(failure)) from error

    def _session(self, pool: Pool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=pool,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )


def _check_answer(answer: aiohttp.ClientResponse) -> None:
    if answer.status != 200:
        final = 400 <= answer.status < 500 and answer.status not in _COMES_BACK
        kind = MediaGone if final else MediaUnreachable
        raise kind(f"{answer.host} answered HTTP {answer.status}")
    packed = answer.headers.get("Content-Encoding", "identity").lower()
    if packed != "identity":
        # Unpacked, a small answer may have no end; nobody was asked to pack it.
        raise MediaGone(f"{answer.host} sends the file packed ({packed[:20]})")
