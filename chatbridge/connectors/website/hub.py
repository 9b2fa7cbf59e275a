"""Who is connected to this node."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from chatbridge.connectors.website.limits import Limit
from chatbridge.connectors.website.outputs import Code

_SOCKETS: Final = 20_000
"""Sockets of a node at most: some 30 KB each."""
_EACH: Final = 8
"""Sockets of a visitor at most: pages that are open in tabs."""


class Hub:
    """The sockets of a node, and how often their visitors may do what."""

    def __init__(self, *, sockets: int = _SOCKETS) -> None:
        """Take so many sockets."""
        self._most, self._open = sockets, set[web.WebSocketResponse]()
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

    @contextmanager
    def connected(self, socket: web.WebSocketResponse) -> Iterator[None]:
        """Keep account of a socket while it is open."""
        self._open.add(socket)
        try:
            yield
        finally:
            self._open.discard(socket)

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

    async def close(self) -> None:
        """Ask all pages to come again: the server restarts."""
        closing = (
            socket.close(code=Code.RESTART, message=b"The server restarts.")
            for socket in list(self._open)
        )
        await asyncio.gather(*closing, return_exceptions=True)
