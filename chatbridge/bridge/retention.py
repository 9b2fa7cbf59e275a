"""Removes files that were kept long enough, and uploads that no message ever named."""

from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.media.files import Files
from chatbridge.store import media
from chatbridge.store.engine import Store

log = structlog.get_logger()

_DAY: Final = 24 * 3600 * 1_000_000
_PAGE: Final = 200


class Retention:
    """Knows what may go."""

    def __init__(self, *, store: Store, clock: Clock, files: Files, days: int) -> None:
        """Keep files for so many days; unnamed uploads are kept for one."""
        self._store, self._clock, self._files, self._days = store, clock, files, days

    async def remove_all(self) -> None:
        """Remove what may go.

        Raises:
            MediaNotKept: the place where files are kept is away.
            StoreUnavailable: the database is away.

        """
        removed = 0
        while page := await self.remove_page():
            removed += page
        if removed:
            log.info("files_removed", count=removed)

    async def remove_page(self) -> int:
        """Remove some of what may go; return how many files, 0 when there are none left.

        Raises:
            MediaNotKept: the place where files are kept is away.
            StoreUnavailable: the database is away.

        """
        now = self._clock.now()
        found = await self._store.read(
            media.list_outlived,
            kept_before=now - self._days * _DAY,
            unused_before=now - _DAY,
            limit=_PAGE,
        )
        # Files first: a row without a file is found again, a file without a row is not.
        for media_id in found:
            await self._files.delete(media_id)
        if found:
            await self._store.write(media.remove, found)
        return len(found)
