"""A second look before a caller is refused: another node of the same database may have stored the key a moment ago.

Guessing must not keep the database busy. So all who wait share one look, which asks for nothing but the names they gave; it
begins a second after the one before has ended; and whoever comes while very many wait is refused at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from chatbridge.clock import Clock
from chatbridge.store.directory import Names

_PAUSE: Final = 1.0
"""Seconds between two looks. A lone caller waits for the look alone."""
_MOST: Final = 1_000
"""Callers who wait for a look at the same time."""


class Flight:
    """Does one thing for all who ask for it meanwhile, once at a time. Whoever asks gets a run that begins afterwards."""

    def __init__(
        self, run: Callable[[], Awaitable[None]], clock: Clock, *, pause: float = 0
    ) -> None:
        """Call `run`, with so many seconds between two runs."""
        self._run, self._clock, self._pause = run, clock, int(pause * 1_000_000)
        self._turn = asyncio.Lock()
        self._free_at = 0
        self._next: asyncio.Task[None] | None = None
        """The run that has not begun."""

    async def __call__(self) -> None:
        """Return when a run has ended that began after this was called; raise what it raised."""
        if self._next is None:
            self._next = asyncio.create_task(self._begin(), name="flight")
            self._next.add_done_callback(_hear_out)
        # Somebody who goes away takes no run from the others.
        await asyncio.shield(self._next)

    async def _begin(self) -> None:
        async with self._turn:
            wait = self._free_at - self._clock.now()
            if wait > 0:
                await self._clock.sleep(wait / 1_000_000)
            self._next = None
            try:
                await self._run()
            finally:
                self._free_at = self._clock.now() + self._pause


def _hear_out(run: asyncio.Task[None]) -> None:
    """Take note of a failure that nobody may have waited for."""
    if not run.cancelled():
        run.exception()


class SecondLook:
    """Looks for what callers named and nobody here knows."""

    def __init__(self, look: Callable[[Names], Awaitable[None]], clock: Clock) -> None:
        """Look for names with `look`."""
        self._look, self._names = look, Names()
        self._flight = Flight(self._begin, clock, pause=_PAUSE)
        self._waiting = 0

    async def at(self, names: Names) -> bool:
        """Return True when the database was asked for these names, False if too many wait already.

        Raises:
            StoreUnavailable: the database is away.

        """
        if self._waiting >= _MOST:
            return False
        self._names |= names
        self._waiting += 1
        try:
            await self._flight()
        finally:
            self._waiting -= 1
        return True

    async def _begin(self) -> None:
        names, self._names = self._names, Names()
        await self._look(names)
