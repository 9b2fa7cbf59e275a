"""Where several nodes share a database, looks for entries that nobody here will ever come to.

Another node may have written an entry of ours and not lived to tell, or a commit may have gone through without anybody hearing
of it. Such an entry has a lane that memory does not know. So the sweep goes through the lanes that wait in the database, a
page at a time, and has those looked up that it should know and does not.

It compares lanes and no ids and times: an id whose transaction was open for an hour is found like any other, and
no clock has to be right. A lane that memory knows needs nothing: it is read again before it ends, and whoever accepts something
behind the entry has its lane looked up.
"""

from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.delivery.loader import Loader
from chatbridge.errors import StoreUnavailable
from chatbridge.store import pending
from chatbridge.store.engine import Store

log = structlog.get_logger()

SECONDS_BETWEEN: Final = 30.0
"""From the end of a sweep to the next."""
PAGE: Final = 2_000
"""Entries looked at in one go: about a millisecond of the database's time."""
_PAUSE: Final = 1.0
"""Seconds between two pages, so that a long backlog makes a sweep longer and not harder."""


class Sweep:
    """Looks through all that is pending, again and again."""

    def __init__(self, *, store: Store, clock: Clock, loader: Loader) -> None:
        """Have `loader` look up what it overlooked."""
        self._store, self._clock, self._loader = store, clock, loader

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            await self._clock.sleep(SECONDS_BETWEEN)
            try:
                await self.once()
            except StoreUnavailable as error:
                log.warning("pending_not_swept", reason=str(error))

    async def once(self) -> None:
        """Go through everything that is pending.

        Raises:
            StoreUnavailable: the database is away.

        """
        lane = 0
        while page := await self._store.read(pending.list_lanes, lane, PAGE):
            self._look_at(page)
            if len(page) < PAGE:
                return
            lane, _ = page[-1]
            await self._clock.sleep(_PAUSE)

    def _look_at(self, page: list[tuple[int, int]]) -> None:
        first: dict[int, int] = {}
        for lane, entry_id in page:
            first.setdefault(lane, entry_id)
        overlooks = self._loader.overlooks
        found = [lane for lane, entry_id in first.items() if overlooks(lane, entry_id)]
        if found:
            self._loader.look_up(found)
