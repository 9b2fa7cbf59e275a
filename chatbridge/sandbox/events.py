"""Server-sent events to the inbox pages."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

QUEUED_AT_MOST = 1_000
PULSE_S = 15.0


class Subscriber:
    """One open page: its waiting frames, and how to hang up on it."""

    def __init__(self, hang_up: Callable[[], None]) -> None:
        self.frames: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_AT_MOST)
        self.hang_up = hang_up


class Events:
    """Fan-out to all open pages. A page too slow to read is dropped, never waited for."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()

    def add(self, subscriber: Subscriber) -> None:
        """Begin to send to a page."""
        self._subscribers.add(subscriber)

    def publish(self, name: str, data: Callable[[], Any]) -> None:
        """Send an event to every page; `data` is only called when a page listens."""
        if not self._subscribers:
            return
        frame = b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data()) + b"\n\n"
        for subscriber in tuple(self._subscribers):
            try:
                subscriber.frames.put_nowait(frame)
            except asyncio.QueueFull:
                self._subscribers.discard(subscriber)
                subscriber.hang_up()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /sandbox/events: runs until the page leaves or the sandbox stops."""
        transport = request.transport
        subscriber = Subscriber(transport.abort if transport is not None else lambda: None)
        self.add(subscriber)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            await response.write(b": open\n\n")
            while (frame := await self._next_frame(subscriber)) is not None:
                await response.write(frame)
        except ConnectionResetError:
            pass  # the page left, or was dropped
        finally:
            self._subscribers.discard(subscriber)
        return response

    def close(self) -> None:
        """End all streams, so that the server can stop at once."""
        for subscriber in self._subscribers:
            while subscriber.frames.full():
                subscriber.frames.get_nowait()
            subscriber.frames.put_nowait(None)

    async def _next_frame(self, subscriber: Subscriber) -> bytes | None:
        try:
            async with asyncio.timeout(PULSE_S):
                return await subscriber.frames.get()
        except TimeoutError:
            return b": still here\n\n"
