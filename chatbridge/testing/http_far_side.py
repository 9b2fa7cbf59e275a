"""A stand-in that is an HTTP server on loopback: most messengers are one."""

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import web

from chatbridge.testing.far_side import FarSide
from chatbridge.testing.processes import free_port

_BETWEEN: Final = 0.05
"""Seconds before an update is pushed again that was not taken."""
_BODY: Final = 100_000_000
"""Bytes of a request at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Something that is pushed to this server."""

    path: str
    body: bytes = field(repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpFarSide(FarSide):
    """An HTTP server with `routes`, which goes away and comes back, and pushes updates in order until each is taken."""

    def __init__(self) -> None:
        """Prepare; no I/O yet."""
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http: aiohttp.ClientSession
        self._server = ""
        self._runner: web.AppRunner | None = None
        self._updates: asyncio.Queue[Update] = asyncio.Queue()
        self._last: Update | None = None
        self._trouble = ""

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return what the messenger's server answers."""

    async def start(self) -> None:
        """Listen, and begin to push."""
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        self._pushing = asyncio.create_task(self._push_on(), name="pushing")
        await self.come_back()

    async def stop(self) -> None:
        """End everything."""
        self._pushing.cancel()
        await asyncio.gather(self._pushing, return_exceptions=True)
        await self.go_away()
        await self.http.close()

    async def go_away(self) -> None:
        """Listen no longer, and close what is open."""
        self.let_go()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def come_back(self) -> None:
        """Listen again, at the same address."""
        app = web.Application(client_max_size=_BODY)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def join(self, url: str, messenger: Mapping[str, Any]) -> None:  # noqa: ARG002 - others look at it
        """Push to the server at this address."""
        self._server = url

    def push(self, update: Update) -> None:
        """Bring the server an update, again and again until it is answered 2xx; what is pushed later waits."""
        self._last = update
        self._updates.put_nowait(update)

    async def repeats_last(self) -> None:
        """Push the last update once more."""
        if self._last is not None:
            self.push(self._last)

    def trouble(self) -> str:
        """Return what the server last said to an update that it did not take."""
        return self._trouble

    async def break_off(self, request: web.Request) -> web.Response:
        """Answer nothing: hang, then cut the connection."""
        await self.hang()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _push_on(self) -> None:
        while True:
            update = await self._updates.get()
            while not await self._is_taken(update):  # noqa: ASYNC110 - nobody tells when the server is back
                await asyncio.sleep(_BETWEEN)

    async def _is_taken(self, update: Update) -> bool:
        try:
            async with self.http.request(
                update.method,
                self._server + update.path,
                data=update.body,
                headers=update.headers,
            ) as answer:
                said = await answer.text()
        except (aiohttp.ClientError, OSError) as error:
            self._trouble = f"{update.method} {update.path}: {error!r}"
            return False
        if answer.ok:
            return True
        self._trouble = f"{update.method} {update.path} was answered {answer.status}: {said}"
        return False
