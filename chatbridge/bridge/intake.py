"""Accepts what messengers send: stored and queued in one transaction, then acknowledged."""

from msgspec.structs import replace

from chatbridge.bridge.accepting import Acceptor, conversation_of, entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.quoting import with_quotes
from chatbridge.bridge.uploading import Uploads
from chatbridge.errors import IdReused, InvalidFields, LinkAmbiguous, NotLinked
from chatbridge.ids import fingerprint
from chatbridge.model import Direction, Kind, Link, Message, Messenger
from chatbridge.store.engine import Store
from chatbridge.store.entries import Verdict


class Intake:
    """The accept path of messages to amoCRM."""

    def __init__(
        self, *, store: Store, directory: Directory, acceptor: Acceptor, uploads: Uploads
    ) -> None:
        """Store through `acceptor`; messages may name files of `uploads`."""
        self._store, self._directory = store, directory
        self._acceptor, self._uploads = acceptor, uploads

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
            conversation=conversation_of(link, message),
            message_id=message.id,
            key=entry_key(messenger, Direction.TO_AMOJO, Kind.MESSAGE, message.id),
            digest=fingerprint(said),
        )
        if verdict is Verdict.REUSED:
            raise IdReused(f"The message id {message.id!r} was used before with another body.")

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
