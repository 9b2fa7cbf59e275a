"""Takes what clients do, whichever way Telegram tells it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import structlog
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import Update

from chatbridge.clock import Clock
from chatbridge.connectors.host import Inbound
from chatbridge.connectors.telegram.client import BotClient
from chatbridge.connectors.telegram.updates import (
    Edited,
    Ignored,
    Pressed,
    Reacted,
    Told,
    chat_of,
    parse_update,
    read_update,
)
from chatbridge.errors import (
    DeliveryError,
    LinkAmbiguous,
    NotLinked,
    RequestRefused,
    UnreadablePayload,
)
from chatbridge.model import Message, Messenger

log = structlog.get_logger()

_WAITS: Final = (NotLinked, LinkAmbiguous)
"""What somebody may mend within the day for which Telegram keeps updates."""


class Receiver:
    """Hands updates in. When a method returns, what they told is on disk."""

    def __init__(self, inbound: Inbound, clock: Clock) -> None:
        """Hand in to `inbound`."""
        self._inbound, self._clock = inbound, clock

    async def take(self, messenger: Messenger, client: BotClient, bodies: Iterable[bytes]) -> None:
        """Take updates in their order: those of a chat one after another, chats side by side.

        Raises:
            NotLinked, LinkAmbiguous, StoreUnavailable: not all of them were taken; they have to be told again.

        """
        chats: defaultdict[int, list[Update]] = defaultdict(list)
        for body in bodies:
            try:
                update = parse_update(body)
            except UnreadablePayload as error:
                # Told again it would be no better, and would hold up all that comes behind it.
                log.error("telegram_update_unreadable", messenger=messenger.id, detail=str(error))  # noqa: TRY400
            else:
                chats[chat_of(update)].append(update)
        told = await asyncio.gather(
            *(self._take_chat(messenger, client, updates) for updates in chats.values()),
            return_exceptions=True,
        )
        for failure in filter(None, told):
            raise failure

    async def _take_chat(
        self, messenger: Messenger, client: BotClient, updates: Sequence[Update]
    ) -> None:
        for update in updates:
            for told in read_update(
                update, now=self._clock.wall(), max_bytes=client.settings.download_limit
            ):
                await self._take(messenger, client, told)

    async def _take(self, messenger: Messenger, client: BotClient, told: Told) -> None:
        try:
            await self._hand_in(messenger, told)
        except _WAITS:
            raise
        except RequestRefused as refused:
            # Such as a change of a message from before the bot was linked.
            log.warning("telegram_update_refused", messenger=messenger.id, code=refused.code)
        if isinstance(told, Pressed):
            await _answer(client, told.query_id)

    async def _hand_in(self, messenger: Messenger, told: Told) -> None:
        match told:
            case Message():
                await self._inbound.message(messenger, told)
            case Pressed():
                await self._inbound.message(messenger, told.message)
            case Edited():
                await self._inbound.edit(
                    messenger, told.message_id, told.content, name=told.name, at=told.at
                )
            case Reacted():
                await self._inbound.reaction(
                    messenger,
                    told.message_id,
                    told.client,
                    emoji=told.emoji,
                    removed=told.removed,
                    name=told.name,
                    at=told.at,
                )
            case Ignored():
                log.debug("telegram_update_ignored", messenger=messenger.id, why=told.why)


async def _answer(client: BotClient, query_id: str) -> None:
    """End the little clock on a button that was pressed. Nothing depends on it."""
    try:
        await client.call(AnswerCallbackQuery(callback_query_id=query_id), seconds=5)
    except DeliveryError as error:
        log.info("telegram_press_not_answered", code=error.code)
