"""Accepts messages from either side: verified, read, stored and queued in one transaction, then acknowledged."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import structlog

from chatbridge.bridge.directory import Directory
from chatbridge.clock import Clock
from chatbridge.delivery.batch import Batcher
from chatbridge.errors import (
    CallbackRefused,
    IdReused,
    LinkAmbiguous,
    NotLinked,
    UnreadablePayload,
)
from chatbridge.ids import fingerprint, fingerprint_within
from chatbridge.model import Direction, Link, Message, Messenger, encode_message
from chatbridge.observability.metrics import Metrics
from chatbridge.protocol.amojo import signing
from chatbridge.protocol.amojo.callbacks import MessageWritten, OtherEvent, read_callback
from chatbridge.store import journal, unknown_events
from chatbridge.store.dialect import Topic, notify_lanes
from chatbridge.store.engine import Store
from chatbridge.store.entries import (
    Acceptance,
    ConversationKey,
    ConversationRow,
    Draft,
    Entry,
    Verdict,
)
from chatbridge.store.partitions import partition_of

log = structlog.get_logger()

MESSAGE: Final = "message"
"""The kind of a journal entry that is a message."""

IGNORED: Final = frozenset({"typing"})
"""Callbacks that are understood and worth nothing a second later: counted, not kept."""

_BATCH: Final = 512
_CONVERSATIONS: Final = 50_000
"""Conversations remembered, so that a message of one needs no look into the database."""
_NOBODYS_SECRET: Final = "0" * 40
"""Checked for scopes that do not exist, so that they take as long as those that do."""


def message_key(messenger: Messenger, direction: Direction, message_id: str) -> bytes:
    """Return the key under which a message of a messenger is accepted once."""
    return fingerprint_within((messenger.id, direction.name, MESSAGE), message_id)


class Queue(Protocol):
    """Whoever delivers what was accepted."""

    @property
    def partitions(self) -> frozenset[int]:
        """Return the partitions that are delivered here."""

    def offer(self, entries: Sequence[Entry]) -> list[int]:
        """Take in entries that were just accepted, in the order of their ids; return lanes that another node delivers."""

    def look_up(self, lanes: Iterable[int]) -> None:
        """Take note that the database may have something new of these lanes."""


class Intake:
    """The accept path of both directions."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        metrics: Metrics,
        queue: Queue,
        new_id: Callable[[], str],
    ) -> None:
        """Store through `store`, then hand new entries to `queue` in their order."""
        self._store, self._clock, self._directory = store, clock, directory
        self._metrics, self._queue, self._new_id = metrics, queue, new_id
        self._accept = Batcher(self._write, limit=_BATCH)
        self._known: dict[ConversationKey, ConversationRow] = {}

    async def client_message(
        self, messenger: Messenger, message: Message, *, scope_id: str | None, said: bytes
    ) -> None:
        """Take a client's message; when this returns it is on disk.

        Args:
            messenger: who sends it.
            message: what is sent.
            scope_id: the link it is for, if the messenger says so.
            said: the request as the messenger wrote it, to tell a repeat from a reused id.

        Raises:
            NotLinked, LinkAmbiguous: it is not clear which account it is for.
            IdReused: the id was used with another body.
            StoreUnavailable: it was not stored.

        """
        try:
            link = self._link_for(messenger, scope_id)
        except NotLinked:
            link = await self._link_made_lately(messenger, scope_id)
        draft = self._draft(messenger, link, Direction.TO_AMOJO, message, digest=fingerprint(said))
        if (await self._take(draft)).verdict is Verdict.REUSED:
            raise IdReused(f"The message id {message.id!r} was used before with another body.")

    async def callback(self, scope_id: str, body: bytes, signature: str | None) -> None:
        """Take a callback of amoCRM; when this returns it is on disk. A repeat is taken and changes nothing.

        Raises:
            CallbackRefused: unknown scope or wrong signature; the two cannot be told apart.
            UnreadablePayload: it is signed but cannot be read; its bytes are kept.
            StoreUnavailable: it was not stored.

        """
        link = self._verified(scope_id, body, signature)
        # Looked for whatever is wrong with it: the time must not tell either which scopes exist.
        if link is None and await self._directory.look_for(scope_id=scope_id):
            link = self._verified(scope_id, body, signature)
        if link is None:
            raise self._refusal(scope_id, signature)
        now = self._clock.now()
        try:
            event = read_callback(body, fresh_id=self._new_id, now=now)
        except UnreadablePayload as error:
            await self._keep_unknown(link, "unreadable", str(error), body)
            raise
        if isinstance(event, OtherEvent):
            await self._keep_unknown(link, event.kind, "this version does not relay it", body)
            return
        await self._operator_message(link, event)

    async def drained(self) -> None:
        """Return when everything that was being accepted is stored or refused."""
        await self._accept.drained()

    # --- steps ---

    def _link_for(self, messenger: Messenger, scope_id: str | None) -> Link:
        links = self._directory.links_of(messenger)
        if scope_id is not None:
            links = [link for link in links if link.scope_id == scope_id]
            if not links:
                raise NotLinked(f"This messenger has no connected link {scope_id!r}.")
        if not links:
            raise NotLinked
        if len(links) > 1:
            raise LinkAmbiguous
        return links[0]

    async def _link_made_lately(self, messenger: Messenger, scope_id: str | None) -> Link:
        """Return the link if another node has made it a moment ago."""
        if scope_id is None:
            await self._directory.look_for(messenger_id=messenger.id)
        else:
            await self._directory.look_for(scope_id=scope_id)
        return self._link_for(messenger, scope_id)

    def _verified(self, scope_id: str, body: bytes, signature: str | None) -> Link | None:
        link = self._directory.find_link(scope_id)
        channel = self._directory.find_channel(link.channel_id) if link else None
        secret = channel.secret if channel else _NOBODYS_SECRET
        matches = signing.callback_matches(secret, body, signature or "")
        return link if channel is not None and matches else None

    def _refusal(self, scope_id: str, signature: str | None) -> CallbackRefused:
        known = self._directory.find_link(scope_id) is not None
        self._metrics.callbacks_refused.inc()
        log.warning("callback_refused", scope_known=known, signed=bool(signature))
        return CallbackRefused()

    async def _operator_message(self, link: Link, event: MessageWritten) -> None:
        messenger = self._directory.messenger(link.messenger_id)
        message = event.message
        # amoCRM gives every message its own id, so the key alone decides: a repeat with another `time` is a repeat.
        await self._take(self._draft(messenger, link, Direction.TO_MESSENGER, message, digest=None))

    async def _keep_unknown(self, link: Link, kind: str, reason: str, body: bytes) -> None:
        self._metrics.unknown_events.labels(kind).inc()
        if kind in IGNORED:
            return
        log.warning("callback_not_relayed", scope_id=link.scope_id, kind=kind, reason=reason)
        await self._store.write(
            unknown_events.keep,
            link_id=link.id,
            kind=kind,
            reason=reason,
            body=body,
            received_at=self._clock.now(),
        )

    def _draft(
        self,
        messenger: Messenger,
        link: Link,
        direction: Direction,
        message: Message,
        *,
        digest: bytes | None,
    ) -> Draft:
        key = message_key(messenger, direction, message.id)
        conversation = ConversationKey(
            link_id=link.id,
            external_id=message.conversation_id,
            amojo_id=message.amojo_conversation_id,
        )
        return Draft(
            conversation=conversation,
            direction=direction,
            kind=MESSAGE,
            key=key,
            digest=key if digest is None else digest,
            message_id=message.id,
            body=encode_message(message),
            received_at=self._clock.now(),
            message=message,
            row=self._known.get(conversation),
        )

    async def _take(self, draft: Draft) -> Acceptance:
        acceptance = await self._accept(draft)
        self._metrics.taken(draft.direction, acceptance.verdict)
        return acceptance

    async def _write(self, drafts: list[Draft]) -> Sequence[Acceptance]:
        here = self._queue.partitions
        now = self._clock.now()
        known = all(draft.row is not None for draft in drafts)
        accept = journal.accept_known if known else journal.accept
        answers = await self._store.write(accept, drafts, now, here)
        fresh = [answer.entry for answer in answers if answer.entry and not answer.behind]
        # What is behind others goes by the database: another node may have accepted those a moment ago. So does what is
        # repeated: the first time, it may have been stored without anybody hearing of it.
        unsure = {
            answer.lane for answer in answers if answer.behind or answer.verdict is Verdict.REPEATED
        }
        unsure.update(self._queue.offer(fresh))
        self._queue.look_up(unsure)
        lost = here - self._queue.partitions
        if lost and (told := [lane for lane in unsure if partition_of(lane) in lost]):
            await self._store.write(notify_lanes, Topic.LANES, told)
        for draft, answer in zip(drafts, answers, strict=True):
            if draft.row is None and answer.entry is not None:
                self._remember(draft.conversation, answer.entry)
        return answers

    def _remember(self, key: ConversationKey, entry: Entry) -> None:
        if len(self._known) >= _CONVERSATIONS:
            self._known.clear()
        self._known[key] = ConversationRow(
            id=entry.conversation_id,
            link_id=entry.link_id,
            external_id=entry.external_id,
            amojo_id=entry.amojo_id,
        )
