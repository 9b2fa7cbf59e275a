"""Turns to call a far side, shared fairly by all nodes that use one database. What is allowed is decided in `allowance`.

A node asks the database for a few slots at once, and for the next ones only when it comes to the last of them: so the nodes
take turns by batches, none can take all, and a busy account costs about two short questions a second however many call.

Slots are moments by the database's clock. Each answer of the database was true between the moment it was asked and the moment
it was heard, by a clock of the node that nobody sets; so a node knows without comparing clocks when a slot surely has come and
surely is not older than one interval. Outside of that, or when nothing was heard from the database for a second, a slot is
not used. Therefore a second never sees more than its calls and the burst, and a closed account is known to every node within
a second.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from chatbridge.clients.allowance import SECOND, Closing, Notice, Rate, close, reopen, reserve
from chatbridge.clients.waiting import Caller, Heard, Slot, WaitingRoom
from chatbridge.clock import Clock
from chatbridge.errors import Throttled
from chatbridge.store import allowances
from chatbridge.store.allowances import AllowanceRow
from chatbridge.store.engine import Store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Leave to make one call now."""

    key: str
    until: int
    """The call must begin before this, by the steady clock."""
    closed_until: int
    probe: bool


class Turns:
    """Gives turns to all callers of this node. One object for each database and limit."""

    def __init__(self, store: Store, *, rate: Rate, clock: Clock, steady: Clock) -> None:
        """Share `rate`, for each key, with all who use the same database.

        Args:
            store: the database.
            rate: the limit.
            clock: tells the time where the database has no clock of its own (SQLite).
            steady: tells how long things take; a clock that nobody can set, as `SystemClock` is.

        """
        self._store, self._rate = store, rate
        self._clock, self._steady = clock, steady
        self._accounts: dict[str, _Account] = {}

    async def take(self, key: str, *, patience: float) -> Turn:
        """Wait for a turn and return when it has come. The call has to be made at once.

        Args:
            key: whose limit it is, up to 255 characters.
            patience: seconds the caller is willing to wait; a wait of one interval is never too long.

        Raises:
            Throttled: it would be longer; `retry_after` says how long at least. It is raised as soon as that is known.
            StoreUnavailable: the database cannot be asked.

        """
        account = self._account(key)
        deadline = self._steady.now() + max(int(patience * SECOND), self._rate.interval)
        while True:
            slot = account.room.take(self._steady.now(), deadline)
            if slot is None:
                slot = await self._wait(account, deadline)
            turn = await self._come_to(account, slot, deadline)
            if turn is not None:
                return turn

    def holds(self, turn: Turn) -> bool:
        """Return whether a turn may still be used: for `allowed` of a transport, where connecting takes its time."""
        room = self._account(turn.key).room
        return self._steady.now() <= turn.until and room.is_valid(turn.closed_until)

    async def answered(self, turn: Turn) -> None:
        """Take note that the far side did its work. If the call was a probe, the account is opened for everybody.

        Raises:
            StoreUnavailable: the database did not take it. The account opens with a later probe.

        """
        if turn.probe:
            unit = partial(reopen, closed_until=turn.closed_until)
            await self._change(self._account(turn.key), unit)

    async def refused(self, turn: Turn, error: Throttled) -> None:
        """Take note that the far side asks to wait, or bans: the account is closed, here at once, elsewhere in a second.

        Raises:
            StoreUnavailable: the database did not take it. The next call will meet the same refusal.

        """
        closing = Closing.of(error)
        account = self._account(turn.key)
        seconds = closing.pause / SECOND
        log.warning("account_closed", key=turn.key, seconds=seconds, banned=closing.banned)
        account.room.closings += 1
        try:
            await self._change(account, partial(close, closing=closing))
        finally:
            account.room.closings -= 1

    async def stop(self) -> None:
        """Let nobody wait any more: whoever does is cancelled."""
        tasks = [account.asking for account in self._accounts.values() if account.asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for account in self._accounts.values():
            account.room.leave()  # a task that had not begun did not do it

    def _account(self, key: str) -> "_Account":
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = _Account(WaitingRoom(key, self._rate))
        return account

    async def _wait(self, account: "_Account", deadline: int) -> Slot:
        caller = Caller(deadline, asyncio.get_running_loop().create_future())
        account.room.callers.append(caller)
        if account.asking is None:
            account.asking = asyncio.create_task(self._ask(account), name="allowance")
        return await caller.slot

    async def _come_to(self, account: "_Account", slot: Slot, deadline: int) -> Turn | None:
        """Wait for a slot; return None if it came to nothing."""
        room = account.room
        while True:
            await self._look(account)
            heard, now = room.heard, self._steady.now()
            if heard is None or not room.is_valid(slot.closed_until):
                return None
            start, until = heard.surely(slot.at), room.lapses(heard, slot)
            if now > until or start > deadline + self._rate.interval:
                return None
            if now >= start:
                return Turn(
                    key=room.key, until=until, closed_until=slot.closed_until, probe=slot.probe
                )
            await self._steady.sleep((start - now) / SECOND)

    async def _ask(self, account: "_Account") -> None:
        """Ask for slots as long as somebody waits."""
        room = account.room
        try:
            while room.callers:
                await self._steady.sleep((room.next_ask - self._steady.now()) / SECOND)
                ask = room.ask(self._steady.now())
                if ask is not None:
                    await self._change(account, partial(reserve, ask=ask, rate=self._rate))
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            room.fail(error)
        finally:
            room.leave()
            account.asking = None

    async def _change(
        self,
        account: "_Account",
        decide: Callable[[AllowanceRow, int], tuple[AllowanceRow, Notice]],
    ) -> None:
        async with account.exchange:
            asked, now = self._steady.now(), self._clock.now()
            notice = await self._store.write(allowances.change, account.room.key, decide, now=now)
            heard = Heard(asked=asked, came=self._steady.now(), notice=notice)
            account.room.take_in(heard)

    async def _look(self, account: "_Account") -> None:
        """Ask whether the account was closed, and for the time, unless that is known well enough."""
        room = account.room
        if room.is_fresh(self._steady.now()):
            return
        async with account.exchange:
            if room.is_fresh(self._steady.now()):
                return
            asked, now = self._steady.now(), self._clock.now()
            row, present = await self._store.read(allowances.load, room.key, now=now)
            notice = Notice(now=present, closed_until=row.closed_until)
            room.heard = Heard(asked=asked, came=self._steady.now(), notice=notice)


class _Account:
    """The room of one account, and who asks the database on its behalf."""

    def __init__(self, room: WaitingRoom) -> None:
        self.room = room
        self.exchange = asyncio.Lock()
        """Answers of the database are taken in as they were given: one question at a time."""
        self.asking: asyncio.Task[None] | None = None
