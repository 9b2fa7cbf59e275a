"""The clock as a collaborator, so that no test waits and no decision hides a look at the time."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> int:
        """Return microseconds since 1970-01-01 UTC, for everything that is compared later. It never jumps."""

    def wall(self) -> int:
        """Return the same as the machine's clock has it at this moment, for what others check, such as signatures."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, and nobody can set it."""


class SystemClock:
    """The machine's own clock, looked at once: a clock that is put forward or back later moves no retry."""

    def __init__(self) -> None:
        """Take the machine's time as it is now."""
        self._began = time.time_ns() - time.clock_gettime_ns(_STEADY)

    def now(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""
        return (self._began + time.clock_gettime_ns(_STEADY)) // 1000

    def wall(self) -> int:
        """Return microseconds since 1970-01-01 UTC as the machine says."""
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)


def uptime() -> float:
    """Return seconds of a clock that nobody can set, and that goes on while the machine sleeps."""
    return time.clock_gettime(_STEADY)
