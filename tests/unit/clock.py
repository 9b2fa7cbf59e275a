"""A clock on which waiting takes no time."""

import asyncio

from tests.unit.factories import NOW, SECOND


class JumpingClock:
    """Jumps to the end of every wait, so that a schedule of days is walked through at once."""

    def __init__(self, now: int = NOW) -> None:
        self._now = now
        self._stands_still = False

    def stand_still(self) -> None:
        """Let every wait from now on last for ever."""
        self._stands_still = True

    def now(self) -> int:
        return self._now

    def wall(self) -> int:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if self._stands_still:
            await asyncio.Event().wait()
        self._now = max(self._now, self._now + round(seconds * SECOND))
        await asyncio.sleep(0)
