"""How the webhooks of messengers are. One that fails for long without a success is paused: what comes for it fails at once.

Each node takes note of what it sees in memory, and writes it about once a second, and only what changes: the first failure after a
success, the first success after a failure. So a webhook that works costs a look into an empty dictionary.
"""

import asyncio
from typing import Final, NamedTuple

import structlog

from chatbridge.clock import Clock
from chatbridge.errors import DeliveryError, Disposition, EndpointPaused, StoreUnavailable
from chatbridge.model import Messenger
from chatbridge.observability.metrics import Metrics
from chatbridge.store import webhooks
from chatbridge.store.engine import Store
from chatbridge.store.webhooks import FailingWebhook, Seen

log = structlog.get_logger()

_BETWEEN: Final = 1.0
"""Seconds between two writes: a webhook that fails and works in turns costs no more."""
_STREAK: Final = 96
"""The share of its time for which a webhook must have failed at the end, without a break, before it is paused: of 24 hours a
quarter of an hour. One that was down yesterday is not paused for a single failure today."""
_BREAK: Final = 3600 * 1_000_000
"""Microseconds between two failures that are a break."""
_ANSWERED: Final = frozenset({Disposition.REJECT, Disposition.ARRIVED})
"""What a webhook says of one message: it works."""


class _Streak(NamedTuple):
    """Failures one after another."""

    begun: int
    last: int


class Webhooks:
    """The webhooks of all messengers, as all nodes see them."""

    def __init__(
        self, *, store: Store, clock: Clock, metrics: Metrics, pause_after_hours: float
    ) -> None:
        """Pause what fails for so many hours."""
        self._store, self._clock, self._metrics = store, clock, metrics
        self._pause_after = int(pause_after_hours * 3600 * 1_000_000)
        self._failing: dict[str, FailingWebhook] = {}
        self._seen: dict[str, Seen] = {}
        """What is not written yet."""
        self._streaks: dict[str, _Streak] = {}
        self._is_stale = False
        """Another node has written something."""
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what is known, and begin to write what is seen.

        Raises:
            StoreUnavailable: the database is away.

        """
        await self.catch_up()
        self._task = asyncio.create_task(self._run(), name="webhooks")

    async def stop(self) -> None:
        """Write what was seen, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._try()

    def state_of(self, messenger: Messenger) -> FailingWebhook | None:
        """Return how long and why a webhook has been failing; None if it works, as far as anybody knows."""
        return self._failing.get(messenger.id)

    def check(self, messenger: Messenger) -> None:
        """Return if something may be sent to a messenger.

        Raises:
            EndpointPaused: its webhook is paused.

        """
        failing = self._failing.get(messenger.id)
        if failing is not None and failing.paused_at is not None:
            raise EndpointPaused(
                f"the messenger's webhook is paused: it failed for too long ({failing.code})"
            )

    def answered(self, messenger: Messenger) -> None:
        """Take note that a webhook works."""
        if self._failing.pop(messenger.id, None) is not None:
            self._streaks.pop(messenger.id, None)
            self._note(Seen(messenger.id, answered_at=self._clock.now()))

    def failed(self, messenger: Messenger, error: DeliveryError) -> None:
        """Take note of an attempt that failed."""
        if messenger.webhook_url is None:
            return
        is_gone = isinstance(error, EndpointPaused)
        if error.disposition in _ANSWERED and not is_gone:
            self.answered(messenger)
            return
        now, known = self._clock.now(), self._failing.get(messenger.id)
        limit = now if is_gone else now - self._pause_after
        since = now if known is None else known.since
        is_dead = self._fails_now(messenger, now) and since <= limit
        if known is not None and known.code == error.code and not (is_dead or is_gone):
            return
        # Until the database says more.
        self._failing[messenger.id] = FailingWebhook(
            messenger.id, since, error.code, known.paused_at if known else None
        )
        before = self._seen.get(messenger.id, Seen(messenger.id))
        self._note(
            before._replace(
                failed_at=before.failed_at or now,
                code=error.code,
                pause_if_since=limit if is_dead or is_gone else None,
            )
        )

    async def resume(self, messenger: Messenger) -> None:
        """Begin anew with a webhook.

        Raises:
            StoreUnavailable: the database is away.

        """
        async with self._turn:
            was_known = await self._store.write(webhooks.forget, messenger.id)
            for known in (self._failing, self._seen, self._streaks):
                known.pop(messenger.id, None)
        if was_known:
            log.info("webhook_resumed", messenger_id=messenger.id)

    def hear(self) -> None:
        """Take note that another node has written something."""
        self._is_stale = True
        self._wake.set()

    async def catch_up(self) -> None:
        """Read what is known.

        Raises:
            StoreUnavailable: the database is away.

        """
        async with self._turn:
            self._is_stale = False
            rows = await self._store.read(webhooks.list_failing)
            ours = {name: row for name, row in self._failing.items() if name in self._seen}
            theirs = {row.messenger_id: row for row in rows if row.messenger_id not in self._seen}
            self._failing = ours | theirs

    # --- inside ---

    def _fails_now(self, messenger: Messenger, now: int) -> bool:
        """Take note of a failure; return whether so many of them came one after another that it is no accident."""
        before = self._streaks.get(messenger.id)
        goes_on = before is not None and now - before.last <= _BREAK
        begun = before.begun if before is not None and goes_on else now
        self._streaks[messenger.id] = _Streak(begun, now)
        return now - begun >= self._pause_after // _STREAK

    def _note(self, seen: Seen) -> None:
        self._seen[seen.messenger_id] = seen
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._try():
                self._wake.set()
            await self._clock.sleep(_BETWEEN)

    async def _try(self) -> bool:
        """Write what was seen, read what others wrote; return whether that is done."""
        try:
            await self._write()
            if self._is_stale:
                await self.catch_up()
        except StoreUnavailable as error:
            log.warning("webhooks_not_noted", reason=str(error))
            return False
        return True

    async def _write(self) -> None:
        async with self._turn:
            writing = dict(self._seen)
            if not writing:
                return
            noted = await self._store.write(
                webhooks.note, list(writing.values()), now=self._clock.now()
            )
            failing = {row.messenger_id: row for row in noted.failing}
            for name, seen in writing.items():
                # What was seen meanwhile is newer.
                if self._seen.get(name) is seen:
                    del self._seen[name]
                    self._failing.pop(name, None)
                    self._failing |= {name: failing[name]} if name in failing else {}
        for messenger_id in noted.paused:
            self._metrics.webhooks_paused.inc()
            log.error("webhook_paused", messenger_id=messenger_id, code=failing[messenger_id].code)
