"""The connector for chats on websites: visitors' pages are connected by sockets, operators' replies wait for them in the feed."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from chatbridge.connectors.base import Connector, Delivery, Taken
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.connectors.host import Host, Inbound
from chatbridge.connectors.website import events
from chatbridge.connectors.website.chats import Chats
from chatbridge.connectors.website.doors import Doors
from chatbridge.connectors.website.hub import Hub
from chatbridge.connectors.website.settings import WebsiteSettings
from chatbridge.connectors.website.statics import Statics
from chatbridge.errors import InternalFailure, InvalidFields, Rejected, StoreUnavailable
from chatbridge.model import FailureReason, Message, Messenger, Reaction, Typing

_CAPABILITIES: Final = Capabilities(forwards=False)


class WebsiteConnector(Connector):
    """The connector for messengers of kind `website`."""

    kind = "website"
    settings = WebsiteSettings

    def __init__(self, host: Host) -> None:
        """Nobody is connected yet."""
        super().__init__(host)
        self._hub, chats = Hub(), Chats(self.kind, host)
        self._doors, self._statics = Doors(host, chats, self._hub), Statics(chats)
        self._ending: asyncio.Task[None] | None = None

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what our script shows: everything but who a message is passed on from."""
        del messenger
        return _CAPABILITIES

    async def check(self, messenger: Messenger) -> None:
        """Take what this server can do.

        Raises:
            InvalidFields: it would promise larger files than the server keeps.

        """
        await super().check(messenger)
        most = self.host.max_bytes
        if messenger.settings.get("max_bytes", 0) > most:
            words = f"must be {most} at most, which is media.max_bytes"
            raise InvalidFields(fields={"/settings/max_bytes": words})

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return the addresses of docs/reference/website-chat.md: they stand in people's pages, so they are short."""
        return *self._statics.routes(), *self._doors.routes()

    async def start(self, inbound: Inbound) -> None:
        """Let visitors in."""
        self._doors.inbound = inbound
        self._ending = asyncio.create_task(self._end(), name="website")

    async def stop(self) -> None:
        """Do nothing: the sockets were closed when the server began to stop."""
        if self._ending is not None:
            self._ending.cancel()
            await asyncio.gather(self._ending, return_exceptions=True)

    async def send(self, delivery: Delivery) -> Taken:
        """Put the event into the visitor's feed, from which the sockets read on every node."""
        messenger_id, event = delivery.messenger.id, delivery.event
        shown: events.Shown
        match event:
            case Typing(conversation_id=str(visitor)):
                body = events.types(event, now=delivery.now)
                await self.host.feed.whisper(messenger_id, visitor, body)
                return Taken()
            case Message(conversation_id=str(visitor)):
                shown = events.written(event, visitor, by_operator=True)
            case Reaction(conversation_id=str(visitor)):
                shown = events.reacted(event, visitor)
            case _:
                raise Rejected(
                    "A visitor of a website cannot be written to before they have written.",
                    reason=FailureReason.NO_CONVERSATION,
                )
        try:
            await self.host.feed.append(messenger_id, visitor, delivery.id, events.encode(shown))
        except StoreUnavailable as error:
            raise InternalFailure(str(error)) from error
        return Taken(waiting=True)

    async def _end(self) -> None:
        await self.host.stopping.wait()
        self._hub.close()
