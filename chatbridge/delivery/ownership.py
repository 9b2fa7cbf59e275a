"""Which partitions this node delivers: all of them where it is alone, those it has leases on where there are others.

A node may send only while its leases last. It counts that from the moment before it asked for them, by a clock that no
one can set and that goes on while the machine sleeps; so it stops before the database lets anybody else take them. A node that
was paused asks that clock right before it sends, and finds that its time is over.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import structlog

from chatbridge.clock import Clock
from chatbridge.errors import StoreUnavailable
from chatbridge.store import leases
from chatbridge.store.engine import Store
from chatbridge.store.partitions import EVERYTHING

log = structlog.get_logger()

LEASE_SECONDS: Final = 10.0
RENEWED_EVERY: Final = 2.5
"""Seconds. What a dead node held is taken over after the sum of both at most."""


class Deliverer(Protocol):
    """Whoever delivers what is owned."""

    def own(self, partitions: frozenset[int]) -> None:
        """Deliver these partitions from now on, and no others."""

    async def settled(self, partitions: frozenset[int]) -> None:
        """Return when nothing of these partitions is under way or still to be recorded."""


class Ownership(Protocol):
    """What is ours to deliver."""

    @property
    def tokens(self) -> Mapping[int, int] | None:
        """Return the fencing token of each partition that is ours; None if nobody else could have them."""

    def holds(self) -> bool:
        """Return whether what is ours may be sent at this moment."""

    async def start(self, deliverer: Deliverer) -> None:
        """Find out what is ours, and keep `deliverer` informed."""

    async def stop(self) -> None:
        """Give everything back."""

    def hurry(self) -> None:
        """Look at once whether something has changed."""


class Alone:
    """The only node: everything is ours."""

    tokens: Final = None

    def holds(self) -> bool:
        """Return True."""
        return True

    async def start(self, deliverer: Deliverer) -> None:
        """Own everything."""
        deliverer.own(EVERYTHING)

    async def stop(self) -> None:
        """Do nothing."""

    def hurry(self) -> None:
        """Do nothing."""


class Leased:
    """One of several equal nodes."""

    def __init__(
        self, *, store: Store, clock: Clock, node: str, uptime: Callable[[], float]
    ) -> None:
        """Hold leases in the name of `node`; `uptime` gives seconds that never jump."""
        self._store, self._clock, self._node, self._uptime = store, clock, node, uptime
        self._tokens: dict[int, int] = {}
        self._until = 0.0
        self._leaving: frozenset[int] = frozenset()
        self._hurry = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def tokens(self) -> Mapping[int, int]:
        """Return the token of each partition."""
        return self._tokens

    def holds(self) -> bool:
        """Return whether the leases last."""
        return self._uptime() < self._until

    def hurry(self) -> None:
        """Renew now."""
        self._hurry.set()

    async def start(self, deliverer: Deliverer) -> None:
        """Take the first leases, then renew them for ever."""
        await self._store.write(leases.prepare)
        await self._renew(deliverer)
        self._tasks = [asyncio.create_task(self._renew_forever(deliverer), name="leases")]

    async def stop(self) -> None:
        """Leave, so that the others need not wait for the leases to run out."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._store.write(leases.leave, self._node)
        except StoreUnavailable as error:
            log.warning("leases_not_given_back", reason=str(error))

    async def _renew_forever(self, deliverer: Deliverer) -> None:
        while True:
            pause = asyncio.create_task(self._clock.sleep(RENEWED_EVERY))
            hurry = asyncio.create_task(self._hurry.wait())
            try:
                await asyncio.wait((pause, hurry), return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
                hurry.cancel()
            self._hurry.clear()
            await self._renew(deliverer)

    async def _renew(self, deliverer: Deliverer) -> None:
        begun = self._uptime()
        try:
            standing = await self._store.write(leases.renew, self._node, seconds=LEASE_SECONDS)
        except StoreUnavailable as error:
            log.warning("leases_not_renewed", reason=str(error))
            if not self.holds():
                self._hold({}, deliverer)
            return
        self._until = begun + LEASE_SECONDS
        tokens = {
            number: token
            for number, token in standing.tokens.items()
            if number not in self._leaving
        }
        surplus = frozenset(sorted(tokens)[standing.fair :])
        self._hold({n: token for n, token in tokens.items() if n not in surplus}, deliverer)
        if surplus:
            self._leaving |= surplus
            leaving = asyncio.create_task(self._give_back(surplus, deliverer), name="leases-back")
            self._tasks.append(leaving)
            leaving.add_done_callback(self._tasks.remove)

    def _hold(self, tokens: dict[int, int], deliverer: Deliverer) -> None:
        before, self._tokens = self._tokens, tokens
        if before == tokens:
            return
        # A partition with another token was somebody else's meanwhile: what is known of it is worth nothing.
        same = frozenset(n for n, token in tokens.items() if before.get(n) == token)
        deliverer.own(same)
        deliverer.own(frozenset(tokens))
        log.info("partitions_owned", count=len(tokens), node=self._node)

    async def _give_back(self, surplus: frozenset[int], deliverer: Deliverer) -> None:
        """Let go of partitions that another node has a right to, after everything begun of them has ended."""
        await deliverer.settled(surplus)
        try:
            await self._store.write(leases.release, self._node, surplus)
        except StoreUnavailable as error:
            log.warning("leases_not_given_back", reason=str(error))
        self._leaving -= surplus
