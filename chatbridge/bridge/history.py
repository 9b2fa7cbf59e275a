"""Shows what was said in a conversation, as it stands now: edited where it was edited, with its reactions.

Fills the index by which conversations are found (`store/history`), by a walk through the journal behind the hot path.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from chatbridge.bridge.attaching import Attachments
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.periodic import FIRST
from chatbridge.clock import Clock
from chatbridge.errors import LinkAmbiguous, NotFound
from chatbridge.model import Content, Direction, Edit, Event, Messenger, Reaction
from chatbridge.store import history
from chatbridge.store.engine import Store
from chatbridge.store.passport import Passport

_STRETCH: Final = 5_000
"""Entries indexed at once: some ten milliseconds, in which nothing else is written. With 500, nearly every one of them writes a page
of its own: under load that costs each message 5 µs more."""
_BUSY: Final = 200
"""Entries in a second: with more, indexing is left for a quieter one."""
_LAG: Final = 20_000
"""Entries behind the journal from which on it is done all the same: a page reads them in a few milliseconds."""
_DISTANCE: Final = 10 * 1_000_000
"""Microseconds that the walk stays behind where several nodes write: an entry may be seen later than one with a higher number."""


@dataclass(slots=True)
class Item:
    """A message as it stands now."""

    passport: Passport
    content: Content
    key: bytes
    """Of the entry that has this content: the message, or its last edit."""
    edited_at: int | None = None
    reactions: list[Reaction] = field(default_factory=list)


class History:
    """Conversations of all messengers."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        attachments: Attachments,
        partitions: Callable[[], frozenset[int]],
    ) -> None:
        """Read from `store`, with links of `attachments`; `partitions` are delivered here."""
        self._store, self._clock, self._directory = store, clock, directory
        self._attachments = attachments
        self._partitions = partitions
        self._seen: deque[tuple[int, int]] = deque()
        """When the journal was looked at lately, and its newest entry then."""
        self._indexed = self._newest = 0

    async def load_page(
        self,
        messenger: Messenger,
        conversation_id: str,
        *,
        scope_id: str | None,
        before: int | None,
        limit: int,
    ) -> tuple[list[Item], int | None]:
        """Return the newest messages of a conversation, newest first, and what to pass as `before` for older ones.

        Everything is there that was accepted before this was called.

        Raises:
            NotFound: the messenger has no such conversation.
            LinkAmbiguous: it has several, for several accounts.
            HistoryNotReady: too much is not indexed yet.
            StoreUnavailable: the database is away.

        """
        links = self._directory.all_links_of(messenger)
        wanted = {link.id for link in links if scope_id in {None, link.scope_id}}
        found = await self._store.read(history.find_conversations, wanted, conversation_id)
        if not found:
            raise NotFound(f"This messenger has no conversation {conversation_id!r}.")
        if len(found) > 1:
            raise LinkAmbiguous
        page = await self._store.read(history.load_page, found[0], before=before, limit=limit)
        items = items_of(page.messages, page.afterthoughts)
        shown = await self._attachments.shown([(item.key, item.content) for item in items])
        for item, content in zip(items, shown, strict=True):
            item.content = content
        return items, items[-1].passport.entry_id if page.more else None

    async def walk_on(self) -> None:
        """Index the journal as far as it is sure that nothing can turn up in it any more, if that is done here.

        Raises:
            StoreUnavailable: the database is away.

        """
        if FIRST not in self._partitions():
            return
        now, newest = self._clock.now(), await self._store.read(history.newest_entry)
        grown, self._newest = newest - self._newest, newest
        self._seen.append((now, newest))
        if grown > _BUSY and newest - self._indexed < _LAG:
            return
        distance = _DISTANCE if self._store.shared else 0
        while len(self._seen) > 1 and self._seen[1][0] <= now - distance:
            self._seen.popleft()
        seen_at, newest = self._seen[0]
        if seen_at <= now - distance and newest > self._indexed:
            while await self._store.write(history.index, newest, _STRETCH):
                pass
            self._indexed = newest


def items_of(
    messages: Iterable[Passport], afterthoughts: Iterable[tuple[bytes, Event]]
) -> list[Item]:
    """Return messages as what happened to them afterwards, in this order, has made them."""
    items = [Item(passport, passport.message.content, passport.key) for passport in messages]
    mine = {one.passport.message.id: one for one in items if _is_clients(one)}
    by_amojo_id = {one.passport.amojo_id: one for one in items if one.passport.amojo_id}
    for key, event in afterthoughts:
        if isinstance(event, Edit) and (item := mine.get(event.message_id)):
            item.content, item.key, item.edited_at = event.content, key, event.edited_at
        elif isinstance(event, Reaction):
            names = event.message_id or "", event.amojo_message_id or ""
            known = mine.get(names[0]) or by_amojo_id.get(names[1])
            if known is not None:
                known.reactions = _reacted(known.reactions, event)
    return items


def _is_clients(item: Item) -> bool:
    return item.passport.direction is Direction.TO_AMOJO


def _reacted(before: list[Reaction], event: Reaction) -> list[Reaction]:
    """Return the reactions to a message after one more; one that is taken back without an emoji takes all of its author's."""
    kept = [
        known
        for known in before
        if (known.by.id, known.by.amojo_id) != (event.by.id, event.by.amojo_id)
        or event.emoji not in {None, known.emoji}
    ]
    return kept if event.removed else [*kept, event]
