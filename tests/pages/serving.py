"""What both stub servers share: pages from the package, the page policy, a stream of events."""

import asyncio
import json
from importlib import resources
from pathlib import Path
from typing import Any

from aiohttp import web

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "frame-src http://127.0.0.1:*; object-src 'none'; base-uri 'none'"
)
PACKAGE = Path(str(resources.files("chatbridge")))


class Events:
    """Server-sent events to every open page."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes | None]] = set()

    def publish(self, name: str, data: Any) -> None:
        frame = f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
        for queue in self._queues:
            queue.put_nowait(frame)

    def cut(self) -> None:
        """End all streams; the browsers come back by themselves."""
        for queue in self._queues:
            queue.put_nowait(None)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        # Before the page can know that it is connected: from then on nothing may be missed.
        self._queues.add(queue)
        try:
            await response.prepare(request)
            await response.write(b"retry: 100\n\n")
            while (frame := await queue.get()) is not None:
                await response.write(frame)
        except ConnectionResetError:
            pass
        finally:
            self._queues.discard(queue)
        return response


@web.middleware
async def with_policy(request: web.Request, handler: Any) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
    return response


def page(path: str) -> Any:
    async def show(_: web.Request) -> web.FileResponse:
        return web.FileResponse(PACKAGE / path)

    return show


class Running:
    """A stub server on a free port of the loopback address."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()
