"""SQLite's log is copied into the database file beside the writer, so that no commit waits for it.

Left to itself SQLite copies when a commit finds the log long enough, and that commit, with all who wait for it, takes a tenth of a
second instead of half a millisecond. A log can begin anew only if all of it was copied and nobody wrote meanwhile. So a thread copies
what there is, as often as the log reaches its length, and the writer copies the little that came meanwhile.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

import structlog

log = structlog.get_logger()

LENGTH: Final = 4_000
"""Pages (4 KiB each) at which the log is copied: most of them are written again soon."""
LONGEST: Final = 16_000
"""Pages at which the writer copies the log after all, because the thread does not keep up."""

_COPY: Final = "PRAGMA wal_checkpoint(PASSIVE)"
_SOONEST, _LATEST = 0.05, 5.0
"""Seconds from the end of one copying to the next."""


class Checkpoints:
    """Keeps the log of one database short."""

    def __init__(self, connect: Callable[[], Any], *, length: int = LENGTH) -> None:
        """Copy on a connection of its own, about whenever the log has this length."""
        self._connect, self._length = connect, length
        self._wait = _SOONEST
        self._written = threading.Event()
        self._stopped = threading.Event()
        self._nearly_copied = False
        self._thread = threading.Thread(target=self._run, name="sqlite-checkpoints", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; SQLite copies what is left when the last connection is closed."""
        self._stopped.set()
        self._written.set()
        if self._thread.ident is not None:
            self._thread.join()

    def note_commit(self, writer: Any) -> None:
        """Take note of a commit, in the thread that made it; at the right moment, let the log begin anew."""
        self._written.set()
        if self._nearly_copied:
            self._copy(writer)
            self._nearly_copied = False

    def _run(self) -> None:
        connection = self._connect()
        try:
            while not self._stopped.wait(self._wait):
                self._written.wait()
                self._written.clear()
                pages = self._copy(connection)
                # As long as the load stays what it is, the log has its length after this time.
                wanted = _LATEST if pages is None else self._wait * self._length / max(1, pages)
                self._wait = min(_LATEST, max(_SOONEST, wanted))
        finally:
            connection.close()

    def _copy(self, connection: Any) -> int | None:
        """Copy what there is; return how long the log was, None if it failed."""
        try:
            ((_, pages, copied),) = connection.execute(_COPY).fetchall()
        except Exception as error:  # noqa: BLE001 - commits meet it too, and say so to whom it concerns
            log.warning("log_not_copied", reason=type(error).__name__)
            return None
        # Less than nearly all of it, and somebody still reads an older state: the writer would copy for nothing.
        self._nearly_copied = 0 < pages <= copied + pages // 8
        return int(pages)
