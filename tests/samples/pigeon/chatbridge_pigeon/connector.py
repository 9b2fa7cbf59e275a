"""The connector for messengers of kind `pigeon`."""

import hmac
from collections.abc import Sequence

from aiohttp import web
from pydantic import SecretStr

from chatbridge import errors
from chatbridge.connectors.base import Connector, Delivery, MessengerSettings, Taken
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.connectors.host import Inbound
from chatbridge.model import FailureReason, Message, MessageType, Messenger
from chatbridge.protocol.http import Response
from chatbridge_pigeon.wire import build_letters, build_request, read_letter, read_letter_id


class PigeonSettings(MessengerSettings):
    """What may be set up about a loft."""

    api: str = "https://api.pigeon.example"
    token: SecretStr
    hook_token: SecretStr


class PigeonConnector(Connector):
    """One object serves all lofts."""

    kind = "pigeon"
    settings = PigeonSettings
    names_messages = True

    async def check(self, messenger: Messenger) -> None:
        """Ask Pigeon Post whether it knows the token."""
        await super().check(messenger)
        try:
            response = await self._call(messenger, "GET", "/loft")
        except errors.DeliveryError as error:
            raise errors.FarSideUnreachable(f"Pigeon Post: {error}") from error
        if response.status == 401:
            raise errors.InvalidFields(fields={"/settings/token": "Pigeon Post does not know it"})

    async def _call(
        self,
        messenger: Messenger,
        method: str,
        path: str,
        body: object = None,
        delivery: Delivery | None = None,
    ) -> Response:
        settings = PigeonSettings.model_validate(messenger.settings | messenger.secrets)
        token = settings.token.get_secret_value()
        request = build_request(method, settings.api + path, token, body)
        return await self.host.transport.send(request, allowed=delivery and delivery.allowed)

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what a pigeon carries."""
        return Capabilities(
            types=frozenset({MessageType.TEXT, MessageType.PICTURE, MessageType.FILE}),
            max_bytes=1_000_000,
            forwards=False,
            buttons=False,
            reactions=False,
            typing=False,
            reports=False,
        )

    async def send(self, delivery: Delivery) -> Taken:
        """Send a message, as several letters if one pigeon cannot carry it."""
        message = delivery.event
        if not isinstance(message, Message) or message.conversation_id is None:
            nobody = FailureReason.NO_CONVERSATION
            raise errors.Rejected("a pigeon finds nobody by phone", reason=nobody)
        ids = []
        for letter in build_letters(message, delivery.id):
            response = await self._call(delivery.messenger, "POST", "/letters", letter, delivery)
            ids.append(read_letter_id(response))
        return Taken(message_ids=tuple(ids))

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where Pigeon Post brings letters."""
        return [web.post("/connectors/pigeon/{messenger}", self._take)]

    async def start(self, inbound: Inbound) -> None:
        """Hand letters to `inbound` from now on."""
        self._inbound = inbound

    async def _take(self, request: web.Request) -> web.Response:
        """Take a letter. Unless this is answered 2xx, Pigeon Post brings it again."""
        wanted, given = request.match_info["messenger"], request.headers.get("Authorization", "")
        for messenger in self.host.messengers(self.kind):
            expected = f"Bearer {messenger.secrets['hook_token']}"
            if messenger.id == wanted and hmac.compare_digest(given.encode(), expected.encode()):
                await self._inbound.message(messenger, read_letter(await request.read()))
                return web.Response(status=204)
        raise errors.Unauthenticated
