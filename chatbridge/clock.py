"""The clock as a collaborator, so that no test waits and no decision hides a look at the time."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)


class SteadyClock:
    """A clock that nobody sets: for how long something takes, not for when it is."""

    def now(self) -> int:
        """Return microseconds since some moment."""
        return time.monotonic_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)
