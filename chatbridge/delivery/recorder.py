"""Records the ends of attempts, many at a time, whatever the database does meanwhile."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog
from msgspec.structs import replace

from chatbridge.clock import Clock
from chatbridge.delivery.batch import Batcher
from chatbridge.delivery.ownership import Ownership
from chatbridge.errors import StoreUnavailable
from chatbridge.store import pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import Outcome, lane_of

log = structlog.get_logger()

UNRECORDED: Final = 2_048
"""Ends of attempts that may wait to be recorded before no other attempt begins: after a crash all of them would be made again."""
_MANY: Final = 256
"""Ends that are worth a commit of their own."""
_PAUSE: Final = 1.0
"""Seconds before the database is asked again after it failed."""


class Recorder:
    """Writes outcomes in the order in which they came."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ownership: Ownership,
        caught_up: Callable[[], None],
        queued: Callable[[Iterable[int]], None],
    ) -> None:
        """Call `caught_up` when recording was behind and some of it is done; decisions show the `ownership`'s tokens.

        `queued` hears of lanes in which something was queued along with the outcomes.
        """
        self._store, self._clock, self._ownership = store, clock, ownership
        self._caught_up, self._queued = caught_up, queued
        self._listener: Callable[[Sequence[Outcome]], None] = _nobody
        self._batcher = Batcher(self._write, limit=UNRECORDED // 2)
        self._unrecorded: dict[int, int] = {}
        """How many outcomes are still to be written, by lane."""

    def tell(self, listener: Callable[[Sequence[Outcome]], None]) -> None:
        """Tell somebody, from now on, of outcomes once they are recorded."""
        self._listener = listener

    def put(self, outcome: Outcome) -> None:
        """Have an outcome recorded soon."""
        lane = outcome.entry.lane
        self._unrecorded[lane] = self._unrecorded.get(lane, 0) + 1
        self._batcher.put(outcome)

    @property
    def is_behind(self) -> bool:
        """Return whether so many outcomes wait that no other attempt should begin."""
        return self._batcher.unwritten >= UNRECORDED

    async def recorded(self, lanes: Iterable[int] | None = None) -> None:
        """Return when everything that came so far of these lanes is on disk; of all lanes, if not given."""
        if lanes is None or not self._unrecorded.keys().isdisjoint(lanes):
            self._store.hurry()
            await self._batcher.flushed()

    async def drained(self, seconds: float) -> bool:
        """Return True when nothing waits any more; give up after so many seconds, and return False."""
        return await self._batcher.drained(seconds)

    async def _write(self, outcomes: list[Outcome]) -> Sequence[None]:
        while True:
            try:
                now = self._clock.now()
                write = self._store.write if len(outcomes) >= _MANY else self._store.write_along
                if all(outcome.is_plain for outcome in outcomes):
                    await write(pending.settle_delivered, outcomes, now)
                else:
                    await write(pending.settle, outcomes, now, self._ownership.tokens)
            except StoreUnavailable as error:
                # The far side has these already; they are written as soon as the database is back.
                log.error("outcomes_not_recorded", count=len(outcomes), reason=str(error))  # noqa: TRY400
                await self._clock.sleep(_PAUSE)
            except Exception:
                bare = [
                    replace(outcome, detail=None, far_id=None, names=(), far_conversation_id=None)
                    for outcome in outcomes
                ]
                if len(outcomes) > 1 or bare == outcomes:
                    raise
                # Something in the far side's words is nothing for the database. What happened is recorded without
                # them, and before anything else: what is not recorded would be sent again.
                log.exception("outcome_words_not_recorded", entry_id=outcomes[0].entry.id)
                outcomes = bare
            else:
                self._note_recorded(outcomes)
                return [None] * len(outcomes)

    def _note_recorded(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            lane = outcome.entry.lane
            left = self._unrecorded.pop(lane) - 1
            if left:
                self._unrecorded[lane] = left
        self._listener(outcomes)
        queued = {
            lane_of(outcome.entry.conversation_id, outcome.follow_up.direction)
            for outcome in outcomes
            if outcome.follow_up is not None
        }
        if queued:
            self._queued(queued)
        if self.is_behind:
            self._caught_up()


def _nobody(_: Sequence[Outcome]) -> None:
    """Take note of nothing."""
