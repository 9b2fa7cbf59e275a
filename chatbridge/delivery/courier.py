"""Delivers what is pending: loads it, sends what may go, records what became of it.

Crash safety: an entry leaves `pending` only after the far side took it. A crash in between repeats the attempt with the
same id, so at most what was under way, and not yet recorded, is sent twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from chatbridge.clock import Clock
from chatbridge.delivery.circuit import Failure
from chatbridge.delivery.lanes import Lanes, Turn
from chatbridge.delivery.loader import Loader, Window
from chatbridge.delivery.ownership import Alone, Ownership
from chatbridge.delivery.recorder import Recorder
from chatbridge.delivery.retry import SECOND, GiveUp, decide, give_up, schedule_of
from chatbridge.delivery.sweep import Sweep
from chatbridge.errors import (
    DeliveryError,
    Disposition,
    Duplicate,
    InternalFailure,
    Throttled,
)
from chatbridge.model import Direction, FailureReason
from chatbridge.store.engine import Store
from chatbridge.store.entries import Draft, Entry, Outcome, OutcomeKind
from chatbridge.store.partitions import partition_of

log = structlog.get_logger()

_TOLD: Final = 100_000
_SETTLING: Final = 0.05
"""Seconds between looks at what is under way of partitions that are given back."""
_PAUSE: Final = 1.0
"""Seconds before the database is asked again after it failed."""


class Receipt(Struct, frozen=True, kw_only=True, gc=False):
    """What the far side said when it took an entry."""

    far_id: str | None = None
    names: tuple[str, ...] = ()
    """See `Outcome.names`."""
    far_conversation_id: str | None = None
    detail: str | None = None
    waiting: bool = False
    """It is kept for the far side, which has not fetched it yet."""


class Watcher(Protocol):
    """Somebody who counts outcomes."""

    def attempted(
        self, direction: Direction, outcome: str, code: str | None, seconds: float
    ) -> None:
        """Take note of the end of an attempt, `seconds` after acceptance."""


Sender = Callable[[Entry, Callable[[], bool]], Awaitable[Receipt]]
"""Delivers one entry, or raises DeliveryError. It asks right before anything leaves whether that is still allowed."""

FollowUp = Callable[[Outcome, str | None], Draft | None]
"""Tells what is to be accepted together with the record of an entry's end; beside that it gets the far side's id of the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be under way and in memory."""

    window: Window
    """What is beyond stays in the database."""
    at_once: int
    """Attempts under way at the same time."""
    at_once_each: int
    """The same for one destination."""


class Courier:
    """The engine. `start` it, `offer` what was accepted, `stop` it."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        senders: dict[Direction, Sender],
        watcher: Watcher,
        jitter: Callable[[], float],
        limits: Limits,
        ownership: Ownership | None = None,
        follow_up: FollowUp | None = None,
    ) -> None:
        """Deliver with one sender for each direction.

        Args:
            store: where pending entries are.
            clock: tells the time.
            senders: how to deliver, by direction.
            watcher: told of each attempt.
            jitter: draws a number from -1 to 1.
            limits: see there.
            ownership: what of it is ours; everything, if not given.
            follow_up: see there; nothing, if not given.

        """
        self._store, self._clock, self._senders = store, clock, senders
        self._watcher, self._jitter = watcher, jitter
        self._ownership = Alone() if ownership is None else ownership
        self._follow_up = follow_up or _nothing
        self._lanes = Lanes(at_once=limits.at_once, at_once_each=limits.at_once_each)
        self._wake = asyncio.Event()
        self._recorder = Recorder(
            store=store,
            clock=clock,
            ownership=self._ownership,
            caught_up=self._wake.set,
            queued=self.look_up,
        )
        self._loader = Loader(
            store=store,
            clock=clock,
            lanes=self._lanes,
            window=limits.window,
            filled=self._wake.set,
            recorded=self._recorder.recorded,
        )
        self._sweep = Sweep(store=store, clock=clock, loader=self._loader)
        self._under_way: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0
        self._stopping = False
        self._told: set[int] = set()
        """Conversations whose far side's id was handed over to be recorded."""

    def tell(self, listener: Callable[[Sequence[Outcome]], None]) -> None:
        """Tell somebody, from now on, of the ends of attempts once they are recorded."""
        self._recorder.tell(listener)

    async def start(self) -> None:
        """Begin to load and deliver."""
        self._loop = asyncio.get_running_loop()
        await self._ownership.start(self)
        self._tasks = [
            asyncio.create_task(self._loader.read(), name="courier-reader"),
            asyncio.create_task(self._loader.refill(), name="courier-refiller"),
            asyncio.create_task(self._send_forever(), name="courier-sender"),
        ]
        if self._store.shared:
            self._tasks.append(asyncio.create_task(self._sweep.run(), name="courier-sweeper"))

    async def stop(self, *, grace: float) -> None:
        """Begin nothing new, let what is under way end within `grace` seconds, record it."""
        self._stopping = True
        ending = [*self._tasks, *filter(None, (self._alarm,))]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=grace)
        for attempt in list(self._under_way):
            attempt.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if not await self._recorder.drained(grace):
            log.error("outcomes_lost", reason="the database did not come back in time")
        await self._ownership.stop()

    @property
    def alive(self) -> bool:
        """Return whether the engine is running; a task of it that ended is a bug."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    @property
    def in_memory(self) -> int:
        """Return how many entries wait in memory."""
        return len(self._lanes)

    @property
    def partitions(self) -> frozenset[int]:
        """Return the partitions that are delivered here."""
        return self._loader.mine

    def own(self, partitions: frozenset[int]) -> None:
        """Deliver these partitions from now on, and no others."""
        self._loader.own(partitions)

    async def settled(self, partitions: frozenset[int]) -> None:
        """Return when nothing of these partitions is under way or still to be recorded."""
        while self._lanes.under_way(lambda lane: partition_of(lane) in partitions):
            await self._clock.sleep(_SETTLING)
        await self._recorder.recorded()

    def offer(self, entries: Iterable[Entry]) -> list[int]:
        """Take in entries that were just accepted, in the order of their ids; return lanes that another node delivers."""
        return self._loader.offer(entries)

    def read_again(self) -> None:
        """Read everything again that is ours: news of other nodes may have been missed."""
        self._loader.read_again()

    def look_up(self, lanes: Iterable[int], *, again: bool = False) -> None:
        """Take note that the database has something new of these lanes; `again`: it goes before what is known."""
        self._loader.look_up(lanes, again=again)

    async def _send_forever(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock.now()
            self._lanes.wake(now)
            while (turn := self._next(now)) is not None:
                self._begin(turn)
            self._loader.stir()
            self._set_alarm()
            await self._wake.wait()

    def _set_alarm(self) -> None:
        """See to it that what sleeps is woken."""
        due = self._lanes.next_due()
        if due is None or (self._alarm is not None and self._alarm_at <= due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = asyncio.create_task(
            self._ring((due - self._clock.now()) / 1_000_000), name="courier-alarm"
        )

    async def _ring(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._alarm = None
        self._wake.set()

    def _next(self, now: int) -> Turn | None:
        """Return what may be attempted now, if recording keeps up."""
        return None if self._recorder.is_behind else self._lanes.take(now)

    def _begin(self, turn: Turn) -> None:
        # It takes itself out at its end: a callback would be another round of the event loop for each.
        self._under_way.add(self._loop.create_task(self._work(turn)))

    async def _work(self, turn: Turn | None) -> None:
        """Deliver one entry after another as long as there is one to go."""
        try:
            while turn is not None:
                await self._deliver(turn)
                turn = None if self._stopping else self._next(self._clock.now())
                self._loader.stir()  # there is room, and what waited for it may have been asked for
            self._set_alarm()
        except Exception:
            log.exception("delivery_task_failed")
            self._wake.set()
        finally:
            if (attempt := asyncio.current_task(self._loop)) is not None:
                self._under_way.discard(attempt)

    async def _deliver(self, turn: Turn) -> None:
        """Make one attempt, let the lane go on, have the outcome recorded."""
        entry = turn.entry
        outcome = await self._attempt(entry) if turn.instead is None else self._given_up(turn)
        if outcome.kind is not OutcomeKind.DELIVERED and not self._ownership.holds():
            # Whoever has it now decides about it. What the far side took is a fact, and is recorded in any case.
            self._lanes.postpone(entry, self._clock.now() + int(_PAUSE * SECOND))
            self._set_alarm()
            return
        seconds = (outcome.answered_at - entry.received_at) / 1_000_000
        self._watcher.attempted(entry.direction, outcome.kind, outcome.code, seconds)
        if outcome.code is not None:
            log.info("attempt_failed", entry_id=entry.id, outcome=outcome.kind, code=outcome.code)
        if outcome.due_at is not None:
            self._lanes.postpone(entry, outcome.due_at)
            self._set_alarm()
        else:
            self._lanes.finish(entry, outcome.answered_at)
        self._recorder.put(outcome)

    async def _attempt(self, entry: Entry) -> Outcome:
        begun = self._clock.now()
        try:
            receipt = await self._senders[entry.direction](entry, self._ownership.holds)
        except Duplicate as error:
            return self._delivered(entry, begun, Receipt(detail=str(error)))
        except DeliveryError as error:
            outcome = self._failed(entry, begun, error)
            self._learn(entry, error, outcome)
            return outcome
        except Exception:
            log.exception("delivery_fault", entry_id=entry.id)
            fault = InternalFailure("a fault of this server; see its log")
            return self._failed(entry, begun, fault)
        return self._delivered(entry, begun, receipt)

    def _learn(self, entry: Entry, error: DeliveryError, outcome: Outcome) -> None:
        """Tell the circuit of the destination what the failure says about it."""
        if error.disposition is Disposition.REJECT:
            self._lanes.answered(entry)
            return
        now = outcome.answered_at
        asked = isinstance(error, Throttled) and outcome.due_at is not None
        wait = ((outcome.due_at or now) - now) / 1_000_000 if asked else None
        self._lanes.failed(entry, Failure(lane=entry.lane, error=error, now=now, wait=wait))

    def _given_up(self, turn: Turn) -> Outcome:
        """Return the end of an entry that waited for its destination until it was too old."""
        now = self._clock.now()
        error = turn.instead or InternalFailure("its time was over")
        decision = give_up(schedule_of(turn.entry), error)
        return self._followed(
            Outcome(
                entry=turn.entry,
                kind=OutcomeKind.PARKED,
                signed_at=now,
                answered_at=now,
                code=decision.code,
                detail=decision.detail,
            )
        )

    def _delivered(self, entry: Entry, begun: int, receipt: Receipt) -> Outcome:
        self._lanes.answered(entry)
        outcome = Outcome(
            entry=entry,
            kind=OutcomeKind.DELIVERED,
            signed_at=begun,
            answered_at=self._clock.now(),
            far_id=receipt.far_id,
            names=receipt.names,
            far_conversation_id=self._news(entry, receipt.far_conversation_id),
            detail=receipt.detail,
            waiting=receipt.waiting,
        )
        return self._followed(outcome, receipt.far_conversation_id)

    def _followed(self, outcome: Outcome, far_conversation_id: str | None = None) -> Outcome:
        """Return the end of an entry with what follows from it."""
        follow_up = self._follow_up(outcome, far_conversation_id)
        return outcome if follow_up is None else replace(outcome, follow_up=follow_up)

    def _news(self, entry: Entry, far_id: str | None) -> str | None:
        """Return the far side's id of a conversation if it is not recorded yet."""
        known = entry.amojo_id if entry.direction is Direction.TO_AMOJO else entry.external_id
        if far_id is None or known is not None or entry.conversation_id in self._told:
            return None
        if len(self._told) >= _TOLD:
            self._told.clear()
        self._told.add(entry.conversation_id)
        return far_id

    def _failed(self, entry: Entry, begun: int, error: DeliveryError) -> Outcome:
        now = self._clock.now()
        schedule = schedule_of(entry)
        decision = decide(
            schedule,
            error,
            since=entry.since,
            now=now,
            made=entry.attempts,
            jitter=self._jitter(),
        )
        failed = Outcome(
            entry=entry,
            kind=OutcomeKind.PARKED,
            signed_at=begun,
            answered_at=now,
            code=error.code,
            detail=str(error),
            reason=None if error.reason is None else FailureReason(error.reason),
            words=error.words,
        )
        if isinstance(decision, GiveUp):
            return self._followed(replace(failed, detail=decision.detail))
        return replace(failed, kind=OutcomeKind.RETRY, due_at=decision.due_at)


def _nothing(_: Outcome, __: str | None) -> None:
    """Let nothing follow."""
