"""Shows clients what operators do."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from msgspec.structs import replace

from chatbridge.connectors.base import Delivery, Taken
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.connectors.fallback import adapt, as_text
from chatbridge.connectors.host import Host
from chatbridge.connectors.telegram import calls
from chatbridge.connectors.telegram.client import (
    CALL_SECONDS,
    FILE_SECONDS,
    BotClient,
    FromDownload,
)
from chatbridge.connectors.telegram.names import Place
from chatbridge.errors import MediaError, NotSent, Rejected
from chatbridge.model import Message, MessageType, Reaction, Started, Typing

_REMEMBERED: Final = 10_000
_TEXT: Final = Capabilities(types=frozenset({MessageType.TEXT}))


class Sender:
    """Delivers through bots.

    A message that has to be sent as several goes on where it broke off: what Telegram took of it is remembered until the rest
    is through, or this server ends.
    """

    def __init__(self, host: Host) -> None:
        """Read files from `host`."""
        self._host = host
        self._begun: dict[str, list[str]] = {}

    async def send(self, client: BotClient, delivery: Delivery) -> Taken:
        """Deliver one event.

        Raises:
            DeliveryError: it did not arrive, or may not have.

        """
        match delivery.event:
            case Message() as message:
                return await self._message(client, delivery, message)
            case Reaction() as reaction:
                return await self._react(client, delivery, reaction)
            case Typing() as typing:
                call = calls.build_typing(typing.conversation_id)
                await client.call(call, allowed=delivery.allowed)
            case Started():
                calls.chat_id_of(None)
        return Taken()

    async def _react(self, client: BotClient, delivery: Delivery, reaction: Reaction) -> Taken:
        """Show a reaction; one that bots may not use is said in an answer."""
        call = calls.build_reaction(reaction)
        try:
            if call is not None:
                await client.call(call, allowed=delivery.allowed)
                return Taken()
        except Rejected as refused:
            if "REACTION_INVALID" not in str(refused):
                raise
        return await self._message(client, delivery, as_text(reaction, delivery.id))

    async def _message(self, client: BotClient, delivery: Delivery, message: Message) -> Taken:
        try:
            return await self._parts(client, delivery, message)
        except Rejected as refused:
            # A picture of odd proportions, a voice message to who takes none: as a file it arrives.
            shown = calls.has_file(message.content) and not self._begun.get(delivery.id)
            if not shown or refused.status != 400 or refused.reason is not None:
                raise
            content = replace(message.content, type=MessageType.FILE)
            return await self._parts(client, delivery, replace(message, content=content))

    async def _parts(self, client: BotClient, delivery: Delivery, message: Message) -> Taken:
        async with self._file(message) as (shown, file):
            seconds = CALL_SECONDS if file is None else FILE_SECONDS
            parts = calls.build_message(shown, file)
            done = self._begun.get(delivery.id, [])
            for part in parts[len(done) :]:
                sent = await client.call(part, seconds=seconds, allowed=delivery.allowed)
                done.append(str(Place(sent.chat.id, sent.message_id)))
                if len(done) < len(parts):
                    self._remember(delivery.id, done)
        self._begun.pop(delivery.id, None)
        return Taken(message_ids=tuple(done))

    @asynccontextmanager
    async def _file(self, message: Message) -> AsyncGenerator[tuple[Message, FromDownload | None]]:
        """Give the message with its file; as a text with a link if the file cannot be had."""
        content = message.content
        if not calls.has_file(content):
            yield message, None
            return
        try:
            async with self._host.open_file(content) as download:
                yield message, FromDownload(download, content.file_name or f"{content.type}")
                return
        except MediaError as error:
            if error.again:
                raise NotSent(f"The file cannot be read: {error}") from error
        yield adapt(message, _TEXT).message, None

    def _remember(self, delivery_id: str, done: list[str]) -> None:
        if len(self._begun) >= _REMEMBERED:
            self._begun.clear()
        self._begun[delivery_id] = done
