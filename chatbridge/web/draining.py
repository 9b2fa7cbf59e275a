"""What a server knows while it stops: that it does, and what its connections are at."""

import asyncio
import select
import socket
import struct
import sys
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestHandler

_TCP_INFO: Final = socket.TCP_INFO if sys.platform == "linux" else None
_TIMES: Final = struct.Struct("=44xI4xI")
"""Of Linux' `struct tcp_info`: milliseconds since data was sent last and since data was received last."""


@dataclass(slots=True)
class Draining:
    """How far the end has come, and what aiohttp's connections are at."""

    announced: bool = False
    """`/readyz` says that the server is stopping."""
    last_answers: bool = False
    """Every answer ends its connection."""
    silent: dict[RequestHandler, asyncio.TimerHandle] = field(default_factory=dict)
    """Connections that sent no request yet, with what hangs up on them."""
    busy: dict[RequestHandler, asyncio.Task[object]] = field(default_factory=dict)
    """Connections whose request is being answered, and what answers it."""

    def begin(self, connection: RequestHandler, task: asyncio.Task[object]) -> None:
        """Take note of a request; it is over when the task is."""
        timer = self.silent.pop(connection, None)
        if timer is not None:
            timer.cancel()
        self.busy[connection] = task
        task.add_done_callback(lambda _: self._end(connection, task))

    def _end(self, connection: RequestHandler, task: asyncio.Task[object]) -> None:
        # The next request of a connection may begin before this is called.
        if self.busy.get(connection) is task:
            del self.busy[connection]


DRAINING: Final = web.AppKey("DRAINING", Draining)


@web.middleware
async def attend(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep account of what the connection is at, and end it with this answer if the server is stopping."""
    draining = request.app[DRAINING]
    # aiohttp makes a task for each request; it ends when the answer is written, which is after this function.
    if (task := asyncio.current_task()) is not None:
        draining.begin(request.protocol, task)
    response = await handler(request)
    if draining.last_answers:
        response.force_close()
    return response


def has_unread(transport: asyncio.BaseTransport) -> bool:
    """Return whether bytes have arrived on a connection that nobody has read yet."""
    if transport.is_closing():
        return False
    watch = select.poll()
    watch.register(transport.get_extra_info("socket"), select.POLLIN)
    return bool(watch.poll(0))


def silence(transport: asyncio.BaseTransport) -> float | None:
    """Return for how many seconds nothing went over a connection in either direction, None if the system does not tell."""
    if transport.is_closing() or _TCP_INFO is None:
        return None
    stream = transport.get_extra_info("socket")
    told = stream.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _TIMES.size)
    times = _TIMES.unpack(told) if len(told) == _TIMES.size else (0, 0)
    # Systems that only look like Linux leave them at zero.
    return min(times) / 1000 if any(times) else None
