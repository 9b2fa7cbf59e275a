"""Everything of the connector that needs aiogram, behind one door."""

from aiogram.methods import GetMe

from chatbridge.connectors.base import Delivery, Taken
from chatbridge.connectors.host import Host, Inbound
from chatbridge.connectors.telegram import watching
from chatbridge.connectors.telegram.client import BotClient
from chatbridge.connectors.telegram.receiving import Receiver
from chatbridge.connectors.telegram.sending import Sender
from chatbridge.connectors.telegram.settings import TelegramSettings
from chatbridge.model import Messenger


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
        await BotClient(self._host.http, settings).call(GetMe(), seconds=10)

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
