"""What a server knows while it stops: that it does, and which of aiohttp's connections have nothing to do."""

import asyncio
import select
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestHandler


@dataclass(slots=True)
class Draining:
    """How far the end has come, and what aiohttp's connections are at."""

    announced: bool = False
    """`/readyz` says that the server is stopping."""
    last_answers: bool = False
    """Every answer ends its connection."""
    silent: set[RequestHandler] = field(default_factory=set)
    """Connections that sent no request yet."""
    busy: set[RequestHandler] = field(default_factory=set)
    """Connections whose request is being answered."""


DRAINING: Final = web.AppKey("DRAINING", Draining)


@web.middleware
async def attend(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep account of what the connection is at, and end it with this answer if the server is stopping."""
    draining, connection = request.app[DRAINING], request.protocol
    draining.silent.discard(connection)
    draining.busy.add(connection)
    # aiohttp makes a task for each request; it ends when the answer is written, which is after this function.
    if (task := asyncio.current_task()) is not None:
        task.add_done_callback(lambda _: draining.busy.discard(connection))
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
