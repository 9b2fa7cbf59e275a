"""Delivers what operators do to a backend's webhook, or keeps it in a feed where there is none."""

from typing import Final

import msgspec

from chatbridge.connectors.backend.advice import advice
from chatbridge.connectors.backend.settings import BackendSettings, settings_of
from chatbridge.connectors.base import Connector, Delivery, Notice, Taken, Tested
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.connectors.host import Host
from chatbridge.errors import (
    DeliveryError,
    InternalFailure,
    NotSent,
    StoreUnavailable,
)
from chatbridge.model import (
    LinkEvent,
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
from chatbridge.protocol.http import Request
from chatbridge.protocol.webhook_events import Account, WebhookEvent


class BackendConnector(Connector):
    """The connector for messengers of kind `backend`."""

    kind = "backend"
    settings = BackendSettings

    def __init__(self, host: Host) -> None:
        """Send through the host's transport; keep in its feed what has no address to go to."""
        super().__init__(host)
        self._transport, self._feed = host.transport, host.feed
        self._known: dict[str, tuple[Messenger, BackendSettings]] = {}

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what the messenger's settings say; everything where they say nothing."""
        return self._settings(messenger).capabilities

    def wants(self, messenger: Messenger, notice: Notice) -> bool:
        """Return whether the messenger's settings name the notice; amojo's formats have no words for any."""
        standard = messenger.webhook_format is WebhookFormat.STANDARD
        has_words = standard or messenger.webhook_url is None
        return has_words and notice in self._settings(messenger).events

    def _settings(self, messenger: Messenger) -> BackendSettings:
        known = self._known.get(messenger.id)
        if known is None or known[0] is not messenger:
            known = self._known[messenger.id] = messenger, settings_of(messenger)
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
        topic = "" if isinstance(event, Started | LinkEvent) else event.conversation_id or ""
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

    async def test(self, messenger: Messenger) -> Tested:
        """Post an event of type `test` to the webhook, as any other event is posted."""
        if messenger.webhook_url is None:
            return Tested(ok=False, detail=_NO_ADDRESS, fix=_NO_ADDRESS_FIX)
        if messenger.webhook_format is not WebhookFormat.STANDARD:
            return Tested(ok=False, detail=_NO_WORD, fix=_NO_WORD_FIX)
        begun = self.host.clock.now()
        try:
            response = await self._transport.send(self._test_of(messenger, messenger.webhook_url))
            signed_webhook.read_taken(response)
        except DeliveryError as error:
            return Tested(
                ok=False,
                status=error.status,
                ms=self._ms_since(begun),
                code=error.code,
                detail=str(error),
                fix=advice(error),
            )
        return Tested(
            ok=True,
            status=response.status,
            ms=self._ms_since(begun),
            detail="The webhook took a test event.",
        )

    def _test_of(self, messenger: Messenger, url: str) -> Request:
        now = self.host.clock.wall()
        return _build(
            messenger,
            url,
            webhook_events.test_event(messenger.id, now=now),
            webhook_id=f"test_{self.host.new_id()}",
            now=now,
        )

    def _ms_since(self, begun: int) -> int:
        return (self.host.clock.now() - begun) // 1000


_NO_ADDRESS: Final = "This messenger has no webhook_url: its events wait in its stream."
_NO_ADDRESS_FIX: Final = (
    "Read them with GET /v1/events, or set webhook_url with PATCH /v1/messengers/{id}."
)
_NO_WORD: Final = "amojo's own callbacks have no word for a test."
_NO_WORD_FIX: Final = "Write a message in amoCRM's inbox, and look at GET /v1/messages/{id}."
_TAKEN: Final = Taken()


def build_request(delivery: Delivery, url: str) -> Request | None:
    """Return the signed request in the shape the messenger asked for; None if that shape has no words for it. Pure."""
    messenger, now = delivery.messenger, delivery.now
    if messenger.webhook_format is not WebhookFormat.STANDARD:
        return _as_amojo(delivery, url)
    return _build(messenger, url, _event(delivery), webhook_id=delivery.id, now=now)


def _build(
    messenger: Messenger, url: str, event: WebhookEvent, *, webhook_id: str, now: int
) -> Request:
    return signed_webhook.build(
        event,
        url=url,
        secrets=messenger.webhook_secrets(now),
        webhook_id=webhook_id,
        now=now,
    )


def _event(delivery: Delivery) -> WebhookEvent:
    event, account = delivery.event, Account(delivery.link.scope_id, delivery.link.account_id)
    if isinstance(event, Message):
        return webhook_events.message_created(event, account)
    if isinstance(event, Reaction):
        return webhook_events.reaction_changed(event, account)
    if isinstance(event, Started):
        return webhook_events.conversation_started(event, account)
    if isinstance(event, Report):
        return webhook_events.message_status(event, account)
    if isinstance(event, Typing):
        return webhook_events.typing_started(event, account, now=delivery.now)
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
