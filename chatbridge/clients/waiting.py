"""What a node knows of one account: the slots it has, who waits for one, and when to ask the database again.

No clock and no database: `clients.turns` has both. Times are microseconds of the node's steady clock, but for slots and
notices, which are by the database's.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chatbridge.clients.allowance import SECOND, Ask, Grant, Notice, Rate, Refusal
from chatbridge.errors import Throttled

if TYPE_CHECKING:
    import asyncio

BATCH: Final = 7
"""Slots asked for at once, at most: those of a second of a common limit."""

FRESH: Final = SECOND
"""How long an answer of the database is believed to be the last word."""

LOOK_AGAIN: Final = 5 * SECOND
"""How often those who wait for a closed account look whether it was opened."""

PROBING: Final = SECOND
"""How long the others wait for what a probe brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A moment at which one call may be made."""

    at: int
    closed_until: int
    """See `Notice`."""
    probe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the database answered: it was true some time between the asking and the coming."""

    asked: int
    came: int
    notice: Notice

    def surely(self, moment: int) -> int:
        """Return when a moment of the database's clock has come at the latest."""
        return self.came + moment - self.notice.now

    def perhaps(self, moment: int) -> int:
        """Return when a moment of the database's clock has come at the earliest."""
        return self.asked + moment - self.notice.now


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """Somebody who waits."""

    deadline: int
    slot: "asyncio.Future[Slot]"


class WaitingRoom:
    """The callers and slots of one account on this node."""

    def __init__(self, key: str, rate: Rate) -> None:
        """Begin without any knowledge."""
        self.key, self._rate = key, rate
        self.callers: deque[Caller] = deque()
        self.heard: Heard | None = None
        self.next_ask = 0
        """When to ask the database again. Until then `earliest` is believed."""
        self.closings = 0
        """How many are being written: meanwhile nothing is valid."""
        self._stock: deque[Slot] = deque()
        """Slots that nobody has yet."""
        self._free_at = 0
        """No slot that this node does not have yet is before this."""
        self._size = self._used = 0
        """Of the last batch: its slots, and those that somebody took."""
        self._lead = 0

    def is_fresh(self, now: int) -> bool:
        """Return whether the last answer is recent, and was quick enough to tell the time by."""
        heard = self.heard
        return (
            heard is not None
            and now - heard.came <= FRESH
            and heard.came - heard.asked <= self._rate.interval // 2
        )

    def is_valid(self, closed_until: int) -> bool:
        """Return whether the account was neither closed nor opened since, as far as this node knows."""
        heard = self.heard
        return not self.closings and heard is not None and heard.notice.closed_until == closed_until

    def lapses(self, heard: Heard, slot: Slot) -> int:
        """Return when a slot is perhaps an interval old: then it may not be used any more."""
        return heard.perhaps(slot.at) + self._rate.interval

    def take(self, now: int, deadline: int) -> Slot | None:
        """Return a slot that is left over, None if the caller has to wait for one.

        Raises:
            Throttled: it cannot come in time.

        """
        left = None if self.callers else self._left_over(now)
        earliest = self._earliest(len(self.callers), now) if left is None else left
        believed = left is not None or now < self.next_ask
        if now > deadline or (believed and earliest > deadline):
            raise self._refusal(earliest - now)
        if left is None:
            return None
        self._used += 1
        return self._stock.popleft()

    def ask(self, now: int) -> Ask | None:
        """Return what to ask the database for, None if nobody waits.

        More than those who wait can use now is asked for only while all of it gets used.
        """
        self.callers = deque(caller for caller in self.callers if not caller.slot.done())
        if not self.callers:
            return None
        guess = 2 * self._used if self._used == self._size else self._used
        if now - self.next_ask > FRESH:
            guess = 1
        return Ask(
            count=min(BATCH, max(len(self.callers), guess)),
            patience=max(caller.deadline for caller in self.callers) - now,
            lead=self._lead,
        )

    def take_in(self, heard: Heard) -> None:
        """Give slots to those who wait, and refuse those for whom none can come in time."""
        self.heard = heard
        self._lead = min(heard.came - heard.asked, SECOND)
        self._stock.clear()
        if isinstance(heard.notice, Grant):
            self._take_slots(heard, heard.notice)
        else:
            notice = heard.notice
            until = notice.until if isinstance(notice, Refusal) else notice.closed_until
            self._free_at = max(heard.surely(until), heard.came)
            self.next_ask = min(self._free_at, heard.came + LOOK_AGAIN)
        callers, self.callers = self.callers, deque()
        for caller in callers:
            self._serve(caller, heard.came)

    def fail(self, error: Exception) -> None:
        """Let everybody who waits know that the database cannot be asked."""
        for caller in self.callers:
            if not caller.slot.done():
                caller.slot.set_exception(error)

    def leave(self) -> None:
        """Let nobody wait any more."""
        for caller in self.callers:
            caller.slot.cancel()
        self.callers.clear()

    def _take_slots(self, heard: Heard, grant: Grant) -> None:
        self._stock.extend(
            Slot(at=at, closed_until=grant.closed_until, probe=grant.probe) for at in grant.slots
        )
        self._size, self._used = len(grant.slots), 0
        self.next_ask = heard.surely(grant.slots[-1]) + (PROBING if grant.probe else 0)
        self._free_at = self.next_ask + self._rate.interval - self._rate.slack

    def _serve(self, caller: Caller, now: int) -> None:
        """Give this caller the next slot, refuse it, or let it wait behind those who wait already."""
        if caller.slot.done():
            return
        left = self._left_over(now)
        earliest = self._earliest(len(self.callers), now) if left is None else left
        if earliest > caller.deadline:
            caller.slot.set_exception(self._refusal(earliest - now))
        elif left is None:
            self.callers.append(caller)
        else:
            self._used += 1
            caller.slot.set_result(self._stock.popleft())

    def _left_over(self, now: int) -> int | None:
        """Throw away slots that may not be used any more; return when the first of the others comes, None if there is none."""
        heard = self.heard
        while heard is not None and self._stock:
            slot = self._stock[0]
            if self.is_valid(slot.closed_until) and self.lapses(heard, slot) > now:
                return heard.surely(slot.at)
            self._stock.popleft()
        return None

    def _earliest(self, place: int, now: int) -> int:
        """Return a time before which a caller at this place among those who wait gets no slot."""
        behind = max(0, place * self._rate.interval - self._rate.slack)
        return max(self._free_at, now) + behind

    def _refusal(self, wait: int) -> Throttled:
        seconds = max(wait, 0) / SECOND
        return Throttled(f"{self.key} may not be called for {seconds:.1f} s", retry_after=seconds)
