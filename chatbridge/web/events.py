"""The stream of a messenger's events: a request whose answer does not end before one of the two sides goes."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web

from chatbridge.bridge.feeds import Feeds
from chatbridge.bridge.listeners import Listener
from chatbridge.clock import Clock
from chatbridge.errors import InvalidFields, StoreUnavailable
from chatbridge.observability.logging import REQUEST_ID
from chatbridge.protocol.event_stream import (
    CONTENT_TYPE,
    HEARTBEAT,
    build_event,
    build_gap,
    build_retry,
)
from chatbridge.web.answers import HEADERS
from chatbridge.web.endpoint import Call
from chatbridge.web.event_schemas import CURSOR, LATEST, EventsQuery

log = structlog.get_logger()

_PAGE: Final = 32
"""Events read at once: all that a stream has in memory."""
_HEARTBEAT: Final = 15.0
"""Seconds of silence after which the stream says that it is alive."""
_RETRY: Final = 2_000
"""Milliseconds after which a reader should come again."""
_PAUSE: Final = 1.0
"""Seconds before the database is asked again after it failed."""
Write = Callable[[bytes], Awaitable[None]]
"""Returns when the reader has taken most of it."""

_HEADERS: Final = HEADERS | {
    "Content-Type": CONTENT_TYPE,
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


async def stream_events(call: Call[web.Request]) -> web.StreamResponse:
    """Give out a messenger's events as they come, until the reader goes or the server stops."""
    request, services = call.body, call.services
    stream = _Stream(services.feeds, services.clock, call.messenger.id)
    await stream.begin(_cursor(request, call.query))
    response = web.StreamResponse(headers=_HEADERS | {"X-Request-Id": REQUEST_ID.get() or ""})
    await response.prepare(request)
    running = asyncio.create_task(stream.run(response.write), name="stream")
    ending = asyncio.create_task(services.stopping.wait())
    try:
        await asyncio.wait((running, ending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        running.cancel()
        ending.cancel()
        await asyncio.gather(running, ending, return_exceptions=True)
    fault = None if running.cancelled() else running.exception()
    if not isinstance(fault, ConnectionError | None):
        log.error("stream_fault", exc_info=fault)
    if request.transport is not None and request.transport.get_write_buffer_size():
        # Whoever does not take what was sent is not waited for. It comes again with its cursor.
        request.transport.abort()
    return response


@dataclass(frozen=True, slots=True)
class _Cursor:
    """What a reader has seen, and where it says so."""

    name: str
    value: str


def _cursor(request: web.Request, query: EventsQuery) -> _Cursor | None:
    # A browser's EventSource comes again under the same address: its header is the newer of the two.
    if said := request.headers.get("Last-Event-ID"):
        return _Cursor("Last-Event-ID", said)
    return None if query.after is None else _Cursor("?after", query.after)


class _Stream:
    """Gives out what is in a feed, and then what comes."""

    def __init__(self, feeds: Feeds, clock: Clock, messenger_id: str) -> None:
        self._feeds, self._clock, self._messenger_id = feeds, clock, messenger_id
        self._position = 0
        """Given out already."""
        self._first = 1
        """The oldest event that is kept."""

    async def begin(self, cursor: _Cursor | None) -> None:
        """Find the place where the reader is.

        Raises:
            InvalidFields: there is no such place.
            StoreUnavailable: the database is away.

        """
        ends = await self._feeds.ends(self._messenger_id)
        self._first = ends.first
        if cursor is None:
            self._position = ends.first - 1
            return
        self._position = ends.last if cursor.value == LATEST else _position(cursor, ends.last)
        self._feeds.fetched(self._messenger_id, self._position)

    async def run(self, write: Write) -> None:
        """Write for ever.

        Raises:
            ConnectionError: the reader is gone.

        """
        with self._feeds.listen(self._messenger_id) as listener:
            await write(build_retry(_RETRY))
            await self._reach(self._first, write)
            while True:
                try:
                    page = await self._feeds.read(self._messenger_id, self._position, _PAGE)
                except StoreUnavailable:
                    await write(HEARTBEAT)
                    await self._clock.sleep(_PAUSE)
                    continue
                for event in page:
                    await self._reach(event.position, write)
                    await write(build_event(event.body, event_id=event.position))
                    self._position = event.position
                    self._feeds.fetched(self._messenger_id, event.position)
                if len(page) < _PAGE:
                    await self._wait(listener, write)

    async def _reach(self, position: int, write: Write) -> None:
        """Say what is missing before an event: it was kept long enough."""
        if position > self._position + 1:
            gap = build_gap(after=self._position, before=position, now=self._clock.wall())
            self._position = position - 1
            await write(gap)

    async def _wait(self, listener: Listener, write: Write) -> None:
        """Return when there may be something new; meanwhile pass on whispers, and say that the stream is alive."""
        news = asyncio.create_task(listener.wait())
        silence = asyncio.create_task(self._clock.sleep(_HEARTBEAT))
        try:
            await asyncio.wait((news, silence), return_when=asyncio.FIRST_COMPLETED)
            whispers = news.result() if news.done() else None
        finally:
            news.cancel()
            silence.cancel()
        if whispers is None:
            await write(HEARTBEAT)
            return
        for whisper in whispers:
            await write(build_event(whisper))


def _position(cursor: _Cursor, last: int) -> int:
    if re.fullmatch(CURSOR, cursor.value) is None:
        raise InvalidFields(fields={cursor.name: "This is not the id of an event."})
    position = int(cursor.value)
    if position > last:
        words = f"The newest event has the id {last}: this is the cursor of another stream."
        raise InvalidFields(fields={cursor.name: words})
    return position
