"""The use cases of an integration that takes this server for amojo: its words, carried out by what carries out our own API's."""

from typing import Final

from msgspec.structs import replace

from chatbridge.bridge import ingress_ids
from chatbridge.bridge.afterthoughts import Afterthoughts
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.ingress_names import Names
from chatbridge.bridge.intake import Intake
from chatbridge.bridge.marks import Marking, Marks
from chatbridge.bridge.tracking import find_message
from chatbridge.bridge.typing import TypingRelay
from chatbridge.clock import Clock
from chatbridge.errors import NotLinked, UnreadablePayload
from chatbridge.model import Channel, Link, Messenger, WebhookFormat, encode_event
from chatbridge.protocol.amojo import calls, replies
from chatbridge.protocol.amojo import ingress_wire as wire
from chatbridge.protocol.amojo.ingress import Edited, New, Reported, person
from chatbridge.protocol.amojo.ingress_answers import Sent
from chatbridge.protocol.http import Transport
from chatbridge.store.engine import Store

_FORMATS: Final = {"v1": WebhookFormat.AMOJO_V1, "v2": WebhookFormat.AMOJO_V2}
_TYPING_MS: Final = 5000
"""How long somebody types who does not say it ("Chats API reference", typing)."""


class Ingress:
    """One method for each call of amojo."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        transport: Transport,
        intake: Intake,
        afterthoughts: Afterthoughts,
        marks: Marks,
        typing: TypingRelay,
    ) -> None:
        """Pass on to these; `transport` carries what only amoCRM can answer."""
        self._store, self._clock, self._directory = store, clock, directory
        self._transport, self._intake, self._afterthoughts = transport, intake, afterthoughts
        self._marks, self._typing = marks, typing
        self._names = Names(store, directory)

    async def connect(self, messenger: Messenger, asked: wire.Connect) -> None:
        """Send callbacks in the version that the integration wants from now on.

        Raises:
            UnreadablePayload: the account is not that of the messenger's identity.

        """
        self.check_account(messenger, asked.account_id)
        wanted = _FORMATS[asked.hook_api_version or "v1"]
        if messenger.webhook_format is not wanted:
            await self._directory.change_messenger(messenger, {"webhook_format": wanted})

    def check_account(self, messenger: Messenger, account_id: str) -> None:
        """Refuse an account that is not that of the messenger's identity; `disconnect` does no more.

        Raises:
            UnreadablePayload: it is another one.

        """
        if account_id != messenger.amojo.account_id:
            raise UnreadablePayload(
                "account_id: must be the one in the messenger's amojo credentials"
            )

    async def send(self, messenger: Messenger, new: New) -> Sent:
        """Take a message of a client, or what an operator wrote in the messenger itself; when this returns it is on disk.

        Raises:
            UnreadablePayload: it names a conversation or an author that nobody knows.
            NotLinked, LinkAmbiguous: it is not clear which account it is for.
            IdReused: the id was used with another body.
            StoreUnavailable: it was not stored.

        """
        link = await self._link(messenger)
        said = encode_event(new.message if new.timed else replace(new.message, sent_at=0))
        message = await self._names.as_known(messenger, link, new.message)
        await self._intake.client_message(messenger, message, scope_id=link.scope_id, said=said)
        return Sent(
            message_id=message.id,
            answered_id=ingress_ids.message_uuid(messenger, message.id),
            conversation_id=await self._names.of_conversation(link, message.conversation_id),
            sender_id=ingress_ids.name_of(messenger, message.sender),
            receiver_id=None
            if message.receiver is None
            else ingress_ids.name_of(messenger, message.receiver),
        )

    async def edit(self, messenger: Messenger, edited: Edited) -> Sent:
        """Take new content of a client's message; when this returns it is on disk.

        Raises:
            UnreadablePayload: it names two messages.
            NotFound: the messenger has sent no such message.
            NotEditable: it is an operator's.
            StoreUnavailable: it was not stored.

        """
        message_id = await self._names.of_edited(messenger, edited)
        await self._afterthoughts.edit(
            messenger, message_id, edited.content, name=edited.name, at=edited.edited_at
        )
        answered_id = ingress_ids.message_uuid(messenger, message_id)
        conversation_id = await self._names.of_conversation_with(messenger, answered_id)
        return Sent(message_id=message_id, answered_id=answered_id, conversation_id=conversation_id)

    async def report(self, messenger: Messenger, message_id: str, reported: Reported) -> None:
        """Take what became of an operator's message.

        Raises:
            NotFound: this messenger has had no such message.
            StoreUnavailable: it was not stored.

        """
        if reported.mark is None:
            await find_message(self._store, messenger, message_id)
            return
        marking = Marking(reported.mark, self._clock.now(), reported.reason, reported.text)
        await self._marks.report(messenger, message_id, marking)

    async def note_typing(self, messenger: Messenger, asked: wire.Typing) -> None:
        """Tell amoCRM that a client types.

        Raises:
            NotLinked, LinkAmbiguous: it is not clear which account it is for.

        """
        duration = _TYPING_MS if asked.duration_ms is None else asked.duration_ms
        self._typing.client_types(
            await self._link(messenger), asked.conversation_id, asked.sender.id, duration=duration
        )

    async def react(self, messenger: Messenger, asked: wire.React) -> None:
        """Take a reaction to a message of either side, or its end; when this returns it is on disk.

        Raises:
            NotFound: the messenger knows no such message.
            StoreUnavailable: it was not stored.

        """
        await self._afterthoughts.react(
            messenger,
            asked.msgid or await self._names.of_message(messenger, asked.id or ""),
            ingress_ids.without_answered_id(messenger, person(asked.user)),
            emoji=asked.emoji or None,
            removed=asked.type == "unreact",
            name=None,
            at=self._clock.now(),
        )

    async def create_chat(self, messenger: Messenger, body: bytes) -> bytes:
        """Return amoCRM's answer to the call that makes a chat.

        Raises:
            NotLinked, LinkAmbiguous: it is not clear which account it is for.
            DeliveryError: amoCRM refused, or gave no usable answer.

        """
        link = await self._link(messenger)
        request = calls.create_chat(
            self._channel(link), link.scope_id, body, now=self._clock.wall()
        )
        return replies.read_whole(await self._transport.send(request))

    async def history(
        self, messenger: Messenger, chat_id: str, *, offset: int, limit: int
    ) -> bytes:
        """Return amoCRM's answer with messages of a chat, empty if it has none.

        Raises:
            NotLinked, LinkAmbiguous: it is not clear which account it is for.
            DeliveryError: amoCRM refused, or gave no usable answer.
            StoreUnavailable: the database is away.

        """
        link = await self._link(messenger)
        known = await self._names.of_chat(link, chat_id)
        if known is None:
            return b""
        request = calls.history(
            self._channel(link),
            link.scope_id,
            known,
            offset=offset,
            limit=limit,
            now=self._clock.wall(),
        )
        return replies.read_whole(await self._transport.send(request))

    async def _link(self, messenger: Messenger) -> Link:
        try:
            return self._intake.link_for(messenger, None)
        except NotLinked:
            return await self._intake.link_made_lately(messenger, None)

    def _channel(self, link: Link) -> Channel:
        return self._directory.channel(link.channel_id)
