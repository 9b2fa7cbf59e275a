"""A pool that keeps idle connections at hand.

aiohttp makes the connections and counts them. But taking a connection from its pool and putting it back costs more than signing a
message. So a connection stays taken while it is idle.
"""

from typing import TYPE_CHECKING, Any, Final

import aiohttp

from chatbridge.clients.departures import Departures
from chatbridge.clients.pools import Pool
from chatbridge.clients.wire import Wire

if TYPE_CHECKING:
    import asyncio

    from aiohttp.client_reqrep import ConnectionKey

IDLE_SECONDS: Final = 15.0
"""How long an idle connection is kept, as in aiohttp's pool."""


class WirePool(Pool):
    """aiohttp's pool, with idle connections kept at hand on top of it. All its connections are given out by `take`."""

    def __init__(self, **settings: Any) -> None:
        """Begin empty."""
        super().__init__(**settings)
        self._departures = Departures(self._loop)
        self._idle: dict[aiohttp.ClientRequest, list[Wire]] = {}
        """By who dialled. Several may dial the same address: they share a list."""
        self._by_key: dict[ConnectionKey, list[Wire]] = {}
        """The same lists. To look one up here costs more."""
        self._by_age: dict[Wire, None] = {}
        """Idle ones; the one that is idle for longest is first."""
        self.existing = 0
        """Connections that are taken from aiohttp's pool, idle or not."""
        self._wanted = 0
        """Who wants to have a connection of aiohttp's: waits for a place, or is dialling."""
        self._timer: asyncio.TimerHandle | None = None

    async def take(
        self,
        dial: aiohttp.ClientRequest,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's name for it
    ) -> Wire:
        """Return a connection on which nothing was said since the last answer.

        Raises:
            ClientError, OSError: there is none to be had.

        """
        idle = self._idle.get(dial) or self._shared(dial)
        while idle:
            wire = idle.pop()
            del self._by_age[wire]
            if wire.usable:
                return wire
            self._end(wire)
        if 0 < self.limit <= self.existing + self._wanted and self._by_age:
            self.drop(next(iter(self._by_age)))
        self._wanted += 1
        try:
            connection = await self.connect(dial, [], timeout)
        finally:
            self._wanted -= 1
        wire = Wire(connection, dial, departures=self._departures, broken=self.drop)
        self.existing += 1
        return wire

    def give_back(self, wire: Wire) -> None:
        """Keep a connection for the next request, or end it if it is not clean."""
        if not wire.usable:
            self._end(wire)
        elif self._waiters:  # aiohttp's: only whoever really waits, not who is dialling
            self.existing -= 1
            wire.release()
        else:
            wire.since = self._loop.time()
            idle = self._idle.get(wire.dial)
            if idle is None:
                idle = self._by_key.setdefault(wire.dial.connection_key, [])
                self._idle[wire.dial] = idle
            idle.append(wire)
            self._by_age[wire] = None
            if self._timer is None:
                self._timer = self._loop.call_later(IDLE_SECONDS, self._expire)

    def drop(self, wire: Wire) -> None:
        """End a connection if it is idle; one that is in use is ended by whoever uses it."""
        wire.clean = False
        if wire in self._by_age:
            del self._by_age[wire]
            self._idle[wire.dial].remove(wire)
            self._end(wire)

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close every connection."""
        if self._timer is not None:
            self._timer.cancel()
        for wire in list(self._by_age):
            self.drop(wire)
        await super().close(abort_ssl=abort_ssl)

    def _shared(self, dial: aiohttp.ClientRequest) -> list[Wire] | None:
        """Return what is idle of the same address, and remember it for this dial."""
        idle = self._by_key.get(dial.connection_key)
        if idle:
            self._idle[dial] = idle
        return idle

    def _end(self, wire: Wire) -> None:
        self.existing -= 1
        wire.close()

    def _expire(self) -> None:
        """End what has been idle for too long."""
        self._timer = None
        last = self._loop.time() - IDLE_SECONDS
        for wire in list(self._by_age):
            if wire.since > last:
                self._timer = self._loop.call_at(wire.since + IDLE_SECONDS, self._expire)
                break
            self.drop(wire)
        self._idle = {dial: wires for dial, wires in self._idle.items() if wires}
        self._by_key = {key: wires for key, wires in self._by_key.items() if wires}
