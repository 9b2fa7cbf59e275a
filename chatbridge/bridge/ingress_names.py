"""Finds out what an integration means by an id: its own, one that was answered to it (see `ingress_ids`), or amoCRM's."""

from msgspec.structs import replace

from chatbridge.bridge import ingress_ids
from chatbridge.bridge.accepting import entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.errors import NotFound, UnreadablePayload
from chatbridge.model import Direction, Kind, Link, Message, Messenger, Quote
from chatbridge.protocol.amojo.ingress import Edited
from chatbridge.store import conversations
from chatbridge.store.engine import Store
from chatbridge.store.entries import ConversationKey, ConversationRow
from chatbridge.store.targets import Target, find_target


class Names:
    """Names of messages, conversations and people. Every method raises StoreUnavailable if the database is away."""

    def __init__(self, store: Store, directory: Directory) -> None:
        """Look them up in `store`."""
        self._store, self._directory = store, directory

    async def as_known(self, messenger: Messenger, link: Link, message: Message) -> Message:
        """Return a message with amoCRM's ids and the messenger's, and none of those that were answered instead.

        Raises:
            UnreadablePayload: it names a conversation or an author that nobody knows.

        """
        message = await self._in_conversation(link, message)
        receiver = message.receiver and ingress_ids.without_answered_id(messenger, message.receiver)
        sender = ingress_ids.without_answered_id(messenger, message.sender)
        if receiver and not (sender.amojo_id or self._directory.channel(link.channel_id).bot_id):
            raise UnreadablePayload(
                "payload.sender.ref_id: required, as the channel of this account has no bot_id"
            )
        return replace(
            message,
            sender=sender,
            receiver=receiver,
            quote=message.quote and await self._known_quote(messenger, message.quote),
            forward=message.forward and await self._known_quote(messenger, message.forward),
        )

    async def of_message(self, messenger: Messenger, name: str) -> str:
        """Return the id of a message as the messenger knows it, by an id that was answered to it or that amoCRM gave."""
        own = await self._own(messenger, name)
        return own.message_id if own else name

    async def of_edited(self, messenger: Messenger, edited: Edited) -> str:
        """Return the messenger's id of the message that an edit is for.

        Raises:
            UnreadablePayload: it names two messages. At amoCRM it would give the one the id of the other.

        """
        own = edited.answered_id and await self._own(messenger, edited.answered_id)
        if own and edited.message_id not in (None, own.message_id):
            raise UnreadablePayload("payload.msgid: the message named by id has another, for good")
        return own.message_id if own else edited.message_id or edited.answered_id or ""

    async def of_conversation(self, link: Link, external_id: str | None) -> str:
        """Return amoCRM's id of a conversation that the messenger named, or what stands in its place."""
        key = ConversationKey(link_id=link.id, external_id=external_id, amojo_id=None)
        return self._of_row((await self._store.read(conversations.find, (key,)))[key])

    async def of_conversation_with(self, messenger: Messenger, answered_id: str) -> str:
        """Return the same for the conversation of the messenger's own message to which this id is answered.

        Raises:
            NotFound: there is no such message.

        """
        own = await self._own(messenger, answered_id)
        if own is None:
            raise NotFound
        return self._of_row(own.conversation)

    async def of_chat(self, link: Link, name: str) -> str | None:
        """Return amoCRM's id of a conversation by either id, None while amoCRM has none for it."""
        number = ingress_ids.conversation_number(self._directory.channel(link.channel_id), name)
        if number is None:
            return name
        row = await self._numbered(link, number)
        return None if row is None else row.amojo_id

    # --- inside ---

    async def _in_conversation(self, link: Link, message: Message) -> Message:
        """Return a message with the messenger's id of its conversation. As at amoCRM, the other side's id of one wins."""
        named = message.amojo_conversation_id
        if named is None:
            return message
        number = ingress_ids.conversation_number(self._directory.channel(link.channel_id), named)
        if number is not None:
            row = await self._numbered(link, number)
            message = replace(message, amojo_conversation_id=None)
        elif message.conversation_id is None:
            key = ConversationKey(link_id=link.id, external_id=None, amojo_id=named)
            row = (await self._store.read(conversations.find, (key,))).get(key)
        else:
            return message
        if row is None or row.external_id is None:
            raise UnreadablePayload(
                "payload.conversation_id: required, as conversation_ref_id names none that has one"
            )
        return replace(message, conversation_id=row.external_id)

    async def _numbered(self, link: Link, number: int) -> ConversationRow | None:
        # Messengers may share a channel, from whose secret these names are made.
        row = await self._store.read(conversations.get, number)
        return row if row and row.link_id == link.id else None

    async def _known_quote(self, messenger: Messenger, quote: Quote) -> Quote:
        own = quote.amojo_id and await self._own(messenger, quote.amojo_id)
        return replace(quote, id=own.message_id, amojo_id=None) if own else quote

    async def _own(self, messenger: Messenger, answered_id: str) -> Target | None:
        """Return the messenger's own message to which this id was answered."""
        key = ingress_ids.bytes_of(answered_id)
        target = None if key is None else await self._store.read(find_target, (key,))
        if target is None:
            return None
        its = entry_key(messenger, Direction.TO_AMOJO, Kind.MESSAGE, target.message_id)
        return target if its == key else None

    def _of_row(self, row: ConversationRow) -> str:
        channel = self._directory.channel(self._directory.link_by_id(row.link_id).channel_id)
        return row.amojo_id or ingress_ids.conversation_uuid(channel, row.id)
