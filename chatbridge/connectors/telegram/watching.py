"""Looks after bots: asks for their updates, or sees to it that their webhook stands."""

from collections.abc import Awaitable, Callable
from typing import Final

import orjson
import structlog
from aiogram.methods import DeleteWebhook, GetWebhookInfo, SetWebhook
from aiogram.types import WebhookInfo

from chatbridge.clock import Clock
from chatbridge.connectors.telegram.client import BotClient, RawUpdates
from chatbridge.connectors.telegram.receiving import Receiver
from chatbridge.connectors.telegram.updates import WANTED
from chatbridge.errors import ChatbridgeError, DeliveryError
from chatbridge.model import Messenger

log = structlog.get_logger()

_LONG: Final = 50
"""Seconds that Telegram keeps a question open while there is nothing new."""
_BETWEEN: Final = 300.0
"""Seconds between two looks at a webhook."""
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
"""Seconds after a failure: doubled each time."""


async def poll(messenger: Messenger, client: BotClient, receiver: Receiver, clock: Clock) -> None:
    """Ask for updates and take them, without end. They are confirmed with the next question, so once they are on disk."""
    offset: int | None = None

    async def ask() -> None:
        nonlocal offset
        asked = RawUpdates(offset=offset, timeout=_LONG, allowed_updates=list(WANTED))
        updates = await client.call(asked, seconds=_LONG + 15)
        await receiver.take(messenger, client, [orjson.dumps(update) for update in updates])
        if updates:
            offset = int(updates[-1]["update_id"]) + 1

    await _steadily(lambda: client.call(DeleteWebhook()), messenger, clock)
    while True:
        await _steadily(ask, messenger, clock)


async def watch(
    messenger: Messenger, client: BotClient, clock: Clock, *, url: str, secret: str
) -> None:
    """Set the webhook, then look every five minutes whether it still stands and is served, without end."""
    wanted = SetWebhook(url=url, secret_token=secret, allowed_updates=list(WANTED))
    waiting = 0

    async def look() -> None:
        nonlocal waiting
        info = await client.call(GetWebhookInfo())
        if is_replaced(info, url):
            log.error("telegram_webhook_replaced", messenger=messenger.id)
            await client.call(wanted)
        elif info.pending_update_count > waiting > 0:
            log.error(
                "telegram_updates_pile_up",
                messenger=messenger.id,
                waiting=info.pending_update_count,
                telegram_says=info.last_error_message,
            )
        waiting = info.pending_update_count

    await _steadily(lambda: client.call(wanted), messenger, clock)
    while True:
        await clock.sleep(_BETWEEN)
        await _steadily(look, messenger, clock)


def is_replaced(info: WebhookInfo, url: str) -> bool:
    """Return whether a webhook is not ours any more: gone, somebody else's, or without the updates that are needed. Pure."""
    return info.url != url or set(info.allowed_updates or ()) != set(WANTED)


async def _steadily(
    act: Callable[[], Awaitable[object]], messenger: Messenger, clock: Clock
) -> None:
    """Do it, again and again until it is done."""
    wait = _FIRST_WAIT
    while True:
        try:
            await act()
        except ChatbridgeError as error:
            asked = error.retry_after if isinstance(error, DeliveryError) else None
            log.warning(
                "telegram_waits", messenger=messenger.id, code=error.code, detail=str(error)
            )
            await clock.sleep(asked or wait)
            wait = min(wait * 2, _LONGEST_WAIT)
        else:
            return
