"""The one way into the journal: whatever waits is stored and queued together, and answered when it is on disk."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from chatbridge.bridge.copying import HELD, Copier
from chatbridge.clock import Clock
from chatbridge.delivery.batch import Batcher
from chatbridge.errors import StoreUnavailable
from chatbridge.ids import fingerprint_within
from chatbridge.model import (
    Direction,
    Event,
    Kind,
    Link,
    Message,
    Messenger,
    encode_event,
    kind_of,
)
from chatbridge.observability.metrics import Metrics
from chatbridge.store import journal
from chatbridge.store.dialect import Topic, notify_lanes
from chatbridge.store.engine import Store
from chatbridge.store.entries import (
    Acceptance,
    ConversationKey,
    ConversationRow,
    Draft,
    Entry,
    ReceiptRow,
    Verdict,
)
from chatbridge.store.partitions import partition_of

_BATCH: Final = 512
_CONVERSATIONS: Final = 50_000
"""Conversations remembered, so that a message of one needs no look into the database."""

_LOOK: Final = 0.5
"""Seconds between looks whether the database answers."""
_STUCK: Final = 4
"""Looks after which it hangs: amoCRM waits five seconds, perhaps for the second of two batches."""


def entry_key(messenger: Messenger, direction: Direction, kind: Kind, name: str) -> bytes:
    """Return the key under which an event of a messenger is accepted once."""
    return fingerprint_within((messenger.id, direction.name, kind), name)


def conversation_of(link: Link, message: Message) -> ConversationKey:
    """Return the names of a message's conversation; amoCRM's id of the client is needed where amoCRM began it."""
    began = message.conversation_id is None and message.receiver is not None
    return ConversationKey(
        link_id=link.id,
        external_id=message.conversation_id,
        amojo_id=message.amojo_conversation_id,
        client_ref_id=message.receiver.amojo_id if began and message.receiver else None,
    )


class Queue(Protocol):
    """Whoever delivers what was accepted."""

    @property
    def partitions(self) -> frozenset[int]:
        """Return the partitions that are delivered here."""

    def offer(self, entries: Sequence[Entry]) -> list[int]:
        """Take in entries that were just accepted, in the order of their ids; return lanes that another node delivers."""

    def look_up(self, lanes: Iterable[int]) -> None:
        """Take note that the database may have something new of these lanes."""


class Acceptor:
    """Takes events of both directions."""

    def __init__(
        self, *, store: Store, clock: Clock, metrics: Metrics, queue: Queue, copier: Copier
    ) -> None:
        """Store through `store`, then hand new entries to `queue` in their order; `copier` gets their files."""
        self._store, self._clock, self._metrics, self._queue = store, clock, metrics, queue
        self._copier = copier
        self._accept = Batcher(self._write, limit=_BATCH)
        self._known: dict[ConversationKey, ConversationRow] = {}

    async def take(
        self,
        event: Event,
        *,
        direction: Direction,
        conversation: ConversationKey,
        message_id: str,
        key: bytes,
        digest: bytes | None = None,
        row: ConversationRow | None = None,
        receipt: ReceiptRow | None = None,
        recovery: int | None = None,
    ) -> Verdict:
        """Take an event; when this returns it is on disk, or was before.

        Args:
            event: what is taken.
            direction: where it goes.
            conversation: the names of its conversation.
            message_id: the message it is, or is about.
            key: it is accepted once under this.
            digest: tells a repeat from another event under the same key; if not given, the key alone decides.
            row: its conversation as stored, where that was read.
            receipt: what it tells; it is accepted only if that is news.
            recovery: the recovery that found it missing.

        Raises:
            StoreUnavailable: it was not stored.

        """
        received_at, need = self._clock.now(), self._copier.need_of(event)
        acceptance = await self._accept(
            Draft(
                conversation=conversation,
                direction=direction,
                kind=kind_of(event),
                key=key,
                digest=key if digest is None else digest,
                message_id=message_id,
                body=encode_event(event),
                received_at=received_at,
                event=event,
                row=row or self._known.get(conversation),
                receipt=receipt,
                copy_until=received_at + HELD if need.copy else None,
                upload=need.upload,
                recovery=recovery,
            )
        )
        self._metrics.taken(direction, acceptance.verdict)
        return acceptance.verdict

    async def watch(self) -> None:
        """Let nobody wait for a database that hangs, who has another place to put what comes from amoCRM; runs for ever."""
        looks, written = 0, -1
        while True:
            await self._clock.sleep(_LOOK)
            stuck = self._accept.unwritten > 0 and self._accept.written == written
            looks, written = looks + 1 if stuck else 0, self._accept.written
            if looks >= _STUCK:
                error = StoreUnavailable("the database does not answer")
                self._accept.give_up(_is_from_amojo, error)

    async def drained(self) -> None:
        """Return when everything that was being accepted is stored or refused."""
        await self._accept.drained()

    async def _write(self, drafts: list[Draft]) -> Sequence[Acceptance]:
        here = self._queue.partitions
        now = self._clock.now()
        plain = all(draft.is_plain for draft in drafts)
        accept = journal.accept_known if plain else journal.accept
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
            if answer.entry is None:
                continue
            if draft.row is None:
                self._remember(draft.conversation, answer.entry)
            if draft.copy_until is not None:
                self._copier.copy(answer.entry)
        return answers

    def _remember(self, key: ConversationKey, entry: Entry) -> None:
        if len(self._known) >= _CONVERSATIONS:
            self._known.clear()
        self._known[key] = ConversationRow(
            id=entry.conversation_id,
            link_id=entry.link_id,
            external_id=entry.external_id,
            amojo_id=entry.amojo_id,
            client_ref_id=entry.client_ref_id,
        )


def _is_from_amojo(draft: Draft) -> bool:
    return draft.direction is Direction.TO_MESSENGER
