"""Delivers entries of the journal: to amoCRM, and to messengers. The courier calls these, one attempt at a time."""

from collections.abc import Callable, Mapping

from chatbridge.bridge.directory import Directory
from chatbridge.clock import Clock
from chatbridge.connectors.base import Connector, Delivery
from chatbridge.delivery.courier import Receipt
from chatbridge.errors import Misconfigured
from chatbridge.model import LinkState
from chatbridge.protocol.amojo import calls, replies
from chatbridge.protocol.http import Transport
from chatbridge.store.entries import Entry


class Sending:
    """One method for each direction."""

    def __init__(
        self,
        *,
        directory: Directory,
        transport: Transport,
        connectors: Mapping[str, Connector],
        clock: Clock,
    ) -> None:
        """Call amoCRM through `transport` and messengers through the connector of their kind."""
        self._directory, self._transport = directory, transport
        self._connectors, self._clock = connectors, clock

    async def to_amojo(self, entry: Entry, allowed: Callable[[], bool]) -> Receipt:
        """Publish a client's message. The request is signed now, for this attempt.

        Raises:
            DeliveryError: amoCRM did not take it, or may not have.

        """
        try:
            link = self._directory.link_by_id(entry.link_id)
        except KeyError:
            link = await self._directory.link_made_lately(entry.link_id)
        if link.state is not LinkState.CONNECTED:
            raise Misconfigured("The account is disconnected. Link it again to deliver what waits.")
        channel = self._directory.channel(link.channel_id)
        message = entry.read()
        request = calls.send_message(channel, link.scope_id, message, now=self._clock.wall())
        sent = replies.read_sent(await self._transport.send(request, allowed=allowed))
        return Receipt(far_id=sent.message_id, far_conversation_id=sent.conversation_id)

    async def to_messenger(self, entry: Entry, allowed: Callable[[], bool]) -> Receipt:
        """Hand an operator's message to the messenger.

        Raises:
            DeliveryError: the messenger did not take it, or may not have.

        """
        try:
            link = self._directory.link_by_id(entry.link_id)
        except KeyError:
            link = await self._directory.link_made_lately(entry.link_id)
        messenger = self._directory.messenger(link.messenger_id)
        connector = self._connectors.get(messenger.kind)
        if connector is None:
            raise Misconfigured(
                f"This server has no connector for messengers of kind {messenger.kind!r}."
            )
        delivery = Delivery(
            id=f"msg_{entry.key.hex()}",
            messenger=messenger,
            link=link,
            message=entry.read(),
            now=self._clock.wall(),
            allowed=allowed,
        )
        return Receipt(far_id=await connector.send(delivery))
