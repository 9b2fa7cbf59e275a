"""Says again and again that callbacks are being taken, and notices when they were not.

A write that succeeds proves the database, and whoever runs this proves that the event loop turns. A stretch that nobody proved is
found by the node that begins after it. Breaches of its own a node tells itself: that it stood still, or refused a callback.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.errors import StoreUnavailable
from chatbridge.store import heartbeat, recoveries
from chatbridge.store.engine import Store
from chatbridge.store.recoveries import Gap, Reason, Recovery

log = structlog.get_logger()

EVERY: Final = 2.0
"""Seconds from one beat to the next."""
PATIENCE: Final = 5.0
"""Seconds that amoCRM waits for an answer to a callback."""
_TURNS: Final = 10
_TURN: Final = 0.2
"""How often a node that begins waits for another that does, and for how many seconds each time."""
_GOODBYE: Final = 1.0
"""Seconds for the last beat: nobody waits longer for a server that stops."""
_SECOND: Final = 1_000_000


class Heartbeat:
    """This node's."""

    def __init__(self, *, store: Store, clock: Clock, tolerance: float) -> None:
        """Look over stretches within the tolerance, in seconds."""
        self._store, self._clock = store, clock
        self._tolerance = int(tolerance * _SECOND)
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
        self._tell(await self._begin())
        await self._beat()
        self._task = asyncio.create_task(self._run(), name="heartbeat")

    async def stop(self) -> None:
        """Say it for the last time."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                await self._try()

    def refused(self) -> None:
        """Take note that a callback got no 200 in time."""
        now = self._clock.now()
        self._breaches.append(Gap(now - int(PATIENCE * _SECOND), now, Reason.REFUSED))

    async def _begin(self) -> Recovery | None:
        for _ in range(_TURNS):
            try:
                return await self._store.write(
                    heartbeat.begin, now=self._clock.now(), tolerance=self._tolerance
                )
            except StoreUnavailable:
                await self._clock.sleep(_TURN)
        return await self._store.write(
            heartbeat.begin, now=self._clock.now(), tolerance=self._tolerance, in_turn=False
        )

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
        await self._store.write_along(heartbeat.beat, now=now)
        if not self._breaches:
            return
        gap = Gap(
            min(breach.from_at for breach in self._breaches),
            max(breach.to_at for breach in self._breaches),
            self._breaches[0].reason,
        )
        known = len(self._breaches)
        self._tell(await self._store.write(recoveries.add, gap, now=now))
        del self._breaches[:known]

    def _tell(self, found: Recovery | None) -> None:
        if found is None:
            return
        seconds = (found.to_at - found.from_at) / _SECOND
        log.warning("callbacks_missed", recovery_id=found.id, reason=found.reason, seconds=seconds)
        for listener in self._listeners:
            listener()
