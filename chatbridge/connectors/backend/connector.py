"""Delivers operators' messages to a backend's webhook."""

from typing import Final

from chatbridge.connectors.base import Delivery
from chatbridge.errors import Misconfigured
from chatbridge.model import WebhookFormat
from chatbridge.protocol import signed_webhook
from chatbridge.protocol.amojo import hooks
from chatbridge.protocol.http import Request, Transport


class BackendConnector:
    """The connector for messengers of kind `backend`."""

    kind: Final = "backend"

    def __init__(self, transport: Transport) -> None:
        """Send through this transport."""
        self._transport = transport

    async def send(self, delivery: Delivery) -> str | None:
        """Post the event; any 2xx means that the backend has it."""
        response = await self._transport.send(build_request(delivery), allowed=delivery.allowed)
        signed_webhook.read_taken(response)
        return None


def build_request(delivery: Delivery) -> Request:
    """Return the signed request in the shape the messenger asked for. Pure.

    Raises:
        Misconfigured: the messenger has no webhook address.

    """
    messenger, message = delivery.messenger, delivery.message
    if messenger.webhook_url is None:
        raise Misconfigured(
            "This messenger has no webhook_url yet. Set it with PATCH /v1/messengers/{id}."
        )
    if messenger.webhook_format is WebhookFormat.AMOJO_V2:
        return hooks.build_v2(messenger.amojo, messenger.webhook_url, message, now=delivery.now)
    if messenger.webhook_format is WebhookFormat.AMOJO_V1:
        return hooks.build_v1(messenger.amojo, messenger.webhook_url, message)
    link = delivery.link
    event = signed_webhook.message_created(
        message, scope_id=link.scope_id, account_id=link.account_id
    )
    return signed_webhook.build(
        event,
        url=messenger.webhook_url,
        secret=messenger.webhook_secret,
        webhook_id=delivery.id,
        now=delivery.now,
    )
