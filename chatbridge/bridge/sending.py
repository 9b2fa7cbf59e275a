"""Delivers entries of the journal: to amoCRM, and to messengers. The courier calls these, one attempt at a time."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from msgspec.structs import replace

from chatbridge.bridge.attaching import Attachments
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.ingress_ids import with_answered_ids
from chatbridge.bridge.naming import FarNames
from chatbridge.bridge.webhooks import Webhooks
from chatbridge.clock import Clock
from chatbridge.connectors.base import Connector, Deliverable, Delivery, Taken
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.connectors.fallback import adapt, as_text
from chatbridge.delivery.courier import Receipt
from chatbridge.errors import DeliveryError, Misconfigured
from chatbridge.ids import delivery_id
from chatbridge.model import (
    MEDIA_TYPES,
    Channel,
    Edit,
    Event,
    Kind,
    Link,
    LinkEvent,
    LinkState,
    Message,
    Reaction,
    Report,
    Started,
    Status,
    WebhookFormat,
)
from chatbridge.protocol.amojo import calls, replies
from chatbridge.protocol.http import Request, Transport
from chatbridge.store.entries import Entry

_Named = TypeVar("_Named", Message, Reaction)

_WITH_FILES: Final = (Message, Edit)  # `Message | Edit` would be made anew for every message
_REMEMBERED: Final = 10_000
"""Conversations remembered that a messenger named a moment ago."""
_WAITING: Final = "waits in the messenger's event stream"


class Sending:
    """One method for each direction."""

    def __init__(
        self,
        *,
        directory: Directory,
        transport: Transport,
        connectors: Mapping[str, Connector],
        attachments: Attachments,
        names: FarNames,
        webhooks: Webhooks,
        clock: Clock,
    ) -> None:
        """Call amoCRM through `transport` and messengers through the connector of their kind, with files of `attachments`.

        `webhooks` says which messengers nothing is sent to, and hears what becomes of the rest.
        """
        self._directory, self._transport = directory, transport
        self._attachments, self._names, self._webhooks = attachments, names, webhooks
        self._connectors, self._clock = connectors, clock
        self._named: dict[int, str] = {}

    async def to_amojo(self, entry: Entry, allowed: Callable[[], bool]) -> Receipt:
        """Tell amoCRM what a client did. The request is signed now, for this attempt.

        Raises:
            DeliveryError: amoCRM did not take it, or may not have.

        """
        directory = self._directory
        link = directory.find_link_by_id(entry.link_id)
        if link is None:
            link = await directory.link_made_lately(entry.link_id)
        if link.state is not LinkState.CONNECTED:
            raise Misconfigured("The account is disconnected. Link it again to deliver what waits.")
        channel = self._directory.channel(link.channel_id)
        event, note = entry.read(), None
        if isinstance(event, _WITH_FILES) and event.content.type in MEDIA_TYPES:
            event, note = await self._attachments.attach(entry, event)
        now = self._clock.wall()
        if isinstance(event, Message):
            request = calls.send_message(channel, link.scope_id, _bound(event, entry), now=now)
        elif isinstance(event, Edit):
            request = calls.edit_message(channel, link.scope_id, event, now=now)
        else:
            noted = _note(event, channel, link, now)
            replies.read_noted(await self._transport.send(noted, allowed=allowed))
            return Receipt()
        sent = replies.read_sent(await self._transport.send(request, allowed=allowed))
        return Receipt(
            far_id=sent.message_id, far_conversation_id=sent.conversation_id, detail=note
        )

    async def to_messenger(self, entry: Entry, allowed: Callable[[], bool]) -> Receipt:
        """Hand what an operator did to the messenger.

        Raises:
            DeliveryError: the messenger did not take it, or may not have.

        """
        directory = self._directory
        link = directory.find_link_by_id(entry.link_id)
        if link is None:
            link = await directory.link_made_lately(entry.link_id)
        event, note = entry.read(), None
        told = event.messenger_id if isinstance(event, LinkEvent) else link.messenger_id
        messenger = self._directory.messenger(told)
        connector = self._connectors.get(messenger.kind)
        if connector is None:
            raise Misconfigured(
                f"This server has no connector for messengers of kind {messenger.kind!r}."
            )
        self._webhooks.check(messenger)
        if isinstance(event, Message) and event.content.type in MEDIA_TYPES:
            event, note = await self._attachments.attach(entry, event)
        if connector.names_messages:
            event = await self._names.put_into(event, messenger)
        if messenger.webhook_format is not WebhookFormat.STANDARD:
            event = with_answered_ids(messenger, event)
        said, changes = self._event_for(entry, event, connector.capabilities(messenger), note)
        delivery = Delivery(
            id=delivery_id(entry.key),
            messenger=messenger,
            link=link,
            event=said,
            now=self._clock.wall(),
            allowed=allowed,
        )
        try:
            taken = await connector.send(delivery)
        except DeliveryError as error:
            if allowed():
                self._webhooks.failed(messenger, error)
            raise
        self._webhooks.answered(messenger)
        return self._receipt(entry, taken, changes)

    def _event_for(
        self, entry: Entry, event: Event, can: Capabilities, note: str | None
    ) -> tuple[Deliverable, tuple[str, ...]]:
        if isinstance(event, Message):
            adapted = adapt(self._named_now(event, entry), can)
            return adapted if note is None else (adapted.message, (note, *adapted.changes))
        if isinstance(event, Reaction):
            event = self._named_now(event, entry)
            if can.reactions:
                return event, ()
            return adapt(as_text(event, entry.key.hex()), can).message, ("reaction sent as text",)
        if isinstance(event, Started | Report | LinkEvent):
            return event, ()
        raise TypeError(f"a {entry.kind} does not go to a messenger")

    def _named_now(self, event: _Named, entry: Entry) -> _Named:
        """Return the event with the messenger's id of its conversation, which amoCRM may not know yet."""
        if event.conversation_id is not None:
            return event
        known = entry.external_id or self._named.get(entry.conversation_id)
        return event if known is None else replace(event, conversation_id=known)

    def _receipt(self, entry: Entry, taken: Taken, changes: tuple[str, ...]) -> Receipt:
        if taken.conversation_id is not None:
            if len(self._named) >= _REMEMBERED:
                self._named.clear()
            self._named[entry.conversation_id] = taken.conversation_id
        if taken.waiting:
            changes = (*changes, _WAITING)
        names = taken.message_ids if entry.kind == Kind.MESSAGE else ()
        if names:
            self._names.remember(entry.key, names[0])
        return Receipt(
            far_id=next(iter(taken.message_ids), None),
            names=names,
            far_conversation_id=taken.conversation_id,
            detail="; ".join(changes) or None,
            waiting=taken.waiting,
        )


def _note(event: object, channel: Channel, link: Link, now: int) -> Request:
    if isinstance(event, Status):
        return calls.delivery_status(channel, link.scope_id, event, now=now)
    if isinstance(event, Reaction):
        return calls.react(channel, link.scope_id, event, now=now)
    raise TypeError(f"a {type(event).__name__} does not go to amoCRM")


def _bound(message: Message, entry: Entry) -> Message:
    """Return the message with amoCRM's ids of a conversation that an operator began: they bind ours to them.

    amoCRM takes them gladly on every message ("Chats API reference": `conversation_ref_id`, `ref_id`).
    """
    if entry.client_ref_id is None or entry.amojo_id is None:
        return message
    if message.receiver is not None:
        client = replace(
            message.receiver, amojo_id=message.receiver.amojo_id or entry.client_ref_id
        )
        return replace(message, amojo_conversation_id=entry.amojo_id, receiver=client)
    client = replace(message.sender, amojo_id=message.sender.amojo_id or entry.client_ref_id)
    return replace(message, amojo_conversation_id=entry.amojo_id, sender=client)
