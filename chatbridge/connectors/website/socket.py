"""The I/O of one socket: one task reads what the page says, one writes what is new. What it means, `dialogue` knows."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import WSMessage, WSMsgType, web

from chatbridge.connectors.feed import Listening
from chatbridge.connectors.host import Host, Inbound
from chatbridge.connectors.website import wire
from chatbridge.connectors.website.chats import Chat
from chatbridge.connectors.website.dialogue import AT_ONCE, Dialogue
from chatbridge.connectors.website.hub import Hub
from chatbridge.connectors.website.outputs import (
    Code,
    Enter,
    HangUp,
    Look,
    Output,
    Report,
    ShowTyping,
    Take,
    Tell,
)
from chatbridge.errors import (
    LinkAmbiguous,
    NotFound,
    NotLinked,
    RequestRefused,
    StoreUnavailable,
    TooMany,
)
from chatbridge.model import FeedEvent

log = structlog.get_logger()

_HELLO: Final = 10.0
"""Seconds for the first frame."""
_PATIENCE: Final = 10.0
"""Seconds for a page to take what it is sent, once the system holds no more of it."""
_PAGE: Final = 32
"""Events read at once: all that a socket has in memory."""
_PAUSE: Final = 1.0
"""Seconds before the database is asked again after it failed."""
_TYPING: Final = 5_000
"""Milliseconds for which a page says that the visitor types."""
_REASON: Final = 120
"""Bytes of why a socket is closed; the protocol has no room for more (RFC 6455, 5.5)."""
_NOT_SET_UP: Final = 30.0
_STORE_AWAY: Final = 5.0
"""Seconds after which a message may be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """A page that is connected."""

    chat: Chat
    host: Host
    hub: Hub
    inbound: Inbound
    page: web.WebSocketResponse
    dialogue: Dialogue
    address: str
    """Where the visitor calls from."""

    async def talk(self) -> None:
        """Talk until one of the two sides goes."""
        try:
            async with self.hub.connected():
                await self._guarded(self._greet())
        except TimeoutError:
            # Nobody else may close it: only whoever reads can wait for the page's answer, and a connection that ends with anything
            # unread takes the farewell with it.
            await self._hang_up(Code.RESTART, "The server restarts.")

    async def _greet(self) -> None:
        try:
            first = await self.page.receive(timeout=_HELLO)
        except TimeoutError:
            await self._hang_up(Code.TOO_SLOW, "There was no hello.")
            return
        (output,) = self._hear(first)
        if not isinstance(output, Enter):
            await self._perform([output])
        elif output.is_new and self.hub.newcomers.wait(self.address, self.host.clock.now()):
            await self._hang_up(Code.TOO_MANY, "Too many new visitors.")
        else:
            await self._enter(output)

    async def _enter(self, enter: Enter) -> None:
        with (
            self.hub.entered(enter.visitor) as fits,
            self.host.feed.listen(self.chat.messenger.id, enter.visitor) as listening,
        ):
            if not fits:
                await self._hang_up(Code.TOO_MANY, "Too many pages.")
                return
            try:
                newest = await self._newest(enter)
            except StoreUnavailable:
                await self._hang_up(Code.AWAY, "The database is away.")
                return
            await self._perform(self.dialogue.entered(newest, self.host.clock.wall()))
            log.debug("visitor_entered", visitor=enter.visitor)
            writing = asyncio.create_task(self._guarded(self._write_on(listening)), name="visitor")
            try:
                await self._read_on()
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)

    async def _newest(self, enter: Enter) -> Sequence[FeedEvent]:
        if enter.is_new:
            return ()
        return await self.host.feed.newest(self.chat.messenger.id, enter.visitor, AT_ONCE + 1)

    async def _guarded(self, task: Awaitable[None]) -> None:
        try:
            await task
        except ConnectionError:
            log.debug("visitor_gone")
        except Exception:
            log.exception("visitor_fault")
            await self._hang_up(Code.FAULT, "A fault of the server.")

    # --- the two tasks ---

    async def _read_on(self) -> None:
        async for message in self.page:
            if self.hub.frames.wait(self.dialogue.visitor_id, self.host.clock.now()):
                await self._hang_up(Code.TOO_MANY, "Too many frames.")
                return
            await self._perform(self._hear(message))

    async def _write_on(self, listening: Listening) -> None:
        while True:
            for whisper in await listening.wait():
                await self._tell(whisper)
            while await self._catch_up():
                pass

    async def _catch_up(self) -> bool:
        """Tell what is new; return whether there may be more."""
        dialogue, messenger_id = self.dialogue, self.chat.messenger.id
        try:
            newer = await self.host.feed.read(
                messenger_id, dialogue.position, _PAGE, dialogue.visitor_id
            )
        except StoreUnavailable:
            await self.host.clock.sleep(_PAUSE)
            return True
        await self._perform(dialogue.arrived(newer))
        return len(newer) == _PAGE

    # --- outputs ---

    def _hear(self, message: WSMessage) -> list[Output]:
        data = message.data if message.type is WSMsgType.TEXT else ""
        return self.dialogue.receive(data, self.host.clock.wall())

    async def _perform(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            match output:
                case Tell(frame):
                    await self._tell(frame)
                case Take():
                    await self._take(output)
                case Report():
                    await self._report(output)
                case Look(before):
                    await self._look(before)
                case ShowTyping():
                    visitor = self.dialogue.visitor_id
                    await self.inbound.typing(
                        self.chat.messenger, visitor, visitor, milliseconds=_TYPING
                    )
                case HangUp(code, reason):
                    await self._hang_up(code, reason)

    async def _take(self, take: Take) -> None:
        messenger, visitor = self.chat.messenger, self.dialogue.visitor_id
        wait = self.chat.messages.wait(visitor, self.host.clock.now())
        if wait:
            await self._refuse(take, TooMany(), wait)
            return
        try:
            await self.inbound.message(messenger, take.message)
            position = await self.host.feed.append(
                messenger.id, visitor, take.message.id, take.shown
            )
        except (NotLinked, LinkAmbiguous) as error:
            # Whoever runs the site will mend it; the visitor's words wait in the page.
            await self._refuse(take, error, _NOT_SET_UP)
        except StoreUnavailable as error:
            await self._refuse(take, error, _STORE_AWAY)
        except RequestRefused as error:
            await self._refuse(take, error, None)
        else:
            await self._tell(wire.accepted(take.page_id, position))

    async def _refuse(
        self, take: Take, error: RequestRefused | StoreUnavailable, retry_after: float | None
    ) -> None:
        await self._tell(wire.refused(take.page_id, error.code, str(error), retry_after))

    async def _report(self, report: Report) -> None:
        for message_id in report.message_ids:
            try:
                is_news = await self.inbound.mark(
                    self.chat.messenger, message_id, report.mark, at=self.host.clock.wall()
                )
            except (NotFound, StoreUnavailable) as error:
                log.warning("mark_not_taken", reason=error.code)
                return
            if not is_news:
                return

    async def _look(self, before: int) -> None:
        try:
            older = await self.host.feed.newest(
                self.chat.messenger.id, self.dialogue.visitor_id, AT_ONCE + 1, before=before
            )
        except StoreUnavailable:
            return  # the page asks again
        await self._perform(self.dialogue.looked(older))

    async def _tell(self, frame: bytes) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.page.send_frame(frame, WSMsgType.TEXT)
        except TimeoutError:
            await self._hang_up(Code.TOO_SLOW, "The page does not take what it is sent.")
            raise ConnectionResetError("the page does not read") from None

    async def _hang_up(self, code: Code, reason: str) -> None:
        await self.page.close(code=code, message=reason.encode()[:_REASON], drain=False)
