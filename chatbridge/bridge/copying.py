"""Copies the files that messages link to, as soon as they are accepted: links of messengers and of amoCRM die.

An entry whose file is being copied stays in its lane, and what follows it waits behind it. So a copy has an end: after a few
attempts, or ten minutes, the message goes on without.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple, Protocol
from weakref import WeakValueDictionary

import structlog

from chatbridge.clients.downloads import Downloader
from chatbridge.clock import Clock
from chatbridge.connectors.host import Download
from chatbridge.errors import MediaError, MediaUnreachable, StoreUnavailable
from chatbridge.media.files import Files
from chatbridge.media.keeping import Kept, keep, too_large
from chatbridge.media.links import MediaLinks
from chatbridge.media.names import name_in
from chatbridge.model import MEDIA_TYPES, Content, Edit, Event, Message, MessageType
from chatbridge.observability.metrics import Metrics
from chatbridge.store import media
from chatbridge.store.engine import Store
from chatbridge.store.entries import Entry
from chatbridge.store.media import Ended, MediaState, Wanted
from chatbridge.store.partitions import partition_of

log = structlog.get_logger()

_WAITS: Final = (1.0, 3.0, 6.0)
"""Seconds between attempts."""
_LONGEST: Final = 10 * 60
"""Seconds for one file."""
HELD: Final = (_LONGEST + 60) * 1_000_000
"""Microseconds that an entry waits for its file, should nobody say what became of it."""
_AT_ONCE: Final = 32
_AT_ONCE_EACH: Final = 4
"""For one link: whose files come slowly holds up nobody else's."""
_PATIENCE: Final = 60.0
"""Seconds for a copy that is not there when its message is sent: others of the link have been slow, or a server was down."""
_BETWEEN: Final = 15.0
"""Seconds between looks for files that nobody copies."""
_FORGOTTEN: Final = 30 * 1_000_000
"""Microseconds after which another node may have died that was copying it."""
_PAGE: Final = 200
_PAUSE: Final = 1.0


class Need(NamedTuple):
    """What has to be done about an event's file."""

    copy: bool = False
    upload: bytes | None = None
    """It is kept here already, under this id."""


_NOTHING: Final = Need()
_WITH_CONTENT: Final = (Message, Edit)  # `Message | Edit` would be made anew for every message


Fetch = Callable[[int, str], AbstractAsyncContextManager[Download]]
"""Gives a file of a link's messenger that has a name (`Content.media_ref`) and no link; raises MediaError."""


class Deliverer(Protocol):
    """Whoever delivers what waits for files."""

    @property
    def partitions(self) -> frozenset[int]:
        """Return the partitions that are delivered here."""

    def look_up(self, lanes: Iterable[int], *, again: bool) -> None:
        """Take note that something in these lanes may go now."""


def content_of(event: Event) -> Content | None:
    """Return what an event says if that can have a file."""
    if isinstance(event, _WITH_CONTENT) and event.content.type is not MessageType.TEXT:
        return event.content
    return None


class Copier:
    """Copies files in the background."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        files: Files,
        downloader: Downloader,
        fetch: Fetch,
        links: MediaLinks,
        max_bytes: int,
    ) -> None:
        """Keep in `files` what `downloader` and, where there is no link, `fetch` give, at most `max_bytes` of each."""
        self._store, self._clock, self._metrics, self._files = store, clock, metrics, files
        self._downloader, self._fetch = downloader, fetch
        self._links, self._max_bytes = links, max_bytes
        self._copying: dict[bytes, asyncio.Task[None]] = {}
        self._all = asyncio.Semaphore(_AT_ONCE)
        self._each: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self._sweep: asyncio.Task[None] | None = None

    def start(self, deliverer: Deliverer) -> None:
        """Begin with what was left uncopied; tell `deliverer` whose files are there."""
        self._deliverer = deliverer
        self._sweep = asyncio.create_task(self._look_after(), name="copier-sweep")

    async def stop(self) -> None:
        """Copy no more. What is unfinished begins anew at the next start."""
        tasks = [*self._copying.values(), *filter(None, (self._sweep,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def need_of(self, event: Event) -> Need:
        """Return what has to be done about the file of an event that is about to be accepted."""
        content = content_of(event)
        if content is None or content.type not in MEDIA_TYPES:
            return _NOTHING
        kept = self.kept_as(content)
        return Need(copy=kept is None and _original(content) is not None, upload=kept)

    def kept_as(self, content: Content) -> bytes | None:
        """Return the id of the file if content names one that is kept here."""
        if content.media_id is not None:
            return bytes.fromhex(content.media_id)
        return None if content.media_url is None else self._links.read_url(content.media_url)

    def copy(self, entry: Entry) -> None:
        """Begin to copy the file of an entry that was just accepted."""
        self._begin(Wanted(entry.key, entry.lane, entry.link_id, entry.kind, entry.body))

    async def copied(self, entry: Entry) -> None:
        """Return when the copy of an entry's file has ended; begin it if nobody has.

        Whoever waits holds a place of delivery: after a minute the copy is given up.

        Raises:
            StoreUnavailable: the database is away.

        """
        self.copy(entry)
        copy = self._copying[entry.key]
        patience = asyncio.create_task(self._clock.sleep(_PATIENCE))
        try:
            await asyncio.wait((copy, patience), return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
        if not copy.done():
            late = _failed(None, MediaUnreachable.code, "its turn did not come in time")
            await self._store.write(media.end, entry.key, late, self._clock.now())

    # --- inside ---

    def _begin(self, wanted: Wanted) -> None:
        if wanted.id not in self._copying:
            task = asyncio.create_task(self._copy(wanted), name="copy")
            self._copying[wanted.id] = task
            task.add_done_callback(lambda _: self._copying.pop(wanted.id, None))

    async def _copy(self, wanted: Wanted) -> None:
        content = content_of(wanted.read())
        if content is None or _original(content) is None:
            raise ValueError("an entry without a file is wanted")
        each = self._each.get(wanted.link_id)
        if each is None:
            each = self._each[wanted.link_id] = asyncio.Semaphore(_AT_ONCE_EACH)
        async with each, self._all:
            ended = await self._try(wanted, content)
        while True:
            try:
                await self._store.write(media.end, wanted.id, ended, self._clock.now())
            except StoreUnavailable as error:
                log.warning("copy_not_recorded", reason=str(error))
                await self._clock.sleep(_PAUSE)
            else:
                break
        self._metrics.files.labels(ended.code or ended.state).inc()
        if ended.code is not None:
            log.info("file_not_copied", code=ended.code)
        self._deliverer.look_up([wanted.lane], again=True)

    async def _try(self, wanted: Wanted, content: Content) -> Ended:
        """Copy a file, at a few attempts if need be; return what became of it."""
        name, waits = content.file_name or name_in(content.media_url or ""), iter(_WAITS)
        while True:
            try:
                kept = await self._keep(wanted, content)
            except MediaError as error:
                wait = next(waits, None) if error.again else None
                if wait is None:
                    return _failed(name, error.code, str(error))
                await self._clock.sleep(wait)
            except Exception:
                log.exception("copy_fault")
                return _failed(name, "internal", "a fault of this server; see its log")
            else:
                return Ended(
                    state=MediaState.KEPT,
                    content_type=kept.content_type,
                    size=kept.size,
                    file_name=name,
                )

    async def _keep(self, wanted: Wanted, content: Content) -> Kept:
        try:
            async with asyncio.timeout(_LONGEST), self._open(wanted.link_id, content) as download:
                if (download.size or 0) > self._max_bytes:
                    raise too_large(self._max_bytes)
                return await keep(
                    self._files, wanted.id, download.chunks(), max_bytes=self._max_bytes
                )
        except TimeoutError as error:
            raise MediaUnreachable("the file took longer than ten minutes") from error

    def _open(self, link_id: int, content: Content) -> AbstractAsyncContextManager[Download]:
        if content.media_ref is not None:
            return self._fetch(link_id, content.media_ref)
        return self._downloader.open(content.media_url or "")

    async def _look_after(self) -> None:
        """Copy what a process that is gone was copying."""
        patience = _FORGOTTEN if self._store.shared else 0
        while True:
            try:
                found = await self._store.read(
                    media.list_wanted, before=self._clock.now() - patience, limit=_PAGE
                )
                mine = self._deliverer.partitions
                for wanted in found:
                    if partition_of(wanted.lane) in mine:
                        self._begin(wanted)
            except StoreUnavailable as error:
                log.warning("files_not_looked_for", reason=str(error))
            except Exception:
                log.exception("copier_fault")
            await self._clock.sleep(_BETWEEN)
            patience = _FORGOTTEN


def _original(content: Content) -> str | None:
    """Return where a file is that is not kept here: its link, or the messenger's name of it."""
    return content.media_url or content.media_ref


def _failed(name: str | None, code: str, detail: str) -> Ended:
    return Ended(state=MediaState.FAILED, file_name=name, code=code, detail=detail)
