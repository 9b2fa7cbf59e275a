"""The connector for Telegram bots. It imports aiogram when there is a bot: that takes seconds and 100 MB."""

import asyncio
import hmac
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from chatbridge.connectors.base import Connector, Delivery, MessengerSettings, Taken, Tested
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.connectors.host import Download, Host, Inbound
from chatbridge.connectors.telegram.settings import TelegramSettings, is_reachable
from chatbridge.errors import DeliveryError, FarSideUnreachable, InvalidFields, Misconfigured
from chatbridge.model import Messenger

if TYPE_CHECKING:
    from chatbridge.connectors.telegram.bots import Bots

log = structlog.get_logger()

_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
_PURPOSE: Final = "telegram webhook"
_BODY_SECONDS: Final = 10.0


class TelegramConnector(Connector):
    """Bots of Telegram."""

    kind: ClassVar[str] = "telegram"
    settings: ClassVar[type[MessengerSettings]] = TelegramSettings
    names_messages = True

    def __init__(self, host: Host) -> None:
        """Prepare."""
        super().__init__(host)
        self._inbound: Inbound | None = None
        self._bots: Bots | None = None
        self._opening = asyncio.Lock()
        self._watched: dict[str, tuple[Messenger, asyncio.Task[None]]] = {}

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what Telegram takes: everything but forwards, and it reports nothing."""
        limit = TelegramSettings.of(messenger).upload_limit
        return Capabilities(max_bytes=limit, forwards=False, reports=False)

    async def check(self, messenger: Messenger) -> None:
        """See to it that Telegram knows the token, and that no other messenger has this bot."""
        await super().check(messenger)
        settings = TelegramSettings.of(messenger)
        if settings.mode == "webhook" and not (
            settings.api_base or is_reachable(self.host.public_url)
        ):
            raise InvalidFields(
                fields={"/settings/mode": "Telegram calls public https addresses; use polling"}
            )
        for other in self.host.messengers(self.kind):
            if other.id != messenger.id and TelegramSettings.of(other).bot_id == settings.bot_id:
                raise InvalidFields(
                    fields={"/settings/token": f"this bot belongs to messenger {other.id}"}
                )
        try:
            bots = await self._open()
        except Misconfigured as error:
            raise InvalidFields(fields={"/kind": str(error)}) from error
        try:
            await bots.check(settings)
        except Misconfigured as error:
            place = "token" if error.status == 401 else "api_base"
            raise InvalidFields(fields={f"/settings/{place}": str(error)}) from error
        except DeliveryError as error:
            raise FarSideUnreachable(
                f"Telegram did not say whose token this is: {error}"
            ) from error

    async def test(self, messenger: Messenger) -> Tested:
        """Ask Telegram who the bot is and whether its updates get through."""
        return await (await self._open()).test(messenger)

    async def send(self, delivery: Delivery) -> Taken:
        """Show the client what an operator does."""
        return await (await self._open()).send(delivery)

    @asynccontextmanager
    async def fetch(self, messenger: Messenger, ref: str) -> AsyncGenerator[Download]:
        """Give a client's file."""
        bots = await self._open()
        async with bots.client(messenger).open_file(ref) as download:
            yield download

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where Telegram calls."""
        return (web.post("/connectors/telegram/{messenger}", self._receive),)

    async def start(self, inbound: Inbound) -> None:
        """Hand in to `inbound`."""
        self._inbound = inbound

    async def look_after(self, messengers: Sequence[Messenger]) -> None:
        """Ask for updates of these bots, or watch over their webhooks."""
        wanted = {messenger.id: messenger for messenger in messengers}
        ended = [
            self._watched.pop(key)[1]
            for key, (messenger, _) in list(self._watched.items())
            if wanted.get(key) != messenger
        ]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        for key in wanted.keys() - self._watched.keys():
            task = asyncio.create_task(self._watch(wanted[key]), name=f"telegram {key}")
            self._watched[key] = wanted[key], task

    async def _watch(self, messenger: Messenger) -> None:
        settings = TelegramSettings.of(messenger)
        address = f"{self.host.public_url}/connectors/telegram/{messenger.id}"
        try:
            bots = await self._open()
            if settings.uses_webhook(self.host.public_url):
                await bots.watch(messenger, address, self._secrets(messenger.id)[0])
            else:
                await bots.poll(messenger, self._door())
        except Exception:
            log.exception("telegram_watch_ended", messenger=messenger.id)

    async def _receive(self, request: web.Request) -> web.Response:
        """Take an update; it is answered when it is on disk, and told again by Telegram if it is not."""
        name = request.match_info["messenger"]
        given = request.headers.get(_HEADER, "").encode()
        right = [hmac.compare_digest(given, each.encode()) for each in self._secrets(name)]
        messenger = await self.host.find_messenger(name) if any(right) else None
        if messenger is None or messenger.kind != self.kind:
            return web.Response(status=401)
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.read()
        except (TimeoutError, ConnectionError, HttpProcessingError, web.RequestPayloadError):
            return web.Response(status=400)
        bots = await self._open()
        await bots.receive(messenger, self._door(), body)
        return web.Response()

    def _secrets(self, messenger_id: str) -> list[str]:
        """Return what Telegram shows when it calls for a messenger: the first is told to it, all are taken."""
        keys, name = self.host.keys(_PURPOSE), messenger_id.encode()
        return [hmac.new(key, name, "sha256").hexdigest() for key in keys]

    def _door(self) -> Inbound:
        if self._inbound is None:
            raise RuntimeError("the connector is not started")
        return self._inbound

    async def _open(self) -> "Bots":
        """Return what needs aiogram, which is imported now in a thread: it takes seconds.

        Raises:
            Misconfigured: it is not installed.

        """
        async with self._opening:
            if self._bots is None:
                try:
                    module = await asyncio.to_thread(import_module, f"{__package__}.bots")
                except ModuleNotFoundError as error:
                    raise Misconfigured(
                        "Telegram bots need aiogram: install chatbridge[telegram] on this server."
                    ) from error
                self._bots = module.Bots(self.host)
            return self._bots
