"""How often a far side may be called for one account, and when not at all. Pure.

The client of the CRM's API that needs this comes in a later part of the work: nothing in this release calls it yet.

The rate is kept by GCRA, the generic cell rate algorithm: one time says all, when the next call would come if all calls came
evenly spaced. Calls get *slots*, moments at which they may be made. A far side that asks to wait closes the account, and one
that bans its callers opens it again only after a single call, the probe, went well. `clients.turns` keeps to all of it, on
every node.
"""

import math
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, Self

from chatbridge.errors import Throttled
from chatbridge.store.allowances import AllowanceRow

SECOND: Final = 1_000_000

PROBE_EVERY: Final = 60 * SECOND
"""Microseconds between two probes of a far side that bans us."""

PAUSE_UNSAID: Final = 5 * SECOND
"""The pause after "too many requests" without a time: the first step of a schedule of CRM writes."""

LONGEST_PAUSE: Final = 24 * 3600 * SECOND
"""A far side that asks for more is asked again after a day: the number may be a mistake."""

LONGEST_PATIENCE: Final = 600 * SECOND
"""Slots are never given out further ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A limit: calls evenly spaced, with a small burst after a rest."""

    interval: int
    """Microseconds between calls."""
    burst: int = 1
    """Calls that may be made at once after a rest; 1 for none."""

    @classmethod
    def of(cls, calls: int, *, seconds: float = 1.0, burst: int = 1) -> Self:
        """Return the limit of so many calls in so many seconds."""
        return cls(interval=math.ceil(seconds * SECOND / calls), burst=burst)

    @property
    def slack(self) -> int:
        """Return GCRA's tolerance: how much earlier than evenly spaced a call may come, microseconds."""
        return (self.burst - 1) * self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of an allowance; times in microseconds."""

    count: int = 1
    """Slots wanted at most."""
    patience: int
    """No slot that is further ahead is of any use."""
    lead: int = 0
    """No slot that is nearer can be used: so long the answer takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a row said at a moment."""

    now: int
    closed_until: int
    """Once it is another one, the account was closed or opened since, and slots given out before are void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Notice):
    """Leave to make one call at each slot, or soon after."""

    slots: tuple[int, ...]
    probe: bool
    """Whether the one call tells if the account can be opened again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Notice):
    """No leave."""

    until: int
    """Before this, asking again is of little use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What a far side that was called too often wants."""

    pause: int
    """Microseconds."""
    banned: bool

    @classmethod
    def of(cls, error: Throttled) -> Self:
        """Return what the refusal means: status 403 is the page that banned callers get."""
        banned = error.status == HTTPStatus.FORBIDDEN
        asked = None if error.retry_after is None else int(error.retry_after * SECOND)
        least = PROBE_EVERY if banned else 0
        pause = max(least, PAUSE_UNSAID if asked is None else asked)
        return cls(pause=min(pause, LONGEST_PAUSE), banned=banned)


def space(next_at: int, earliest: int, rate: Rate) -> tuple[int, int]:
    """Return the first slot that is not before `earliest`, and the theoretical arrival time after it: GCRA.

    Guarantees: of slots given out one after the other, however `earliest` jumps, at most
    (length + slack) / interval + 1 are in any stretch of time.
    """
    return max(earliest, next_at - rate.slack), max(earliest, next_at) + rate.interval


def reserve(
    row: AllowanceRow, now: int, *, ask: Ask, rate: Rate
) -> tuple[AllowanceRow, Grant | Refusal]:
    """Return the slots that are there for this ask, at least one, or a refusal; and the row after it."""
    if now < _closed_until(row, now):
        return row, Refusal(now=now, until=row.closed_until, closed_until=row.closed_until)
    patience = max(min(ask.patience, LONGEST_PATIENCE), ask.lead)
    furthest = now + LONGEST_PATIENCE + rate.slack + rate.interval
    # What is beyond was written before a clock was set back.
    next_at = row.next_at if row.next_at <= furthest else now
    slots: list[int] = []
    slot, following = space(next_at, now + ask.lead, rate)
    while slot <= now + patience and len(slots) < (1 if row.banned else ask.count):
        slots.append(slot)
        next_at = following
        slot, following = space(next_at, now + ask.lead, rate)
    if not slots:
        return row, Refusal(now=now, until=slot, closed_until=row.closed_until)
    # A slot may be used up to an interval late; the next probe still comes a minute after this one.
    until = slots[0] + rate.interval + PROBE_EVERY if row.banned else row.closed_until
    return replace(row, next_at=next_at, closed_until=until), Grant(
        now=now, slots=tuple(slots), closed_until=until, probe=row.banned
    )


def _closed_until(row: AllowanceRow, now: int) -> int:
    """Return how long the account is closed: until now if it was written before a clock was set back by days."""
    return row.closed_until if row.closed_until <= now + 2 * LONGEST_PAUSE else now


def close(row: AllowanceRow, now: int, *, closing: Closing) -> tuple[AllowanceRow, Notice]:
    """Close the account for everybody. A ban stays one whatever comes after it."""
    until = max(_closed_until(row, now), now + closing.pause)
    row = replace(row, closed_until=until, banned=row.banned or closing.banned)
    return row, Notice(now=now, closed_until=until)


def reopen(row: AllowanceRow, now: int, *, closed_until: int) -> tuple[AllowanceRow, Notice]:
    """Open the account after a probe went well, unless it was closed again since that was granted."""
    if row.banned and row.closed_until == closed_until:
        row = replace(row, closed_until=now, banned=False)
    return row, Notice(now=now, closed_until=row.closed_until)
