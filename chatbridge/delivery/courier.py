"""Delivers what is pending: loads it, sends what may go, records what became of it.

Crash safety: an entry leaves `pending` only after the far side took it. A crash in between repeats the attempt with the
same id, so at most what was under way, and not yet recorded, is sent twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from chatbridge.clock import Clock
from chatbridge.delivery.batch import Batcher
from chatbridge.delivery.lanes import Lanes
from chatbridge.delivery.loader import Loader
from chatbridge.delivery.retry import SCHEDULES, GiveUp, decide
from chatbridge.errors import DeliveryError, Duplicate, InternalFailure, StoreUnavailable
from chatbridge.model import Direction
from chatbridge.store import pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import Entry, Outcome, OutcomeKind

log = structlog.get_logger()

_PAUSE: Final = 1.0
"""Seconds before the database is asked again after it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the far side said when it took an entry."""

    far_id: str | None = None
    far_conversation_id: str | None = None
    detail: str | None = None


class Watcher(Protocol):
    """Somebody who counts outcomes."""

    def attempted(
        self, direction: Direction, outcome: str, code: str | None, seconds: float
    ) -> None:
        """Take note of the end of an attempt, `seconds` after acceptance."""


Sender = Callable[[Entry], Awaitable[Receipt]]
"""Delivers one entry, or raises DeliveryError."""


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
        window: int,
        at_once: int,
    ) -> None:
        """Deliver with one sender for each direction.

        Args:
            store: where pending entries are.
            clock: tells the time.
            senders: how to deliver, by direction.
            watcher: told of each attempt.
            jitter: draws a number from -1 to 1.
            window: entries kept in memory; what is beyond stays in the database.
            at_once: attempts under way at the same time.

        """
        self._store, self._clock, self._senders = store, clock, senders
        self._watcher, self._jitter, self._at_once = watcher, jitter, at_once
        self._lanes = Lanes()
        self._wake = asyncio.Event()
        self._record = Batcher(self._write_outcomes, limit=512)
        self._loader = Loader(
            store=store,
            clock=clock,
            lanes=self._lanes,
            window=window,
            filled=self._wake.set,
            recorded=self._record.flushed,
        )
        self._under_way: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        """Begin to load and deliver."""
        self._tasks = [
            asyncio.create_task(self._loader.run(), name="courier-loader"),
            asyncio.create_task(self._send_forever(), name="courier-sender"),
        ]

    async def stop(self, *, grace: float) -> None:
        """Begin nothing new, let what is under way end within `grace` seconds, record it."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._loader.stop()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=grace)
        for attempt in list(self._under_way):
            attempt.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._record.drained()

    @property
    def alive(self) -> bool:
        """Return whether the engine is running; a task of it that ended is a bug."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    @property
    def in_memory(self) -> int:
        """Return how many entries wait in memory."""
        return len(self._lanes)

    def offer(self, entries: Iterable[Entry]) -> None:
        """Take in entries that were just accepted, in the order of their ids."""
        self._loader.offer(entries)

    def offer_again(self, entries: Iterable[Entry]) -> None:
        """Take in entries that were released."""
        self._loader.offer_again(entries)

    async def _send_forever(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock.now()
            for lane in self._lanes.wake(now):
                self._loader.refill(lane)
            while len(self._under_way) < self._at_once:
                entry = self._lanes.take(now)
                if entry is None:
                    break
                self._begin(entry)
            await self._something_to_do()

    async def _something_to_do(self) -> None:
        due = self._lanes.next_due()
        if due is None or len(self._under_way) >= self._at_once:
            await self._wake.wait()
            return
        alarm = asyncio.create_task(self._clock.sleep((due - self._clock.now()) / 1_000_000))
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait((alarm, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            woken.cancel()

    def _begin(self, entry: Entry) -> None:
        task = asyncio.create_task(self._deliver(entry), name=f"deliver-{entry.id}")
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("delivery_task_failed", exc_info=task.exception())
        self._wake.set()
        self._loader.has_room()

    async def _deliver(self, entry: Entry) -> None:
        """Make one attempt, let the lane go on, record the outcome."""
        outcome = await self._attempt(entry)
        seconds = (outcome.answered_at - entry.received_at) / 1_000_000
        self._watcher.attempted(entry.direction, outcome.kind, outcome.code, seconds)
        if outcome.code is not None:
            log.info("attempt_failed", entry_id=entry.id, outcome=outcome.kind, code=outcome.code)
        self._move_on(outcome)
        await self._write(outcome)

    def _move_on(self, outcome: Outcome) -> None:
        entry = outcome.entry
        if outcome.due_at is not None:
            self._lanes.postpone(entry, outcome.due_at)
        elif self._lanes.finish(entry) and not self._stopping:
            self._loader.refill(entry.lane)
        self._wake.set()

    async def _attempt(self, entry: Entry) -> Outcome:
        begun = self._clock.now()
        try:
            receipt = await self._senders[entry.direction](entry)
        except Duplicate as error:
            return self._delivered(entry, begun, Receipt(detail=str(error)))
        except DeliveryError as error:
            return self._failed(entry, begun, error)
        except Exception:
            log.exception("delivery_fault", entry_id=entry.id)
            fault = InternalFailure("a fault of this server; see its log")
            return self._failed(entry, begun, fault)
        return self._delivered(entry, begun, receipt)

    def _delivered(self, entry: Entry, begun: int, receipt: Receipt) -> Outcome:
        return Outcome(
            entry=entry,
            kind=OutcomeKind.DELIVERED,
            signed_at=begun,
            answered_at=self._clock.now(),
            far_id=receipt.far_id,
            far_conversation_id=receipt.far_conversation_id,
            detail=receipt.detail,
        )

    def _failed(self, entry: Entry, begun: int, error: DeliveryError) -> Outcome:
        now = self._clock.now()
        schedule = SCHEDULES[entry.direction]
        decision = decide(schedule, error, since=entry.since, now=now, jitter=self._jitter())
        failed = Outcome(
            entry=entry,
            kind=OutcomeKind.PARKED,
            signed_at=begun,
            answered_at=now,
            code=error.code,
            detail=str(error),
        )
        if isinstance(decision, GiveUp):
            return replace(failed, detail=decision.detail)
        return replace(failed, kind=OutcomeKind.RETRY, due_at=decision.due_at)

    async def _write(self, outcome: Outcome) -> None:
        try:
            await self._record(outcome)
        except StoreUnavailable:
            raise
        except Exception:
            # Something in the far side's words is nothing for the database. What happened is recorded without them.
            log.exception("outcome_words_not_recorded", entry_id=outcome.entry.id)
            await self._record(replace(outcome, detail=None, far_id=None, far_conversation_id=None))

    async def _write_outcomes(self, outcomes: list[Outcome]) -> Sequence[None]:
        while True:
            try:
                await self._store.write(pending.settle, outcomes, self._clock.now())
            except StoreUnavailable as error:
                # The far side has these already; they are written as soon as the database is back.
                log.error("outcomes_not_recorded", count=len(outcomes), reason=str(error))  # noqa: TRY400
                if self._stopping:
                    raise
                await self._clock.sleep(_PAUSE)
            else:
                return [None] * len(outcomes)
