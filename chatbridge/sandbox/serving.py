"""Listening on a port: for the command line and the demo."""

import asyncio
import errno

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from chatbridge.sandbox.app import create_app
from chatbridge.sandbox.guards import UNHEARD
from chatbridge.sandbox.settings import SandboxSettings

HEAD_DEADLINE_S = 15.0
IDLE_S = 75.0


class AddressTakenError(RuntimeError):
    """Another program listens at the address; the text says what to do."""


async def serve(settings: SandboxSettings, *, head_deadline_s: float = HEAD_DEADLINE_S) -> None:
    """Run until cancelled. Raises AddressTakenError when the port is not free."""
    app = create_app(settings)
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=2,
        keepalive_timeout=IDLE_S,
        auto_decompress=False,  # signatures cover the bytes on the wire
    )
    await runner.setup()
    try:
        listener = await _listen(runner, settings, head_deadline_s)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def _listen(
    runner: web.AppRunner, settings: SandboxSettings, head_deadline_s: float
) -> asyncio.Server:
    """Listen, and hang up on connections that send no complete head: aiohttp would wait for ever."""
    loop, unheard, server = asyncio.get_running_loop(), runner.app[UNHEARD], runner.server

    def hang_up(connection: RequestHandler) -> None:
        if connection in unheard:
            unheard.discard(connection)
            connection.force_close()

    def connect() -> RequestHandler:
        if server is None:
            raise RuntimeError("connected before the runner was set up")
        connection = server()
        unheard.add(connection)
        loop.call_later(head_deadline_s, hang_up, connection)
        return connection

    try:
        return await loop.create_server(connect, settings.host, settings.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise AddressTakenError(
            f"The sandbox cannot listen on {settings.host}:{settings.port}: another program does. "
            "Stop it, or set CHATBRIDGE_SANDBOX__PORT to a free port."
        ) from error
