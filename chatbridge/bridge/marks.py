"""Tells amoCRM how far operators' messages have come: what a messenger reports, and what is known without it.

Every reply gets a final mark within a quarter of an hour and half a minute. A failure is told at once. That a messenger took a
reply is told at once only if it reports nothing itself; otherwise it has fifteen minutes to say more, and then "delivered" is the
best that anybody knows. What waits in a feed is nobody's before the messenger fetches it: after fifteen minutes it has failed. What a
crash leaves untold is found by the same walk through the journal that ends those minutes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

import structlog

from chatbridge.bridge.accepting import Acceptor, entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.failure_words import NOT_FETCHED, reason_of, speaks_russian, words_of
from chatbridge.bridge.periodic import FIRST
from chatbridge.clock import Clock
from chatbridge.errors import NotFound, StoreUnavailable
from chatbridge.ids import delivered_key, delivery_id, fingerprint
from chatbridge.model import (
    Direction,
    FailureReason,
    HookVersion,
    Kind,
    Link,
    LinkState,
    Mark,
    Messenger,
    Signing,
    Status,
)
from chatbridge.protocol.amojo.callbacks import NAMELESS
from chatbridge.store import feed, receipts
from chatbridge.store.engine import Store
from chatbridge.store.entries import (
    ConversationKey,
    ConversationRow,
    Outcome,
    OutcomeKind,
    ReceiptRow,
    Verdict,
)
from chatbridge.store.far_ids import FarName
from chatbridge.store.receipts import Standing, Unmarked
from chatbridge.store.targets import Target, find_target

log = structlog.get_logger()

_PATIENCE: Final = 15 * 60 * 1_000_000
"""Microseconds after which a reply gets a mark in any case."""
_BETWEEN: Final = 10.0
"""Seconds from one walk through the journal to the next."""
_PAGE: Final = 1_000
_PAUSE: Final = 1.0
"""Seconds before the database is asked again after it failed."""


class Marking(NamedTuple):
    """A mark for an operator's message."""

    mark: Mark
    at: int
    reason: FailureReason | None = None
    text: str | None = None


class Marks:
    """The marks of all operators' messages."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        acceptor: Acceptor,
        partitions: Callable[[], frozenset[int]],
        reports: Callable[[Messenger], bool],
    ) -> None:
        """Tell through `acceptor`; `partitions` are delivered here, `reports` says which messengers report by themselves."""
        self._store, self._clock, self._directory = store, clock, directory
        self._acceptor, self._partitions, self._reports = acceptor, partitions, reports
        self._ended: deque[tuple[Target, Marking]] = deque()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to tell what is known."""
        self._tasks = [
            asyncio.create_task(self._tell_ended(), name="marks-ended"),
            asyncio.create_task(self._walk(), name="marks-walk"),
        ]

    async def stop(self) -> None:
        """Tell no more. What is not told will be, after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def report(self, messenger: Messenger, message_id: str, marking: Marking) -> bool:
        """Take what a messenger says of an operator's message; return whether that was news.

        Raises:
            NotFound: this messenger has had no such message.
            StoreUnavailable: it was not stored.

        """
        key = entry_key(messenger, Direction.TO_MESSENGER, Kind.MESSAGE, message_id)
        target = await self._store.read(find_target, (key,), FarName(messenger.id, message_id))
        if target is None:
            raise NotFound(f"This messenger was sent no message {message_id!r}.")
        return await self._mark(target, marking)

    def ended(self, outcomes: Iterable[Outcome]) -> None:
        """Take note of recorded ends of attempts: what is known by them is told soon."""
        final: dict[int, bool] = {}  # most of a batch is of few links
        for outcome in outcomes:
            entry = outcome.entry
            if entry.direction is not Direction.TO_MESSENGER or entry.kind != Kind.MESSAGE:
                continue
            if outcome.waiting:
                continue  # it has come as far when it is fetched
            link_id = entry.link_id
            if outcome.kind is OutcomeKind.PARKED:
                marking = self._failed(link_id, outcome)
            elif outcome.kind is OutcomeKind.DELIVERED:
                if link_id not in final:
                    final[link_id] = self._is_final(link_id)
                # What was released has a mark that is not true any more.
                if not final[link_id] and entry.since == entry.received_at:
                    continue
                marking = Marking(Mark.DELIVERED, outcome.answered_at)
            else:
                continue
            row = ConversationRow(
                entry.conversation_id,
                entry.link_id,
                entry.external_id,
                entry.amojo_id,
                entry.client_ref_id,
            )
            self._ended.append((Target(entry.id, entry.direction, entry.message_id, row), marking))
            self._wake.set()

    async def fetched(self, ids: Sequence[str]) -> None:
        """Mark replies that messengers fetched from their feeds, by the ids of deliveries: those given up, and those nobody reports.

        Raises:
            StoreUnavailable: the database is away.

        """
        keys = [key for each in ids if (key := delivered_key(each)) is not None]
        marking = Marking(Mark.DELIVERED, self._clock.now())
        for start in range(0, len(keys), _PAGE):
            page = keys[start : start + _PAGE]
            found = await self._store.read(receipts.list_standing, page)
            news = [each.target for each in found if self._is_news(each)]
            await asyncio.gather(*(self._mark(target, marking) for target in news))

    # --- what is told by itself ---

    async def _tell_ended(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            ended = list(self._ended)
            self._ended.clear()
            told = (self._mark(target, marking) for target, marking in ended)
            for answer in await asyncio.gather(*told, return_exceptions=True):
                if isinstance(answer, Exception):
                    # The walk will find it.
                    log.warning("mark_not_told", reason=str(answer))

    async def _walk(self) -> None:
        while True:
            await self._clock.sleep(_BETWEEN)
            try:
                while FIRST in self._partitions() and await self.walk_on():
                    pass
            except StoreUnavailable as error:
                log.warning("marks_not_walked", reason=str(error))
            except Exception:
                log.exception("marks_fault")

    async def walk_on(self) -> bool:
        """Mark the next replies whose time is over; return whether there may be more of them.

        Raises:
            StoreUnavailable: the database is away.

        """
        now = self._clock.now()
        page = await self._store.read(receipts.next_page, until=now - _PATIENCE, limit=_PAGE)
        if page.last is None:
            return False
        found = await self._store.read(receipts.list_unmarked, page.replies) if page.replies else []
        ids = [delivery_id(each.key) for each in found if each.code is None]
        unfetched = await self._store.read(feed.find_unfetched, ids) if ids else set()
        await asyncio.gather(
            *(self._mark(each.target, self._found(each, now, unfetched)) for each in found)
        )
        await self._store.write(receipts.turn_page, page.last)
        return page.size == _PAGE

    def _found(self, unmarked: Unmarked, now: int, unfetched: Collection[str]) -> Marking:
        code = unmarked.code
        if code is None and delivery_id(unmarked.key) in unfetched:
            code = NOT_FETCHED
        if code is None:
            return Marking(Mark.DELIVERED, now)
        russian = self._speaks_russian(unmarked.target.conversation.link_id)
        return Marking(Mark.FAILED, now, reason_of(code), words_of(code, None, russian=russian))

    def _failed(self, link_id: int, outcome: Outcome) -> Marking:
        code = outcome.code or "internal"
        words = words_of(code, outcome.words, russian=self._speaks_russian(link_id))
        return Marking(Mark.FAILED, outcome.answered_at, outcome.reason or reason_of(code), words)

    # --- inside ---

    async def _mark(self, target: Target, marking: Marking) -> bool:
        row = ReceiptRow(target.entry_id, *marking)
        link = self._directory.link_by_id(target.conversation.link_id)
        if not self._can_be_told(link, target):
            return bool(await self._store.write(receipts.advance, [row]))
        conversation = target.conversation
        verdict = await self._acceptor.take(
            Status(
                amojo_message_id=target.message_id,
                mark=marking.mark,
                marked_at=marking.at,
                reason=marking.reason,
                text=marking.text,
            ),
            direction=Direction.TO_AMOJO,
            conversation=ConversationKey(
                link_id=link.id,
                external_id=conversation.external_id,
                amojo_id=conversation.amojo_id,
            ),
            message_id=target.message_id,
            key=fingerprint(Kind.STATUS, str(target.entry_id), marking.mark),
            row=conversation,
            receipt=row,
        )
        return verdict is Verdict.NEW

    def _can_be_told(self, link: Link, target: Target) -> bool:
        """Return whether amoCRM takes marks for this message. The generation of 2017 has neither ids nor statuses."""
        channel = self._directory.find_channel(link.channel_id)
        return (
            link.state is LinkState.CONNECTED
            and link.hook_version is HookVersion.V2
            and channel is not None
            and channel.signing is Signing.CURRENT
            and not target.message_id.startswith(NAMELESS)
        )

    def _is_news(self, standing: Standing) -> bool:
        """Return whether a reply is marked by its being fetched."""
        if standing.rank is None:
            return self._is_final(standing.target.conversation.link_id)
        return standing.reason == reason_of(NOT_FETCHED)

    def _is_final(self, link_id: int) -> bool:
        link = self._directory.link_by_id(link_id)
        return not self._reports(self._directory.messenger(link.messenger_id))

    def _speaks_russian(self, link_id: int) -> bool:
        link = self._directory.link_by_id(link_id)
        channel = self._directory.find_channel(link.channel_id)
        return channel is not None and speaks_russian(channel.base_url)
