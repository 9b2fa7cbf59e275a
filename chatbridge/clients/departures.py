"""Requests leave together."""

import asyncio
from collections.abc import Callable


class Departures:
    """Requests that are written in the same round of the event loop, together at its end.

    With our own work between them every write costs the kernel a third more: the far side, or the network, goes to sleep and is woken.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with none."""
        self._loop = loop
        self._waiting: list[Callable[[], None]] = []

    def add(self, depart: Callable[[], None]) -> None:
        """Have this called at the end of the round."""
        if not self._waiting:
            self._loop.call_soon(self._depart)
        self._waiting.append(depart)

    def _depart(self) -> None:
        waiting, self._waiting = self._waiting, []
        for depart in waiting:
            depart()
