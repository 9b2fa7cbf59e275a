"""The way in: the port, callers who never say what they want, and how to stop without refusing anybody.

aiohttp bounds the wait for a next request, but not for the first one of a connection: whoever opens connections and sends
a byte now and then would keep them for ever.

HTTP/1.1 has two ways to end a connection. `Connection: close` on an answer is the safe one: the caller knows that nothing it sends
later will be read. Closing a connection that is idle may cross a request on the wire, which is then lost; closing only our
half of it would not help, as that is the half the answer would need. So connections are left open for their next request, and
those that have been quiet for a second are closed: at once where that second is over when the end begins. A caller who speaks
up in that very moment has lost the race that exists at the end of every keep-alive time, and may repeat (RFC 9112, 9.3.1 and
9.5). Whoever calls more often than once in a second never does.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from chatbridge.web.door import Door
from chatbridge.web.draining import DRAINING, Draining, has_unread, silence
from chatbridge.web.express import HEAD_TIMEOUT, Express
from chatbridge.web.ordinary import OrdinaryConnection
from chatbridge.web.routes import ENDPOINTS
from chatbridge.web.services import SERVICES, Services
from chatbridge.web.sockets import BACKLOG

_QUIET: Final = 1.0
"""Seconds of silence after which a stopping server closes an idle connection."""
_LOOK: Final = 0.02
"""Seconds between two looks at the connections of a stopping server, at least."""

Silence = Callable[[asyncio.BaseTransport], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Everything through which requests come in."""

    runner: web.AppRunner
    server: web.Server
    sockets: Sequence[socket.socket]
    door: Door
    express: Express
    draining: Draining
    silence: Silence = silence
    """Tells for how long a connection has been quiet."""

    @property
    def address(self) -> dict[str, object]:
        """Return where it listens, first of all."""
        host, port, *_ = self.sockets[0].getsockname()
        return {"host": host, "port": port}

    async def close(self, *, delay: float, grace: float) -> None:
        """Stop without refusing anybody.

        Args:
            delay: seconds in which the server goes on as before, but for `/readyz`, which says that it is stopping.
            grace: seconds for the connections that are open then; an answer that is still being made is cut off.

        """
        self.draining.announced = True
        await asyncio.sleep(delay)
        await self.door.close()
        self.draining.last_answers = True
        await self.runner.shutdown()
        await self._see_off(grace)
        await self.express.stop()

    async def _see_off(self, grace: float) -> None:
        now = asyncio.get_running_loop().time
        begun = now()
        while (self.express.open or self.server.connections) and now() < begun + grace:
            look = now()
            self._close_idle(look - begun)
            # With very many connections a look takes its time; most of it is for those who are being answered.
            await asyncio.sleep(max(_LOOK, 4 * (now() - look)))

    def _close_idle(self, elapsed: float) -> None:
        """Close the connections that carry no request and have been quiet for long; `elapsed` seconds after the last answers began.

        What arrived a moment ago may be a part of a request, or one that has been read and is not being answered yet. So it is
        the system that is asked for how long a connection has been quiet. Where it does not tell, all that were open when the
        last answers began and are open still have been quiet since then.
        """

        def is_quiet(transport: asyncio.BaseTransport) -> bool:
            quiet = self.silence(transport)
            return (elapsed if quiet is None else quiet) >= _QUIET

        for connection in list(self.express.open):
            if is_quiet(connection.transport):
                connection.close_if_idle()
        for handler in self.server.connections:
            transport = handler.transport
            if transport is None or handler in self.draining.busy:
                continue
            if is_quiet(transport) and not has_unread(transport):
                handler.force_close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordinary:
    """Makes connections of aiohttp's, and hangs up on those that send no request in time."""

    server: web.Server
    services: Services
    draining: Draining
    timeout: float

    def __call__(self) -> RequestHandler:
        handler = OrdinaryConnection(self.server, self.services)
        timer = asyncio.get_running_loop().call_later(self.timeout, self._hang_up, handler)
        self.draining.silent[handler] = timer
        return handler

    def _hang_up(self, handler: RequestHandler) -> None:
        del self.draining.silent[handler]
        handler.force_close()


def prepare(app: web.Application) -> None:
    """Give the application its account of connections."""
    app[DRAINING] = Draining()


async def listen(
    runner: web.AppRunner,
    sockets: Sequence[socket.socket],
    *,
    head_timeout: float = HEAD_TIMEOUT,
    shared: bool = False,
) -> Entrance:
    """Accept connections for the runner's application; they begin as express ones.

    `shared` says that other processes accept from the same sockets.
    """
    server, draining = runner.server, runner.app[DRAINING]
    if server is None:
        raise RuntimeError("the runner has to be set up before it can listen")
    services = runner.app[SERVICES]
    express = Express(
        services=services,
        messages=next(endpoint for endpoint in ENDPOINTS if endpoint.path == "/v1/messages"),
        aiohttp=_Ordinary(
            server=server, services=services, draining=draining, timeout=head_timeout
        ),
        draining=draining,
    )
    door = Door(sockets, express.connection, at_once=1 if shared else BACKLOG)
    door.open()
    return Entrance(
        runner=runner,
        server=server,
        sockets=sockets,
        door=door,
        express=express,
        draining=draining,
    )
