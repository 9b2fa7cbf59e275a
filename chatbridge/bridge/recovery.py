"""Finds operators' replies whose callbacks were lost, in amoCRM's history, and delivers them.

amoCRM sends each callback once. After a stretch in which some may have been lost, the conversations that were active before its
end are asked for what operators said in it, the most recently active first. What is missing goes the ordinary way, under the
key that its callback would have had: so nothing is delivered twice, whatever comes by callback meanwhile, and a recovery that is
broken off by a crash is simply done again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Final

import structlog

from chatbridge.bridge.callbacks import Callbacks
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.histories import Histories
from chatbridge.bridge.periodic import FIRST
from chatbridge.bridge.walk import Walk
from chatbridge.clock import Clock
from chatbridge.errors import StoreUnavailable
from chatbridge.model import Link, Message
from chatbridge.store import recoveries
from chatbridge.store.engine import Store
from chatbridge.store.recoveries import Active, Gap, Reason
from chatbridge.store.recoveries import Recovery as Row

log = structlog.get_logger()

AGAIN_AFTER: Final = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 240.0)
"""Seconds before conversations whose history was not given are asked for it again; then they are given up."""

_DAY: Final = 24 * 3600 * 1_000_000
_PAGE: Final = 1_000
_LOOK: Final = 5.0
"""Seconds between looks whether there is something to recover: another node may have found it."""
_HELD: Final = 2.0
"""Seconds for which a callback waits until what was missed before it is found. amoCRM waits five."""
_HOLDING: Final = 60 * 1_000_000
"""Microseconds from the begin of a recovery for which callbacks may wait."""


class Recovery:
    """The recoveries of this server."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        histories: Histories,
        callbacks: Callbacks,
        partitions: Callable[[], frozenset[int]],
        days: int,
    ) -> None:
        """Take what is missing through `callbacks`; ask conversations that were active within so many days."""
        self._store, self._clock, self._directory = store, clock, directory
        self._histories, self._callbacks = histories, callbacks
        self._partitions, self._days = partitions, days
        self._wake = asyncio.Event()
        self._walk: Walk | None = None
        self._hold_until = 0
        self._held: set[Active] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to recover. What is known to be missed is found before what comes by callback from now on.

        Raises:
            StoreUnavailable: the database is away.

        """
        await self._look()
        self._task = asyncio.create_task(self._run(), name="recovery")

    async def stop(self) -> None:
        """Recover no more. What is not finished is done again after the next start."""
        self._callbacks.first = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Look now whether there is something to recover."""
        self._wake.set()

    async def ask(self, gap: Gap) -> Row:
        """Have a stretch of time looked into; return what was made of it.

        Raises:
            StoreUnavailable: it was not stored.

        """
        row = await self._store.write(recoveries.add, gap, now=self._clock.now())
        self.wake()
        return row

    async def list_(
        self, *, before: int | None, limit: int, scope_ids: Collection[str] | None = None
    ) -> list[Row]:
        """Return recoveries, newest first, those made before one where that is given, of these links only where they are given."""
        return await self._store.read(
            recoveries.list_recoveries, before=before, limit=limit, scope_ids=scope_ids
        )

    # --- inside ---

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                row = await self._look()
                if row is not None and FIRST in self._partitions():
                    await self._recover(row)
                    continue
            except StoreUnavailable as error:
                log.warning("recovery_interrupted", reason=str(error))
            except Exception:
                log.exception("recovery_fault")
            await self._nap()

    async def _nap(self) -> None:
        pause = asyncio.create_task(self._clock.sleep(_LOOK))
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait((pause, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            woken.cancel()

    async def _look(self) -> Row | None:
        row = await self._store.read(recoveries.next_open)
        if row is None:
            self._walk = self._callbacks.first = None
        elif self._walk is None or self._walk.recovery.id != row.id:
            self._set_out(row)
        return row

    def _set_out(self, row: Row) -> Walk:
        self._walk = walk = Walk(
            row, directory=self._directory, histories=self._histories, callbacks=self._callbacks
        )
        self._held.clear()
        self._hold_until = self._clock.now() + _HOLDING
        # Who asks for an old stretch must not make today's callbacks wait.
        self._callbacks.first = None if row.reason == Reason.ASKED else self._recover_first
        return walk

    async def _recover(self, row: Row) -> None:
        row = await self._store.write(recoveries.begin, row.id)
        walk = self._walk
        if walk is None or walk.recovery[:3] != row[:3]:
            walk = self._set_out(row)
        left = await walk.go(self._active(row))
        self._callbacks.first = None
        for pause in AGAIN_AFTER:
            if not left:
                break
            await self._clock.sleep(max(pause, walk.wait))
            left = await walk.go(_one_page(left))
        ended = await self._store.write(
            recoveries.end,
            row.id,
            conversations=walk.read,
            failed=walk.refused + len(left),
            now=self._clock.now(),
        )
        self._tell(ended)

    def _tell(self, ended: Row) -> None:
        log.info(
            "replies_recovered",
            recovery_id=ended.id,
            reason=ended.reason,
            seconds=(ended.to_at - ended.from_at) / 1_000_000,
            conversations=ended.conversations,
            failed=ended.failed,
            recovered=ended.recovered,
        )

    async def _active(self, row: Row) -> AsyncIterator[Sequence[Active]]:
        """Give the conversations that were active lately, page by page, the most recently active first."""
        since, before = row.from_at - self._days * _DAY, None
        while True:
            page = await self._store.read(
                recoveries.list_active, before=before, since=since, limit=_PAGE
            )
            yield page.active
            before = page.first
            if before is None:
                return

    async def _recover_first(self, link: Link, message: Message) -> None:
        """Find what was missed of a conversation before its next reply is taken, if that is soon done."""
        walk, amojo_id = self._walk, message.amojo_conversation_id
        if walk is None or amojo_id is None or self._clock.now() > self._hold_until:
            return
        conversation = Active(link.id, message.conversation_id, amojo_id)
        if conversation in self._held or not walk.is_unasked(conversation):
            return
        patience = asyncio.create_task(self._clock.sleep(_HELD))
        await asyncio.wait((walk.ask(conversation), patience), return_when=asyncio.FIRST_COMPLETED)
        patience.cancel()
        self._held.add(conversation)


async def _one_page(conversations: Sequence[Active]) -> AsyncIterator[Sequence[Active]]:
    yield conversations
