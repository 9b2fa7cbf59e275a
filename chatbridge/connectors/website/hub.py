"""Who is connected to this node."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from chatbridge.limits import Limit

_SOCKETS: Final = 20_000
"""Sockets of a node at most: some 30 KB each."""
_EACH: Final = 8
"""Sockets of a visitor at most: pages that are open in tabs."""


class Hub:
    """The sockets of a node, and how often their visitors may do what."""

    def __init__(self, *, sockets: int = _SOCKETS) -> None:
        """Take so many sockets."""
        self._most, self._open = sockets, set[asyncio.Timeout]()
        self._visitors = Counter[str]()
        self.newcomers = Limit(30, at_once=100)
        """New visitors, by address."""
        self.frames = Limit(1200, at_once=200)
        """By visitor."""
        self.uploads = Limit(20)
        """By visitor."""

    @property
    def is_full(self) -> bool:
        """Return whether no more sockets are taken."""
        return len(self._open) >= self._most

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keep account of a socket while it is open.

        Raises:
            TimeoutError: the server restarts.

        """
        async with asyncio.timeout(None) as end:
            self._open.add(end)
            try:
                yield
            finally:
                self._open.discard(end)

    @contextmanager
    def entered(self, visitor: str) -> Iterator[bool]:
        """Keep account of a visitor's socket; tell whether it is one too many."""
        self._visitors[visitor] += 1
        try:
            yield self._visitors[visitor] <= _EACH
        finally:
            self._visitors[visitor] -= 1
            if not self._visitors[visitor]:
                del self._visitors[visitor]

    def close(self) -> None:
        """Have all pages asked to come again: the server restarts."""
        now = asyncio.get_running_loop().time()
        for end in self._open:
            end.reschedule(now)
