"""Passes on that somebody types: at once, seldom, and not at all if it does not go. Nothing of it is kept."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import structlog

from chatbridge.bridge.directory import Directory
from chatbridge.bridge.webhooks import Webhooks
from chatbridge.clock import Clock
from chatbridge.connectors.base import Connector, Delivery
from chatbridge.errors import ChatbridgeError
from chatbridge.model import Link, Signing, Typing
from chatbridge.protocol.amojo import calls, replies
from chatbridge.protocol.http import Transport

log = structlog.get_logger()

_SECONDS_BETWEEN: Final = 5
"""Seconds after which the same conversation may be told of again; amoCRM's own dots last as long."""
_CONVERSATIONS: Final = 10_000
"""Conversations whose last time is remembered."""
_AT_ONCE: Final = 64
"""Calls under way; beyond, nothing is passed on."""


class TypingRelay:
    """Both directions of it."""

    def __init__(
        self,
        *,
        directory: Directory,
        transport: Transport,
        connectors: Mapping[str, Connector],
        webhooks: Webhooks,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        """Call amoCRM through `transport` and messengers through the connector of their kind, but for `webhooks` that are paused."""
        self._directory, self._transport = directory, transport
        self._connectors, self._webhooks = connectors, webhooks
        self._clock, self._new_id = clock, new_id
        self._told: dict[tuple[int, str], int] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    def client_types(
        self, link: Link, conversation_id: str, client_id: str, *, duration: int
    ) -> None:
        """Tell amoCRM that a client types, for so many milliseconds. The generation of 2017 has no word for it."""
        channel = self._directory.channel(link.channel_id)
        if channel.signing is Signing.LEGACY or not self._may_tell(link, f"> {conversation_id}"):
            return
        request = calls.typing(
            channel,
            link.scope_id,
            conversation_id,
            client_id,
            duration=duration,
            now=self._clock.wall(),
        )

        async def tell() -> None:
            replies.read_done(await self._transport.send(request))

        self._begin(tell())

    def operator_types(self, link: Link, typing: Typing) -> None:
        """Tell the messenger that an operator types, if it shows that."""
        messenger = self._directory.messenger(link.messenger_id)
        connector = self._connectors.get(messenger.kind)
        conversation = typing.conversation_id or typing.amojo_conversation_id
        if connector is None or not connector.capabilities(messenger).typing:
            return
        if not self._may_tell(link, f"< {conversation}"):
            return
        delivery = Delivery(
            id=f"typ_{self._new_id()}",
            messenger=messenger,
            link=link,
            event=typing,
            now=self._clock.wall(),
            allowed=lambda: True,
        )

        async def tell() -> None:
            self._webhooks.check(messenger)
            await connector.send(delivery)

        self._begin(tell())

    async def stop(self) -> None:
        """End what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _may_tell(self, link: Link, conversation: str) -> bool:
        now = self._clock.now()
        if len(self._under_way) >= _AT_ONCE or now < self._told.get((link.id, conversation), 0):
            return False
        if len(self._told) >= _CONVERSATIONS:
            self._told.clear()
        self._told[link.id, conversation] = now + _SECONDS_BETWEEN * 1_000_000
        return True

    def _begin(self, telling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_quietly(telling), name="typing")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


async def _quietly(telling: Coroutine[Any, Any, None]) -> None:
    try:
        await telling
    except ChatbridgeError as error:
        log.debug("typing_not_told", code=error.code)
