"""What is done again and again beside everything else, whatever becomes of it this time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.errors import MediaNotKept, StoreUnavailable

log = structlog.get_logger()

FIRST: Final = 0
"""Whoever delivers this partition does for all nodes what only one should do."""


class Periodic:
    """Runs something, pauses, and runs it again."""

    def __init__(
        self, run: Callable[[], Awaitable[object]], *, clock: Clock, every: float, name: str
    ) -> None:
        """Pause `every` so many seconds after each run; the log knows it by `name`."""
        self._run, self._clock, self._every, self._name = run, clock, every, name
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with the first run."""
        self._task = asyncio.create_task(self._go_on(), name=self._name)

    async def stop(self) -> None:
        """Break off. The next start goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go_on(self) -> None:
        while True:
            try:
                await self._run()
            except (MediaNotKept, StoreUnavailable) as error:
                log.warning("put_off", what=self._name, reason=str(error))
            except Exception:
                log.exception("periodic_fault", what=self._name)
            await self._clock.sleep(self._every)
