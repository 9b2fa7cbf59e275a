"""Asks amoCRM what operators said in a conversation, at a modest pace."""

from collections.abc import Iterable
from typing import Final

import structlog

from chatbridge.bridge.directory import Directory
from chatbridge.clients.reading import KEPT
from chatbridge.clock import Clock
from chatbridge.errors import FarSideDown
from chatbridge.model import Message
from chatbridge.protocol.amojo import calls
from chatbridge.protocol.amojo.histories import Page, read_history
from chatbridge.protocol.http import Transport
from chatbridge.store.recoveries import Active

log = structlog.get_logger()

_LIMITS: Final = (25, 5, 1)
"""Messages asked for at once: fewer where an answer was larger than what is kept of one. amojo gives 50 at most."""


class Histories:
    """The histories of all conversations."""

    def __init__(
        self, *, directory: Directory, transport: Transport, clock: Clock, rate: float
    ) -> None:
        """Call amoCRM through `transport`, so many times in a second at most."""
        self._directory, self._transport, self._clock = directory, transport, clock
        self._interval = int(1_000_000 / rate)
        self._free_at = 0

    async def replies(self, conversation: Active, *, since: int, until: int) -> list[Message]:
        """Return what operators said in a conversation within a stretch of time, oldest first.

        Raises:
            DeliveryError: amoCRM did not give its history.

        """
        found: dict[str, Message] = {}
        offset, before = 0, None
        while True:
            page = await self._page(conversation, offset)
            if page.unreadable:
                log.warning(
                    "history_unreadable", link_id=conversation.link_id, count=page.unreadable
                )
            found |= {message.id: message for message in page.replies}
            offset += page.size
            # Who gives the same page again has no other.
            if page.size == 0 or page == before or is_older(page, since):
                return in_order(found.values(), since=since, until=until)
            before = page

    async def _page(self, conversation: Active, offset: int) -> Page:
        link = self._directory.link_by_id(conversation.link_id)
        channel = self._directory.channel(link.channel_id)
        for limit in _LIMITS:
            await self._take_turn()
            request = calls.history(
                channel,
                link.scope_id,
                conversation.amojo_id,
                offset=offset,
                limit=limit,
                now=self._clock.wall(),
            )
            response = await self._transport.send(request)
            if len(response.body) < KEPT:
                return read_history(
                    response,
                    conversation_id=conversation.external_id,
                    amojo_conversation_id=conversation.amojo_id,
                    now=self._clock.now(),
                )
        raise FarSideDown("amoCRM's history has a message that is too large to be read")

    async def _take_turn(self) -> None:
        now = self._clock.now()
        at = max(now, self._free_at)
        self._free_at = at + self._interval
        if at > now:
            await self._clock.sleep((at - now) / 1_000_000)


def is_older(page: Page, since: int) -> bool:
    """Return whether a page reaches back beyond a moment."""
    return page.oldest is not None and page.oldest < since


def in_order(messages: Iterable[Message], *, since: int, until: int) -> list[Message]:
    """Return messages that were written within a stretch of time, oldest first; they are given newest first."""
    within = [message for message in messages if since <= message.sent_at <= until]
    # What was written in the same millisecond stays in the order of the history.
    within.reverse()
    return sorted(within, key=lambda message: message.sent_at)
