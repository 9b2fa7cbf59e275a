"""Callbacks that the database does not take go to a file and are answered with 200; from there they are taken in their order.

amoCRM sends each callback once. What it sent of an account while something of that account waits here goes behind it, so order
stays what it was. A callback that was both stored and spooled, because nobody knew, is a repeat like any other.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from chatbridge.clock import Clock
from chatbridge.delivery.batch import Batcher
from chatbridge.errors import StoreUnavailable
from chatbridge.observability.metrics import Metrics
from chatbridge.spool.files import SpoolFile, adopt_orphans
from chatbridge.spool.records import Spooled, encode

log = structlog.get_logger()

_BATCH: Final = 512
_PAUSE: Final = 1.0
"""Seconds before the database is asked again."""
_ORPHANS: Final = 30.0
"""Seconds between looks for files whose process has died."""

Take = Callable[[Spooled], Awaitable[None]]
"""Takes a callback from the spool; raises StoreUnavailable if the database is still away."""


@dataclass(slots=True)
class _Draining:
    """A file with what is left to take of it."""

    file: SpoolFile
    done: int = 0
    """Bytes that were taken."""
    spoilt: bool = False
    """Something of it could not be taken: it is kept."""


class Spool:
    """The spool of this process."""

    def __init__(
        self,
        *,
        folder: Path,
        limit: int,
        clock: Clock,
        metrics: Metrics,
        new_id: Callable[[], str],
        refused: Callable[[], None],
    ) -> None:
        """Keep files of so many bytes in `folder`; `refused` is told when a callback could not be kept."""
        self._folder, self._limit, self._clock, self._metrics = folder, limit, clock, metrics
        self._new_id, self._refused = new_id, refused
        self.waiting: Counter[str] = Counter()
        """Callbacks that wait here, by scope. What comes of these scopes goes behind them."""
        self._append = Batcher(self._write, limit=_BATCH)
        self._files: deque[_Draining] = deque()
        self._own: _Draining | None = None
        self._busy = asyncio.Lock()
        """Held while the own file is written, or taken away."""
        self._adopting = asyncio.Lock()
        """Held while files are taken over: a thread that does cannot be stopped."""
        self._filled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, take: Take) -> None:
        """Begin to take what is in files, those of dead processes first."""
        await self._adopt()
        self._tasks = [
            asyncio.create_task(self._drain(take), name="spool"),
            asyncio.create_task(self._keep_adopting(), name="spool-orphans"),
        ]

    async def stop(self) -> None:
        """Leave what is in files to the next start."""
        async with self._adopting:
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._append.drained()
        for one in self._files:
            one.file.close()
        self._files.clear()
        self._own = None

    async def put(self, record: Spooled) -> None:
        """Keep a callback; when this returns it is on disk.

        Raises:
            StoreUnavailable: the spool is full, or the disk does not take it.

        """
        self.waiting[record.scope_id] += 1
        try:
            await self._append(record)
        except BaseException:
            self._forget([record])
            self._refused()
            raise
        self._metrics.callbacks_spooled.inc()

    # --- into files ---

    async def _write(self, records: list[Spooled]) -> Sequence[None]:
        data = b"".join(map(encode, records))
        async with self._busy:
            held = sum(one.file.size for one in self._files)
            if held + len(data) > self._limit:
                log.error("spool_full", bytes=held)
                raise StoreUnavailable(
                    "The database is away and the spool is full (spool.max_bytes)."
                )
            try:
                if self._own is None:
                    name = f"{self._clock.wall():020d}-{self._new_id()}"
                    self._own = _Draining(
                        await asyncio.to_thread(SpoolFile.make, self._folder, name)
                    )
                    self._files.append(self._own)
                    self._filled.set()
                    log.warning("spool_begun", file=name)
                await asyncio.to_thread(self._own.file.append, data)
            except OSError as error:
                log.error("spool_not_written", reason=error.strerror)  # noqa: TRY400 - the disk's fault
                raise StoreUnavailable(
                    f"The database is away and the spool took nothing: {error.strerror}."
                ) from error
        return [None] * len(records)

    # --- out of files ---

    async def _drain(self, take: Take) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._files:
                await self._drain_one(self._files[0], take)

    async def _drain_one(self, one: _Draining, take: Take) -> None:
        """Take what is in a file, and take the file away unless something was added meanwhile."""
        file = one.file
        for records, end in file.chunks(one.done):
            await self._take_all(one, records, take)
            one.done = end
            self._forget(records)
        async with self._busy:
            if one.done < file.size and any(file.chunks(one.done)):
                return
            if one.done < file.size:
                log.error("spool_torn", file=file.path.name, bytes=file.size - one.done)
            self._files.popleft()
            if one is self._own:
                self._own = None
            keep = one.spoilt or one.done < file.size
            await asyncio.to_thread(file.release, keep=keep)
        log.warning("spool_drained", file=file.path.name, kept=keep)

    async def _take_all(self, one: _Draining, records: Sequence[Spooled], take: Take) -> None:
        """Take records, each scope's in their order; what was taken before the database went away is repeated."""
        scopes: dict[str, list[Spooled]] = {}
        for record in records:
            scopes.setdefault(record.scope_id, []).append(record)

        async def take_scope(mine: Sequence[Spooled]) -> None:
            for record in mine:
                try:
                    await take(record)
                except StoreUnavailable:
                    raise
                except Exception:
                    log.exception("spooled_callback_failed", scope_id=record.scope_id)
                    one.spoilt = True

        while True:
            done = await asyncio.gather(*map(take_scope, scopes.values()), return_exceptions=True)
            if not any(isinstance(answer, StoreUnavailable) for answer in done):
                return
            await self._clock.sleep(_PAUSE)

    def _forget(self, records: Sequence[Spooled]) -> None:
        self.waiting.subtract(Counter(record.scope_id for record in records))
        for scope_id in {record.scope_id for record in records}:
            if self.waiting[scope_id] <= 0:
                del self.waiting[scope_id]

    # --- files of others ---

    async def _keep_adopting(self) -> None:
        while True:
            await self._clock.sleep(_ORPHANS)
            await self._adopt()

    async def _adopt(self) -> None:
        """Take over the files of dead processes."""

        def read() -> list[tuple[SpoolFile, Counter[str]]]:
            files = adopt_orphans(self._folder)
            return [(file, _scopes_of(file)) for file in files]

        async with self._adopting:
            for file, scopes in await asyncio.to_thread(read):
                log.warning("spool_adopted", file=file.path.name, callbacks=scopes.total())
                self.waiting.update(scopes)
                self._files.append(_Draining(file))
                self._filled.set()


def _scopes_of(file: SpoolFile) -> Counter[str]:
    return Counter(record.scope_id for records, _ in file.chunks() for record in records)
