"""Removes events from feeds that were kept long enough."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.errors import StoreUnavailable
from chatbridge.store import feed
from chatbridge.store.engine import Store

log = structlog.get_logger()

_HOUR: Final = 3600.0
_DAY: Final = 24 * 3600 * 1_000_000
_STEP: Final = 500
"""Events removed at once: a few milliseconds, in which nothing else is written."""
_PAUSE: Final = 0.1
"""Seconds between two steps."""
_FIRST: Final = 0
"""Whoever delivers this partition removes them for all nodes."""


class FeedRetention:
    """Looks every hour for what may go."""

    def __init__(
        self, *, store: Store, clock: Clock, days: int, partitions: Callable[[], frozenset[int]]
    ) -> None:
        """Keep events for so many days; `partitions` are delivered here."""
        self._store, self._clock, self._days, self._partitions = store, clock, days, partitions
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look(), name="feed-retention")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            try:
                while _FIRST in self._partitions() and await self.remove_some():
                    await self._clock.sleep(_PAUSE)
            except StoreUnavailable as error:
                log.warning("feed_events_not_removed", reason=str(error))
            except Exception:
                log.exception("feed_retention_fault")
            await self._clock.sleep(_HOUR)

    async def remove_some(self) -> bool:
        """Remove some of what may go; return whether there may be more.

        Raises:
            StoreUnavailable: the database is away.

        """
        before = self._clock.now() - self._days * _DAY
        return await self._store.write(feed.prune, before, _STEP) == _STEP
