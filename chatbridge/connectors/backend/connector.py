"""Delivers what operators do to a backend's webhook."""

from typing import Final

from chatbridge.connectors.backend.settings import BackendSettings, settings_of
from chatbridge.connectors.base import Deliverable, Delivery, Notice, Taken
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.errors import Misconfigured
from chatbridge.model import (
    Message,
    Messenger,
    Reaction,
    Report,
    Started,
    Typing,
    WebhookFormat,
)
from chatbridge.protocol import signed_webhook, webhook_events
from chatbridge.protocol.amojo import hooks
from chatbridge.protocol.http import Request, Transport
from chatbridge.protocol.webhook_events import Account, WebhookEvent


class BackendConnector:
    """The connector for messengers of kind `backend`."""

    kind: Final = "backend"

    def __init__(self, transport: Transport) -> None:
        """Send through this transport."""
        self._transport = transport
        self._known: dict[str, tuple[Messenger, BackendSettings]] = {}

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what the messenger's settings say; everything where they say nothing."""
        return self._settings(messenger).capabilities

    def wants(self, messenger: Messenger, notice: Notice) -> bool:
        """Return whether the messenger's settings name the notice; amojo's formats have no words for any."""
        standard = messenger.webhook_format is WebhookFormat.STANDARD
        return standard and notice in self._settings(messenger).events

    def _settings(self, messenger: Messenger) -> BackendSettings:
        known = self._known.get(messenger.id)
        if known is None or known[0] is not messenger:
            known = self._known[messenger.id] = messenger, settings_of(messenger)
        return known[1]

    async def send(self, delivery: Delivery) -> Taken:
        """Post the event; any 2xx means that the backend has it."""
        request = build_request(delivery)
        if request is None:
            return Taken()
        response = await self._transport.send(request, allowed=delivery.allowed)
        signed_webhook.read_taken(response)
        if isinstance(delivery.event, Started):
            return Taken(conversation_id=signed_webhook.read_conversation(response))
        return _TAKEN


_TAKEN: Final = Taken()


def build_request(delivery: Delivery) -> Request | None:
    """Return the signed request in the shape the messenger asked for; None if that shape has no words for it. Pure.

    Raises:
        Misconfigured: the messenger has no webhook address.

    """
    messenger, event = delivery.messenger, delivery.event
    if messenger.webhook_url is None:
        raise Misconfigured(
            "This messenger has no webhook_url yet. Set it with PATCH /v1/messengers/{id}."
        )
    if messenger.webhook_format is not WebhookFormat.STANDARD:
        return _as_amojo(delivery, messenger.webhook_url)
    account = Account(delivery.link.scope_id, delivery.link.account_id)
    return signed_webhook.build(
        _event(event, account, now=delivery.now),
        url=messenger.webhook_url,
        secrets=messenger.webhook_secrets(delivery.now),
        webhook_id=delivery.id,
        now=delivery.now,
    )


def _event(event: Deliverable, account: Account, *, now: int) -> WebhookEvent:
    if isinstance(event, Message):
        return webhook_events.message_created(event, account)
    if isinstance(event, Reaction):
        return webhook_events.reaction_changed(event, account)
    if isinstance(event, Started):
        return webhook_events.conversation_started(event, account)
    if isinstance(event, Report):
        return webhook_events.message_status(event, account)
    if isinstance(event, Typing):
        return webhook_events.typing_started(event, account, now=now)
    return webhook_events.link_changed(event, account)


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
    # amojo itself says nothing of the rest: a conversation without the messenger's id is one that an operator began.
    return None
