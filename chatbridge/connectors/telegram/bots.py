"""Everything of the connector that needs aiogram, behind one door."""

from typing import Any, Final

from aiogram.methods import GetMe, GetWebhookInfo

from chatbridge.connectors.base import Delivery, Taken, Tested
from chatbridge.connectors.host import Host, Inbound
from chatbridge.connectors.telegram import watching
from chatbridge.connectors.telegram.client import BotClient
from chatbridge.connectors.telegram.receiving import Receiver
from chatbridge.connectors.telegram.sending import Sender
from chatbridge.connectors.telegram.settings import TelegramSettings
from chatbridge.errors import DeliveryError
from chatbridge.model import Messenger

_ASKED: Final = 10.0
"""Seconds for what somebody is waiting to see."""
_UNREACHED: Final = "See to it that Telegram can call public_url, or set settings.mode to polling."


class Bots:
    """The bots of this server."""

    def __init__(self, host: Host) -> None:
        """Call through `host`."""
        self._host, self._sender = host, Sender(host)
        self._clients: dict[str, tuple[Messenger, BotClient]] = {}

    def client(self, messenger: Messenger) -> BotClient:
        """Return the client of a messenger's bot."""
        known = self._clients.get(messenger.id)
        if known is None or known[0] != messenger:
            client = BotClient(self._host.http, TelegramSettings.of(messenger))
            known = self._clients[messenger.id] = messenger, client
        return known[1]

    async def check(self, settings: TelegramSettings) -> None:
        """Ask Telegram who the bot is.

        Raises:
            Misconfigured: it is none (then `status` is 401), or its server may not be called.
            DeliveryError: nobody can say.

        """
        await BotClient(self._host.http, settings).call(GetMe(), seconds=_ASKED)

    async def test(self, messenger: Messenger) -> Tested:
        """Ask Telegram who the bot is and whether its updates get through; see `Connector.test`."""
        client, clock = self.client(messenger), self._host.clock
        begun = clock.now()
        try:
            me = await client.call(GetMe(), seconds=_ASKED)
            info = await client.call(GetWebhookInfo(), seconds=_ASKED)
        except DeliveryError as error:
            said: dict[str, Any] = {"status": error.status, "code": error.code}
            return Tested(ok=False, detail=str(error), **said)
        waiting = f"{info.pending_update_count} updates wait for @{me.username}"
        trouble = info.last_error_message if info.pending_update_count else None
        return Tested(
            ok=trouble is None,
            ms=(clock.now() - begun) // 1000,
            detail=waiting if trouble is None else f"{waiting}. Telegram says: {trouble}",
            fix=trouble and _UNREACHED,
        )

    async def send(self, delivery: Delivery) -> Taken:
        """Show a client what an operator does; see `Connector.send`."""
        return await self._sender.send(self.client(delivery.messenger), delivery)

    async def receive(self, messenger: Messenger, inbound: Inbound, body: bytes) -> None:
        """Take one update; see `Receiver.take`."""
        await Receiver(inbound, self._host.clock).take(messenger, self.client(messenger), [body])

    async def poll(self, messenger: Messenger, inbound: Inbound) -> None:
        """Ask for updates and take them, without end."""
        receiver = Receiver(inbound, self._host.clock)
        await watching.poll(messenger, self.client(messenger), receiver, self._host.clock)

    async def watch(self, messenger: Messenger, url: str, secret: str) -> None:
        """See to it that Telegram calls this address, without end."""
        client = self.client(messenger)
        await watching.watch(messenger, client, self._host.clock, url=url, secret=secret)
