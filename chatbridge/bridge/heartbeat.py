"""Says again and again that callbacks are being taken, and notices when they were not.

A write that succeeds proves the database, and whoever runs this proves that the event loop turns. What nobody proved is found by
whoever writes next, on whatever node. Breaches of a node's own are told by itself: that it stood still, or refused a callback.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.errors import StoreUnavailable
from chatbridge.store import heartbeat, recoveries
from chatbridge.store.engine import Store
from chatbridge.store.recoveries import Gap, Reason

log = structlog.get_logger()

EVERY: Final = 2.0
"""Seconds from one beat to the next."""
PATIENCE: Final = 5.0
"""Seconds that amoCRM waits for an answer to a callback."""
_SECOND: Final = 1_000_000


class Heartbeat:
    """This node's."""

    def __init__(self, *, store: Store, clock: Clock, tolerance: float) -> None:
        """Look over stretches within the tolerance, in seconds."""
        self._store, self._clock = store, clock
        self._tolerance = int(tolerance * _SECOND)
        self._since = 0
        self._breaches: list[Gap] = []
        self._listeners: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def tell(self, listener: Callable[[], None]) -> None:
        """Tell somebody, from now on, when there is something to recover."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Say it for the first time, from when on callbacks are taken here.

        Raises:
            StoreUnavailable: the database is away.

        """
        self._since = self._clock.now()
        await self._beat()
        self._task = asyncio.create_task(self._run(), name="heartbeat")

    async def stop(self) -> None:
        """Say it for the last time."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        await self._try()

    def refused(self) -> None:
        """Take note that a callback got no 200 in time."""
        now = self._clock.now()
        self._breaches.append(Gap(now - int(PATIENCE * _SECOND), now, Reason.REFUSED))

    async def _run(self) -> None:
        while True:
            begun = self._clock.now()
            await self._clock.sleep(EVERY)
            now = self._clock.now()
            if now - begun >= (EVERY + PATIENCE) * _SECOND:
                log.warning("stalled", seconds=(now - begun) / _SECOND)
                self._breaches.append(Gap(begun, now, Reason.STALLED))
            await self._try()

    async def _try(self) -> None:
        try:
            await self._beat()
        except StoreUnavailable as error:
            log.warning("heartbeat_not_written", reason=str(error))

    async def _beat(self) -> None:
        now = self._clock.now()
        found = await self._store.write_along(
            heartbeat.beat, now=now, since=self._since, tolerance=self._tolerance
        )
        if self._breaches:
            breaches, self._breaches = self._breaches, []
            whole = Gap(
                min(gap.from_at for gap in breaches),
                max(gap.to_at for gap in breaches),
                breaches[0].reason,
            )
            try:
                found = await self._store.write(recoveries.add, whole, now=now)
            except StoreUnavailable:
                self._breaches.append(whole)
                raise
        if found is not None:
            log.warning("callbacks_missed", recovery_id=found.id, reason=found.reason)
            for listener in self._listeners:
                listener()
