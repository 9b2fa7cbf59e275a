"""Removes events from feeds that were kept long enough."""

from collections.abc import Callable
from typing import Final

from chatbridge.bridge.periodic import FIRST
from chatbridge.clock import Clock
from chatbridge.store import feed
from chatbridge.store.engine import Store

_DAY: Final = 24 * 3600 * 1_000_000
_STEP: Final = 500
"""Events removed at once: a few milliseconds, in which nothing else is written."""
_PAUSE: Final = 0.1
"""Seconds between two steps."""


class FeedRetention:
    """Knows what may go."""

    def __init__(
        self, *, store: Store, clock: Clock, days: int, partitions: Callable[[], frozenset[int]]
    ) -> None:
        """Keep events for so many days; `partitions` are delivered here."""
        self._store, self._clock, self._days, self._partitions = store, clock, days, partitions

    async def remove_all(self) -> None:
        """Remove what may go, if that is done here.

        Raises:
            StoreUnavailable: the database is away.

        """
        while FIRST in self._partitions() and await self._remove_some():
            await self._clock.sleep(_PAUSE)

    async def _remove_some(self) -> bool:
        """Return whether there may be more."""
        before = self._clock.now() - self._days * _DAY
        return await self._store.write(feed.prune, before, _STEP) == _STEP
