"""Listening on a port, and hanging up on callers who never say what they want.

aiohttp bounds the wait for a next request, but not for the first one of a connection: whoever opens connections and sends
a byte now and then would keep them for ever.
"""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestHandler

from chatbridge.errors import ConfigurationError
from chatbridge.web.express import HEAD_TIMEOUT, Express
from chatbridge.web.routes import ENDPOINTS
from chatbridge.web.services import SERVICES

_BACKLOG: Final = 1024

_SILENT = web.AppKey("_SILENT", set[RequestHandler])


@web.middleware
async def note_heard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take a connection that has sent a request off the list of silent ones."""
    request.app[_SILENT].discard(request.protocol)
    return await handler(request)


def prepare(app: web.Application) -> None:
    """Give the application its list of silent connections."""
    app[_SILENT] = set()


async def listen(
    runner: web.AppRunner, host: str, port: int, *, head_timeout: float = HEAD_TIMEOUT
) -> tuple[asyncio.Server, Express]:
    """Listen for connections of the runner's application; they begin as express ones.

    Raises:
        ConfigurationError: the port is taken, or the address is not this machine's.

    """
    server, silent = runner.server, runner.app[_SILENT]
    if server is None:
        raise RuntimeError("the runner has to be set up before it can listen")
    loop = asyncio.get_running_loop()

    def connection() -> RequestHandler:
        handler = server()
        silent.add(handler)
        loop.call_later(head_timeout, hang_up, handler)
        return handler

    def hang_up(handler: RequestHandler) -> None:
        if handler in silent:
            silent.discard(handler)
            handler.force_close()

    messages = next(endpoint for endpoint in ENDPOINTS if endpoint.path == "/v1/messages")
    express = Express(services=runner.app[SERVICES], messages=messages, aiohttp=connection)
    try:
        listener = await loop.create_server(express.connection, host, port, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"Port {port} on {host} cannot be used ({error.strerror}). Stop what uses it, or choose another with"
            " CHATBRIDGE_HTTP__PORT."
        ) from error
    return listener, express
