"""Accepts messages from either side: verified, read, stored and queued in one transaction, then acknowledged."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import structlog
from msgspec.structs import replace

from chatbridge.bridge.accepting import Acceptor, entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.quoting import with_quotes
from chatbridge.bridge.uploading import Uploads
from chatbridge.clock import Clock
from chatbridge.errors import (
    CallbackRefused,
    IdReused,
    InvalidFields,
    LinkAmbiguous,
    NotFound,
    NotLinked,
    StoreUnavailable,
    UnreadablePayload,
)
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
from chatbridge.protocol.amojo.callbacks import Said, read_callback
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


class Intake:
    """The accept path of both directions."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        metrics: Metrics,
        acceptor: Acceptor,
        typists: Typists,
        uploads: Uploads,
        spool: Spool,
        new_id: Callable[[], str],
    ) -> None:
        """Store through `acceptor`; what is not kept goes to `typists`, callbacks that cannot be stored to `spool`.

        Messages may name files of `uploads`.
        """
        self._store, self._clock, self._directory = store, clock, directory
        self._metrics, self._acceptor, self._typists = metrics, acceptor, typists
        self._uploads, self._spool, self._new_id = uploads, spool, new_id
        self.first: Callable[[Link, Message], Awaitable[None]] | None = None
        """What has to be done before an operator's message is taken, while something is being recovered."""

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
            InvalidFields: it names a file that is none, or an author whom amoCRM does not know.
            IdReused: the id was used with another body.
            StoreUnavailable: it was not stored.

        """
        try:
            link = self.link_for(messenger, scope_id)
        except NotLinked:
            link = await self.link_made_lately(messenger, scope_id)
        if message.content.media_id is not None:
            await self._uploads.check(messenger, message.content)
        if message.reply_to is not None or message.forward is not None:
            message = await with_quotes(self._store, messenger, message)
        if message.receiver is not None:
            message = self._signed_by(link, message)
        verdict = await self._acceptor.take(
            message,
            direction=Direction.TO_AMOJO,
            conversation=_named(link, message),
            message_id=message.id,
            key=entry_key(messenger, Direction.TO_AMOJO, Kind.MESSAGE, message.id),
            digest=fingerprint(said),
        )
        if verdict is Verdict.REUSED:
            raise IdReused(f"The message id {message.id!r} was used before with another body.")

    async def callback(self, scope_id: str, body: bytes, signature: str | None) -> None:
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
            await self._take(link, said, body)
        except StoreUnavailable:
            await self._spool.put(Spooled(scope_id, now, body))

    async def spooled(self, record: Spooled) -> None:
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
        if not isinstance(said, Typing):
            await self._take(link, said, record.body)

    async def recovered(self, link: Link, message: Message, recovery: int) -> None:
        """Take an operator's message that was found in amoCRM's history; if it is known, nothing changes.

        Raises:
            StoreUnavailable: it was not stored.

        """
        messenger = self._directory.messenger(link.messenger_id)
        verdict = await self._operator_message(link, messenger, message, recovery)
        if verdict is Verdict.NEW:
            self._metrics.replies_recovered.inc()

    def link_for(self, messenger: Messenger, scope_id: str | None) -> Link:
        """Return the connected link of a messenger that a call is for.

        Raises:
            NotLinked, LinkAmbiguous: it is not clear which.

        """
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

    async def link_made_lately(self, messenger: Messenger, scope_id: str | None) -> Link:
        """Do as `link_for`, which has refused it: another node may have made the link a moment ago.

        Raises:
            NotLinked, LinkAmbiguous: it is not clear which.
            StoreUnavailable: the database is away, so nobody knows.

        """
        if scope_id is None:
            await self._directory.look_for(messenger_id=messenger.id)
        else:
            await self._directory.look_for(scope_id=scope_id)
        return self.link_for(messenger, scope_id)

    # --- steps ---

    def _signed_by(self, link: Link, message: Message) -> Message:
        """Return an operator's message with its author as amoCRM knows him: a user, or else the channel's bot."""
        bot_id = self._directory.channel(link.channel_id).bot_id
        author = message.sender.amojo_id or bot_id
        if author is None:
            raise InvalidFields(
                fields={
                    "/sender/amojo_id": "needed, as the channel has no bot_id (PATCH /v1/channels/{channel_id})"
                }
            )
        return replace(message, sender=replace(message.sender, amojo_id=author))

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

    async def _take(self, link: Link, said: Said, body: bytes) -> None:
        messenger = self._directory.messenger(link.messenger_id)
        if isinstance(said, Message):
            await self._operator_message(link, messenger, said)
        elif isinstance(said, Typing):
            self._typists.operator_types(link, said)
        elif isinstance(said, Reaction):
            await self._operator_reaction(link, messenger, said, body)
        else:
            await self._keep_unknown(link, said.kind, "this version does not relay it", body)

    async def _operator_message(
        self, link: Link, messenger: Messenger, message: Message, recovery: int | None = None
    ) -> Verdict:
        if self.first is not None and recovery is None:
            await self.first(link, message)
        conversation = _named(link, message)
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

    async def _operator_reaction(
        self, link: Link, messenger: Messenger, reaction: Reaction, body: bytes
    ) -> None:
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


def _named(link: Link, message: Message) -> ConversationKey:
    """Return the names of a message's conversation; amoCRM's id of the client is needed where amoCRM began it."""
    began = message.conversation_id is None and message.receiver is not None
    return ConversationKey(
        link_id=link.id,
        external_id=message.conversation_id,
        amojo_id=message.amojo_conversation_id,
        client_ref_id=message.receiver.amojo_id if began and message.receiver else None,
    )
