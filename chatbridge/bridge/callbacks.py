"""Accepts callbacks of amoCRM: verified, read, stored and queued in one transaction, then acknowledged.

amoCRM sends each once. What the database does not take is spooled; what did not come at all may be found in amoCRM's history.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import structlog

from chatbridge.bridge.accepting import Acceptor, conversation_of, entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.clock import Clock
from chatbridge.errors import CallbackRefused, NotFound, StoreUnavailable, UnreadablePayload
from chatbridge.ids import fingerprint
from chatbridge.model import (
    Direction,
    Kind,
    Link,
    Message,
    Messenger,
    Reaction,
    Started,
    Typing,
)
from chatbridge.observability.metrics import Metrics
from chatbridge.protocol.amojo import signing
from chatbridge.protocol.amojo.callbacks import OtherEvent, read_callback
from chatbridge.spool.records import Spooled
from chatbridge.store import unknown_events
from chatbridge.store.engine import Store
from chatbridge.store.entries import ConversationKey, Verdict

log = structlog.get_logger()

IGNORED: Final = frozenset({"typing"})
"""Callbacks that are worth nothing a second later: counted, not kept, if they cannot be passed on."""

NOBODYS_SECRET: Final = "0" * 40
"""Checked for scopes that do not exist, so that they take as long as those that do."""

_PATIENCE: Final = 2.5
"""Seconds for what is only kept. amoCRM waits five."""


class Typists(Protocol):
    """Whoever passes on that somebody types."""

    def operator_types(self, link: Link, typing: Typing) -> None:
        """Tell the messenger, at once or not at all."""


class Spool(Protocol):
    """Where callbacks go that the database does not take."""

    @property
    def waiting(self) -> Mapping[str, int]:
        """Return how many wait there, by scope."""

    async def put(self, record: Spooled) -> None:
        """Keep a callback, or raise StoreUnavailable."""


class Callbacks:
    """The accept path of what operators do."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        metrics: Metrics,
        acceptor: Acceptor,
        typists: Typists,
        spool: Spool,
        new_id: Callable[[], str],
    ) -> None:
        """Store through `acceptor`; what is not kept goes to `typists`, what cannot be stored to `spool`."""
        self._store, self._clock, self._directory = store, clock, directory
        self._metrics, self._acceptor, self._typists = metrics, acceptor, typists
        self._spool, self._new_id = spool, new_id
        self.first: Callable[[Link, Message], Awaitable[None]] | None = None
        """What has to be done before an operator's message is taken, while something is being recovered."""
        self._waiting: dict[tuple[int, str], Message] = {}
        """Messages whose callbacks wait for `first`, by link and id."""

    async def take(self, scope_id: str, body: bytes, signature: str | None) -> None:
        """Take a callback of amoCRM; when this returns it is on disk. A repeat is taken and changes nothing.

        Raises:
            CallbackRefused: unknown scope or wrong signature; the two cannot be told apart.
            UnreadablePayload: it is signed but cannot be read; its bytes are kept.
            StoreUnavailable: it was neither stored nor spooled.

        """
        link = self._verified(scope_id, body, signature)
        # Looked for whatever is wrong with it: the time must not tell either which scopes exist.
        if link is None and await self._directory.look_for(scope_id=scope_id):
            link = self._verified(scope_id, body, signature)
        if link is None:
            raise self._refusal(scope_id, signature)
        if self._spool.waiting and scope_id in self._spool.waiting:
            await self._spool.put(Spooled(scope_id, self._clock.now(), body))
            return
        now = self._clock.now()
        try:
            try:
                said = read_callback(body, fresh_id=self._new_id, now=now)
            except UnreadablePayload as error:
                await self._keep_unknown(link, "unreadable", str(error), body)
                raise
            if isinstance(said, Message):
                await self._operator_message(link, said)
            else:
                await self._relay(link, said, body)
        except StoreUnavailable:
            await self._spool.put(Spooled(scope_id, now, body))

    async def take_spooled(self, record: Spooled) -> None:
        """Take a callback that was verified and could not be stored when it came.

        Raises:
            StoreUnavailable: it still cannot be stored.
            NotFound: there is no such link any more.

        """
        link = self._directory.find_link(record.scope_id)
        if link is None:
            raise NotFound(f"There is no link {record.scope_id!r}.")
        # Taken twice, it has the same id twice.
        made = fingerprint(str(record.arrived_at), record.body).hex()
        try:
            said = read_callback(record.body, fresh_id=lambda: made, now=record.arrived_at)
        except UnreadablePayload as error:
            await self._keep_unknown(link, "unreadable", str(error), record.body)
            return
        if isinstance(said, Message):
            await self._operator_message(link, said)
        elif not isinstance(said, Typing):
            await self._relay(link, said, record.body)

    async def take_recovered(self, link: Link, message: Message, recovery: int) -> None:
        """Take an operator's message that was found in amoCRM's history; if it is known, nothing changes.

        Raises:
            StoreUnavailable: it was not stored.

        """
        told = self._waiting.get((link.id, message.id))
        if told is not None:
            # Its callback says more than a history does: buttons, quotes, forwards.
            await self._accept(link, told)
        elif await self._accept(link, message, recovery) is Verdict.NEW:
            self._metrics.replies_recovered.inc()

    # --- steps ---

    def _verified(self, scope_id: str, body: bytes, signature: str | None) -> Link | None:
        link = self._directory.find_link(scope_id)
        channel = self._directory.find_channel(link.channel_id) if link else None
        secret = channel.secret if channel else NOBODYS_SECRET
        matches = signing.callback_matches(secret, body, signature or "")
        return link if channel is not None and matches else None

    def _refusal(self, scope_id: str, signature: str | None) -> CallbackRefused:
        known = self._directory.find_link(scope_id) is not None
        self._metrics.callbacks_refused.inc()
        log.warning("callback_refused", scope_known=known, signed=bool(signature))
        return CallbackRefused()

    async def _relay(self, link: Link, said: Reaction | Typing | OtherEvent, body: bytes) -> None:
        if isinstance(said, Typing):
            self._typists.operator_types(link, said)
        elif isinstance(said, Reaction):
            await self._operator_reaction(link, said, body)
        else:
            await self._keep_unknown(link, said.kind, "this version does not relay it", body)

    async def _operator_message(self, link: Link, message: Message) -> None:
        if self.first is not None:
            named = link.id, message.id
            self._waiting[named] = message
            try:
                await self.first(link, message)
            finally:
                self._waiting.pop(named, None)
        await self._accept(link, message)

    async def _accept(self, link: Link, message: Message, recovery: int | None = None) -> Verdict:
        messenger = self._directory.messenger(link.messenger_id)
        conversation = conversation_of(link, message)
        if message.conversation_id is None:
            await self._started(messenger, conversation, message)
        # amoCRM gives every message its own id, so the key alone decides: a repeat with another `time` is a repeat.
        return await self._acceptor.take(
            message,
            direction=Direction.TO_MESSENGER,
            conversation=conversation,
            message_id=message.id,
            key=entry_key(messenger, Direction.TO_MESSENGER, Kind.MESSAGE, message.id),
            recovery=recovery,
        )

    async def _started(
        self, messenger: Messenger, conversation: ConversationKey, message: Message
    ) -> None:
        """Take note that an operator wrote first, once for each conversation."""
        if conversation.amojo_id is None or message.receiver is None:
            return
        await self._acceptor.take(
            Started(
                amojo_conversation_id=conversation.amojo_id,
                started_at=message.sent_at,
                receiver=message.receiver,
                source=message.source,
            ),
            direction=Direction.TO_MESSENGER,
            conversation=conversation,
            message_id=message.id,
            key=entry_key(messenger, Direction.TO_MESSENGER, Kind.STARTED, conversation.amojo_id),
        )

    async def _operator_reaction(self, link: Link, reaction: Reaction, body: bytes) -> None:
        messenger = self._directory.messenger(link.messenger_id)
        said = fingerprint(body.rstrip()).hex()
        await self._acceptor.take(
            reaction,
            direction=Direction.TO_MESSENGER,
            conversation=ConversationKey(
                link_id=link.id,
                external_id=reaction.conversation_id,
                amojo_id=reaction.amojo_conversation_id,
            ),
            message_id=reaction.message_id or reaction.amojo_message_id or "",
            # It has no id of its own: the same bytes, its time among them, are the same reaction.
            key=entry_key(messenger, Direction.TO_MESSENGER, Kind.REACTION, said),
        )

    async def _keep_unknown(self, link: Link, kind: str, reason: str, body: bytes) -> None:
        self._metrics.unknown_events.labels(kind).inc()
        if kind in IGNORED:
            return
        log.warning("callback_not_relayed", scope_id=link.scope_id, kind=kind, reason=reason)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._store.write(
                    unknown_events.keep,
                    link_id=link.id,
                    kind=kind,
                    reason=reason,
                    body=body,
                    received_at=self._clock.now(),
                )
        except TimeoutError as error:
            raise StoreUnavailable("the database does not answer") from error
