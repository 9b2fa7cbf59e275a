"""Delivers what operators do to a backend's webhook, or keeps it in a feed where there is none."""

from typing import Final

import msgspec
from pydantic import ValidationError

from chatbridge.connectors.base import Connector, Delivery, MessengerSettings, Taken
from chatbridge.connectors.capabilities import EVERYTHING, Capabilities
from chatbridge.connectors.host import Host
from chatbridge.errors import InternalFailure, NotSent, StoreUnavailable
from chatbridge.model import Message, Messenger, Reaction, Started, Typing, WebhookFormat
from chatbridge.protocol import signed_webhook, webhook_events
from chatbridge.protocol.amojo import hooks
from chatbridge.protocol.http import Request
from chatbridge.protocol.webhook_events import Account, WebhookEvent

_SETTING: Final = "capabilities"
_FIRST_GENERATION: Final = EVERYTHING.model_copy(
    update={
        "quotes": False,
        "forwards": False,
        "buttons": False,
        "reactions": False,
        "typing": False,
    }
)
"""What callbacks of amojo's first generation can say."""


class BackendSettings(MessengerSettings):
    """What may be set up about a backend."""

    capabilities: Capabilities = EVERYTHING


class BackendConnector(Connector):
    """The connector for messengers of kind `backend`."""

    kind = "backend"
    settings = BackendSettings

    def __init__(self, host: Host) -> None:
        """Send through the host's transport; keep in its feed what has no address to go to."""
        super().__init__(host)
        self._transport, self._feed = host.transport, host.feed
        self._known: dict[str, tuple[Messenger, Capabilities]] = {}

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what the messenger's settings say; everything where they say nothing."""
        known = self._known.get(messenger.id)
        if known is None or known[0] is not messenger:
            known = self._known[messenger.id] = messenger, _capabilities(messenger)
        return known[1]

    async def check(self, messenger: Messenger) -> None:
        """Take everything: whether the webhook answers shows when there is something to say."""

    async def send(self, delivery: Delivery) -> Taken:
        """Post the event; any 2xx means that the backend has it. Without an address, it waits in the feed."""
        url = delivery.messenger.webhook_url
        if url is None:
            return await self._keep(delivery)
        request = build_request(delivery, url)
        if request is None:
            return Taken()
        response = await self._transport.send(request, allowed=delivery.allowed)
        signed_webhook.read_taken(response)
        if isinstance(delivery.event, Started):
            return Taken(conversation_id=signed_webhook.read_conversation(response))
        return _TAKEN

    async def _keep(self, delivery: Delivery) -> Taken:
        messenger_id, event = delivery.messenger.id, delivery.event
        body = msgspec.json.encode(_event(delivery))
        topic = "" if isinstance(event, Started) else event.conversation_id or ""
        if isinstance(event, Typing):
            await self._feed.whisper(messenger_id, topic, body)
            return _TAKEN
        if not delivery.allowed():
            raise NotSent("not sent: the right to deliver it was lost")
        try:
            await self._feed.append(messenger_id, topic, delivery.id, body)
        except StoreUnavailable as error:
            raise InternalFailure(str(error)) from error
        return Taken(waiting=True)


_TAKEN: Final = Taken()


def _capabilities(messenger: Messenger) -> Capabilities:
    said = messenger.settings.get(_SETTING, {})
    if messenger.webhook_format is WebhookFormat.AMOJO_V1:
        said = _FIRST_GENERATION.model_dump() | said
    try:
        can = Capabilities.model_validate(said)
    except ValidationError:
        return EVERYTHING  # from before they were checked
    return EVERYTHING if can == EVERYTHING else can


def build_request(delivery: Delivery, url: str) -> Request | None:
    """Return the signed request in the shape the messenger asked for; None if that shape has no words for it. Pure."""
    messenger = delivery.messenger
    if messenger.webhook_format is not WebhookFormat.STANDARD:
        return _as_amojo(delivery, url)
    return signed_webhook.build(
        _event(delivery),
        url=url,
        secret=messenger.webhook_secret,
        webhook_id=delivery.id,
        now=delivery.now,
    )


def _event(delivery: Delivery) -> WebhookEvent:
    event, account = delivery.event, Account(delivery.link.scope_id, delivery.link.account_id)
    if isinstance(event, Message):
        return webhook_events.message_created(event, account)
    if isinstance(event, Reaction):
        return webhook_events.reaction_changed(event, account)
    if isinstance(event, Started):
        return webhook_events.conversation_started(event, account)
    return webhook_events.typing_started(event, account, now=delivery.now)


def _as_amojo(delivery: Delivery, url: str) -> Request | None:
    identity, event, now = delivery.messenger.amojo, delivery.event, delivery.now
    if isinstance(event, Message):
        if delivery.messenger.webhook_format is WebhookFormat.AMOJO_V1:
            return hooks.build_v1(identity, url, event)
        return hooks.build_v2(identity, url, event, now=now)
    if isinstance(event, Reaction):
        return hooks.build_reaction(identity, url, event, now=now)
    if isinstance(event, Typing):
        return hooks.build_typing(identity, url, event, now=now)
    # amojo itself says nothing: a conversation without the messenger's id is one that an operator began.
    return None
