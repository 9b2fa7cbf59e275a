"""The way in: the port, callers who never say what they want, and how to stop without refusing anybody.

aiohttp bounds the wait for a next request, but not for the first one of a connection: whoever opens connections and sends
a byte now and then would keep them for ever.

HTTP/1.1 has two ways to end a connection. `Connection: close` on an answer is the safe one: the caller knows that nothing it sends
later will be read. Closing a connection that is idle may cross a request on the wire, which is then lost; closing only our
half of it would not help, as that is the half the answer would need. So connections are left open for their next request, and
those that stay quiet for a second are closed. A caller who speaks up in that very moment has lost the race that exists
at the end of every keep-alive time, and may repeat (RFC 9112, 9.3.1 and 9.5).
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from chatbridge.web.draining import DRAINING, Draining, has_unread
from chatbridge.web.express import HEAD_TIMEOUT, Express
from chatbridge.web.routes import ENDPOINTS
from chatbridge.web.services import SERVICES
from chatbridge.web.sockets import BACKLOG

_QUIET: Final = 1.0
"""Seconds after which an idle connection of a stopping server is closed."""
_LOOK: Final = 0.02
"""Seconds between two looks at the connections of a stopping server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Everything through which requests come in."""

    runner: web.AppRunner
    server: web.Server
    sockets: Sequence[socket.socket]
    listeners: Sequence[asyncio.Server]
    express: Express
    draining: Draining

    async def close(self, *, delay: float, grace: float) -> None:
        """Stop without refusing anybody.

        Args:
            delay: seconds in which the server goes on as before, but for `/readyz`, which says that it is stopping.
            grace: seconds for the connections that are open then; an answer that is still being made is cut off.

        """
        self.draining.announced = True
        await asyncio.sleep(delay)
        await self._stop_accepting()
        self.draining.last_answers = True
        await self.runner.shutdown()
        await self._see_off(grace)
        await self.express.stop()

    async def _stop_accepting(self) -> None:
        loop = asyncio.get_running_loop()
        for one in self.sockets:
            # asyncio's own server loses what it accepted in the moment in which it is closed.
            loop.remove_reader(one.fileno())
        await asyncio.sleep(0)
        for listener in self.listeners:
            listener.close()

    async def _see_off(self, grace: float) -> None:
        now = asyncio.get_running_loop().time
        begun = now()
        while (self.express.open or self.server.connections) and now() < begun + grace:
            if now() >= begun + _QUIET:
                self.express.close_idle()
                self._close_idle()
            await asyncio.sleep(_LOOK)

    def _close_idle(self) -> None:
        for handler in self.server.connections:
            idle = handler not in self.draining.busy
            if idle and handler.transport is not None and not has_unread(handler.transport):
                handler.force_close()


def prepare(app: web.Application) -> None:
    """Give the application its account of connections."""
    app[DRAINING] = Draining()


async def listen(
    runner: web.AppRunner,
    sockets: Sequence[socket.socket],
    *,
    head_timeout: float = HEAD_TIMEOUT,
) -> Entrance:
    """Accept connections for the runner's application; they begin as express ones."""
    server, draining = runner.server, runner.app[DRAINING]
    if server is None:
        raise RuntimeError("the runner has to be set up before it can listen")
    loop = asyncio.get_running_loop()
    silent = draining.silent

    def connection() -> RequestHandler:
        handler = server()
        silent.add(handler)
        loop.call_later(head_timeout, hang_up, handler)
        return handler

    def hang_up(handler: RequestHandler) -> None:
        if handler in silent:
            silent.discard(handler)
            handler.force_close()

    express = Express(
        services=runner.app[SERVICES],
        messages=next(endpoint for endpoint in ENDPOINTS if endpoint.path == "/v1/messages"),
        aiohttp=connection,
        draining=draining,
    )
    listeners = [
        await loop.create_server(express.connection, sock=one, backlog=BACKLOG) for one in sockets
    ]
    return Entrance(
        runner=runner,
        server=server,
        sockets=sockets,
        listeners=listeners,
        express=express,
        draining=draining,
    )
