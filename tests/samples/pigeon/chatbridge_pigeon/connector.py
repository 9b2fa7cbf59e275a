"""The connector for messengers of kind `pigeon`: letters come by webhook, and leave through Pigeon Post's API."""

import hmac
import json
from collections.abc import Sequence
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, SecretStr, ValidationError

from chatbridge import errors
from chatbridge.connectors.base import Connector, Delivery, MessengerSettings, Taken
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.connectors.host import Inbound
from chatbridge.model import Content, FailureReason, Message, MessageType, Messenger, Person
from chatbridge.protocol.http import Request, Response
from chatbridge.protocol.retry_after import read_retry_after

LONGEST = 1000
"""Characters that a pigeon carries."""


class PigeonSettings(MessengerSettings):
    """What may be set up about a loft."""

    api: str = "https://api.pigeon.example"
    token: SecretStr
    hook_token: SecretStr


class PigeonConnector(Connector):
    """The connector."""

    kind = "pigeon"
    settings = PigeonSettings
    names_messages = True

    async def check(self, messenger: Messenger) -> None:
        """Ask Pigeon Post whether it knows the token."""
        await super().check(messenger)
        try:
            response = await self.host.transport.send(_request(messenger, "GET", "/loft"))
        except errors.DeliveryError as error:
            raise errors.FarSideUnreachable(f"Pigeon Post: {error}") from error
        if response.status == 401:
            raise errors.InvalidFields(fields={"/settings/token": "Pigeon Post does not know it"})

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what a pigeon can carry."""
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
            raise errors.Rejected(
                "pigeons find nobody by phone", reason=FailureReason.NO_CONVERSATION
            )
        content, letters = message.content, []
        if content.media_url is not None:
            letters.append({"kind": content.type, "link": content.media_url})
        text = content.text or ""
        letters += [{"text": text[at : at + LONGEST]} for at in range(0, len(text), LONGEST)]
        ids = []
        for number, letter in enumerate(letters):
            about = {"about": message.reply_to} if message.reply_to and number == 0 else {}
            named = {"id": f"{delivery.id}.{number}", "loft": message.conversation_id}
            request = _request(delivery.messenger, "POST", "/letters", named | about | letter)
            response = await self.host.transport.send(request, allowed=delivery.allowed)
            ids.append(_letter_id(response))
        return Taken(message_ids=tuple(ids))

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where Pigeon Post brings letters."""
        return [web.post("/connectors/pigeon/{messenger}", self._take)]

    async def start(self, inbound: Inbound) -> None:
        """Hand letters to `inbound` from now on."""
        self._inbound = inbound

    async def _take(self, request: web.Request) -> web.Response:
        """Take a letter. Answered 2xx, it is on disk; anything else, and Pigeon Post brings it again."""
        wanted, given = (
            request.match_info["messenger"],
            request.headers.get("Authorization", ""),
        )
        found = [one for one in self.host.messengers(self.kind) if one.id == wanted]
        token = found[0].secrets["hook_token"] if found else ""
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()) or not found:
            raise errors.Unauthenticated
        try:
            letter = Letter.model_validate_json(await request.read())
        except ValidationError as error:
            raise errors.InvalidFields("This is no letter.") from error
        await self._inbound.message(found[0], read_letter(letter))
        return web.Response(status=204)


class Letter(BaseModel):
    """A letter as Pigeon Post brings it."""

    id: str
    loft: str
    author: str
    phone: str | None = None
    kind: Literal["text", "picture", "file"] = "text"
    text: str | None = None
    link: str | None = None
    file_name: str | None = None
    about: str | None = None
    written_at: int
    """Seconds."""


def read_letter(letter: Letter) -> Message:
    """Return the message that a letter is. Pure."""
    return Message(
        id=letter.id,
        conversation_id=letter.loft,
        sent_at=letter.written_at * 1_000_000,
        sender=Person(id=letter.loft, name=letter.author, phone=letter.phone),
        content=Content(
            type=MessageType(letter.kind),
            text=letter.text,
            media_url=letter.link,
            file_name=letter.file_name,
        ),
        reply_to=letter.about,
    )


def _request(messenger: Messenger, method: str, path: str, body: Any = None) -> Request:
    settings = PigeonSettings.model_validate(messenger.settings | messenger.secrets)
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
    said = b"" if body is None else json.dumps(body).encode()
    return Request(method=method, url=settings.api + path, headers=headers, body=said)


def _letter_id(response: Response) -> str:
    """Return the id of a letter that was taken."""
    status = response.status
    if status == 200:
        return str(json.loads(response.body)["id"])
    said = f"Pigeon Post answered HTTP {status}"
    if status == 410:
        raise errors.Rejected(said, status=status, reason=FailureReason.CONVERSATION_REMOVED)
    if status == 429:
        wait = read_retry_after(response.headers.get("retry-after"))
        raise errors.Throttled(said, status=status, retry_after=wait)
    if status >= 500:
        raise errors.FarSideDown(said, status=status)
    raise errors.Misconfigured(said, status=status)
