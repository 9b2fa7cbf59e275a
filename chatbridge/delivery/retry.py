"""What the failure of an attempt means: try again at a time, or give up with a reason. Pure."""

from dataclasses import dataclass
from typing import Final

from chatbridge.errors import DeliveryError, Disposition
from chatbridge.model import Direction, Kind
from chatbridge.store.entries import Entry

SECOND: Final = 1_000_000
_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When to try again, in seconds after the schedule began.

    A schedule is about age: so it reads the same after a restart, and a slow far side does not stretch it. Attempts
    count where there were few: what waited for an hour until it was tried is not tried an hour later for the second time.
    """

    steps: tuple[float, ...]
    """Waits between attempts; the last one repeats."""
    give_up_after: float
    """Age at which an entry is given up. It is tried once in any case."""
    patient: bool
    """Whether a far side's Retry-After is obeyed in full. If not, it may double a wait at most."""

    def wait(self, age: float, made: int) -> float:
        """Return the wait that follows an attempt at this age, when so many were made before it."""
        reached = 0.0
        for step in self.steps[: made + 1]:
            reached += step
            if age < reached:
                return step
        return self.steps[min(made, len(self.steps) - 1)]


OPERATOR_REPLY: Final = Schedule(
    steps=(1, 3, 8, 20, 45, 90, 180, 300),
    give_up_after=15 * _MINUTE,
    patient=False,
)
"""Somebody waits for it: quick, then an honest failure. A reply delivered the next morning is worse than none."""

CLIENT_MESSAGE: Final = Schedule(
    steps=(
        2,
        5,
        15,
        30,
        _MINUTE,
        2 * _MINUTE,
        5 * _MINUTE,
        10 * _MINUTE,
        15 * _MINUTE,
        30 * _MINUTE,
        _HOUR,
    ),
    give_up_after=72 * _HOUR,
    patient=True,
)
"""Nobody watches for a mark, and losing a client is worse than being late."""

AFTERTHOUGHT: Final = Schedule(steps=CLIENT_MESSAGE.steps, give_up_after=6 * _HOUR, patient=True)
"""An edit, a reaction or a mark: the next day it says little, and what follows it in its lane is worth more."""

_SCHEDULES: Final = {
    Direction.TO_MESSENGER: OPERATOR_REPLY,
    Direction.TO_AMOJO: CLIENT_MESSAGE,
}


def schedule_of(entry: Entry) -> Schedule:
    """Return the schedule of an entry."""
    if entry.direction is Direction.TO_AMOJO and entry.kind != Kind.MESSAGE:
        return AFTERTHOUGHT
    return _SCHEDULES[entry.direction]


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at this time (microseconds)."""

    due_at: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Park it. The code and sentence of the failure are its reason."""

    code: str
    detail: str


def expires_at(entry: Entry) -> int:
    """Return when an entry is given up, microseconds."""
    return entry.since + int(schedule_of(entry).give_up_after * SECOND)


JITTER: Final = 0.2
"""Waits are stretched or shortened by up to a fifth, so that what failed together does not return together."""


def decide(
    schedule: Schedule, error: DeliveryError, *, since: int, now: int, made: int, jitter: float
) -> Retry | GiveUp:
    """Return what to do after a failed attempt.

    Args:
        schedule: the schedule of the entry.
        error: what went wrong.
        since: when the schedule began, microseconds.
        now: the present, microseconds.
        made: attempts before this one.
        jitter: a number drawn from -1 to 1.

    """
    if error.disposition is Disposition.REJECT:
        return GiveUp(code=error.code, detail=str(error))
    limit = since + int(schedule.give_up_after * SECOND)
    if now >= limit:
        return give_up(schedule, error)
    wait = schedule.wait(max(0.0, (now - since) / SECOND), made) * (1 + JITTER * jitter)
    if error.retry_after is not None:
        asked = error.retry_after if schedule.patient else min(error.retry_after, 2 * wait)
        wait = max(wait, asked)
    return Retry(due_at=min(now + int(wait * SECOND), limit))


def give_up(schedule: Schedule, error: DeliveryError) -> GiveUp:
    """Return the end of an entry that is too old; the error says what was wrong with the far side."""
    spoken = _spoken(schedule.give_up_after)
    return GiveUp(code=error.code, detail=f"given up after {spoken}: {error}")


def _spoken(seconds: float) -> str:
    return f"{seconds / _HOUR:g} hours" if seconds > _HOUR else f"{seconds / _MINUTE:g} minutes"
