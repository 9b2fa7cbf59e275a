"""Feeds: events that are kept until their messenger fetches them, and whoever waits for them woken on every node.

News travel as notifications of the database; each names the node it comes from, which knows it already. Nothing depends on one: they
say only that it is worth reading, and after a lost connection everybody reads.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import structlog

from chatbridge.bridge.feed_news import read_news, words_of, words_of_whisper
from chatbridge.bridge.listeners import Listener, Listeners
from chatbridge.clock import Clock
from chatbridge.delivery.batch import Batcher
from chatbridge.errors import StoreUnavailable
from chatbridge.model import FeedEvent
from chatbridge.store import feed
from chatbridge.store.dialect import Topic, notify
from chatbridge.store.engine import Store
from chatbridge.store.feed import Appending, Ends

log = structlog.get_logger()

_BATCH: Final = 256
_END: Final = 2**63 - 1
"""Beyond every position."""
_BETWEEN: Final = 5.0
"""Seconds after a note of what was fetched before the next one."""


class Feeds:
    """The feeds of all messengers, as this node sees them."""

    def __init__(self, *, store: Store, clock: Clock, new_id: Callable[[], str]) -> None:
        """Keep events in `store`."""
        self._store, self._clock, self._node = store, clock, new_id()
        self._append = Batcher(self._write, limit=_BATCH)
        self._listeners = Listeners()
        self._fetched: dict[str, int] = {}
        self._tell: Callable[[Sequence[str]], Awaitable[None]] | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def tell(self, listener: Callable[[Sequence[str]], Awaitable[None]]) -> None:
        """Tell somebody, from now on, the keys of what was fetched; the listener may raise StoreUnavailable."""
        self._tell = listener

    def start(self) -> None:
        """Begin to note what is fetched."""
        self._task = asyncio.create_task(self._note_forever(), name="feeds")

    async def stop(self) -> None:
        """Note for the last time what was fetched. What is appended later is stored all the same."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._fetched:
            await self._note()

    async def append(self, messenger_id: str, topic: str, key: str, body: bytes) -> int:
        """Append an event; it is on disk when this returns. See `connectors.feed.Feed`.

        Raises:
            StoreUnavailable: it was not stored.

        """
        return await self._append(Appending(messenger_id, topic, key, body))

    async def read(
        self, messenger_id: str, after: int, limit: int, topic: str | None = None
    ) -> list[FeedEvent]:
        """Return what follows a position, of one topic if it is named."""
        return await self._store.read(feed.read_after, messenger_id, after, limit, topic)

    async def newest(
        self, messenger_id: str, topic: str, limit: int, *, before: int | None = None
    ) -> list[FeedEvent]:
        """Return the newest events of a topic, or the newest before a position, oldest first."""
        position = _END if before is None else before
        return await self._store.read(feed.read_before, messenger_id, position, limit, topic)

    async def ends(self, messenger_id: str) -> Ends:
        """Return what a feed keeps."""
        return await self._store.read(feed.ends_of, messenger_id)

    def listen(
        self, messenger_id: str, topic: str | None = None
    ) -> AbstractContextManager[Listener]:
        """Return somebody who waits for news, of one topic if it is named."""
        return self._listeners.listening(messenger_id, topic)

    async def whisper(self, messenger_id: str, topic: str, body: bytes) -> None:
        """Tell those who listen at this moment, on all nodes. What is not told is lost."""
        place = messenger_id, topic
        words = words_of_whisper(self._node, place, body)
        if words is None:
            return
        self._listeners.wake([place], body)
        if self._store.shared:
            try:
                await self._store.write(notify, Topic.FEEDS, words)
            except StoreUnavailable as error:
                log.debug("whisper_lost", reason=str(error))

    def fetched(self, messenger_id: str, position: int) -> None:
        """Take note that the messenger has got its events up to a position; it is written a little later."""
        self._fetched[messenger_id] = max(position, self._fetched.get(messenger_id, 0))
        self._news.set()

    def heard(self, words: str) -> None:
        """Take note of what another node tells."""
        news = read_news(words)
        if news.node != self._node:
            whisper = None if news.whisper is None else news.whisper.encode()
            self._listeners.wake(news.places, whisper)

    def missed(self) -> None:
        """Take note that something may have been told while nobody listened."""
        self._listeners.wake_all()

    async def _write(self, events: list[Appending]) -> Sequence[int]:
        places = {(event.messenger_id, event.topic) for event in events}
        told = words_of(self._node, places) if self._store.shared else []
        positions = await self._store.write(feed.append, events, self._clock.now(), told)
        self._listeners.wake(places)
        return positions

    async def _note_forever(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._note()
            except Exception:
                log.exception("feeds_fault")
            await self._clock.sleep(_BETWEEN)

    async def _note(self) -> None:
        fetched = self._fetched.copy()
        try:
            keys = await self._store.write(feed.note_fetched, fetched)
            if keys and self._tell is not None:
                await self._tell(keys)
        except StoreUnavailable as error:
            log.warning("fetched_not_noted", reason=str(error))
            self._news.set()
            return
        for messenger_id, position in fetched.items():
            if self._fetched[messenger_id] == position:
                del self._fetched[messenger_id]
