"""The addresses of the website chat. Whose page calls is looked at before anything else."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec
from aiohttp import web

from chatbridge.connectors.host import Host, Inbound
from chatbridge.connectors.website import wire
from chatbridge.connectors.website.chats import Chat, Chats
from chatbridge.connectors.website.dialogue import Dialogue
from chatbridge.connectors.website.hub import Hub
from chatbridge.connectors.website.seals import Session, Ticket
from chatbridge.connectors.website.socket import Socket
from chatbridge.errors import (
    BodyTooLarge,
    Full,
    MalformedRequest,
    MediaTooLarge,
    RequestRefused,
    RequestTooSlow,
    TooMany,
    Unauthenticated,
)
from chatbridge.protocol.forwarded import address_of

AT: Final = "/chat/{messenger}"
_PROTOCOL: Final = "chatbridge.v1"
_HEARTBEAT: Final = 20.0
_FAREWELL: Final = 2.0
"""Seconds for a page to answer that a socket is closed."""
_SILENCE: Final = 30.0
"""Seconds within which more of a file has to come."""
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "7200",
}


class Doors:
    """What pages call."""

    inbound: Inbound
    """Where it goes what visitors do; to be set before the first call."""

    def __init__(self, host: Host, chats: Chats, hub: Hub) -> None:
        """Let pages in to these chats; sockets are kept in `hub`."""
        self._host, self._chats, self._hub = host, chats, hub

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return the addresses."""
        return (
            web.get(f"{AT}/settings", self.settings),
            web.get(f"{AT}/socket", self.socket, allow_head=False),
            web.post(f"{AT}/files", self.file),
            web.options(f"{AT}/files", self.preflight),
        )

    async def settings(self, request: web.Request) -> web.Response:
        """Return how a chat looks. A page of our own says no origin when it asks for what is at its own."""
        chat = await self._chats.get(request.match_info["messenger"])
        headers = {"Cache-Control": "public, max-age=60", "Vary": "Origin"}
        if "Origin" in request.headers:
            headers |= _cors(chat.admit(_origin(request)))
        return web.json_response(chat.settings.look(self._host.max_bytes), headers=headers)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Talk to a page."""
        chat = await self._chats.get(request.match_info["messenger"])
        origin = chat.admit(_origin(request))
        if self._hub.is_full or self._host.stopping.is_set():
            raise Full
        page = web.WebSocketResponse(
            protocols=[_PROTOCOL],
            heartbeat=_HEARTBEAT,
            timeout=_FAREWELL,
            max_msg_size=wire.MAX_FRAME,
            compress=False,  # a compressor for each would be most of its memory
        )
        await page.prepare(request)
        await Socket(
            chat=chat,
            host=self._host,
            hub=self._hub,
            inbound=self.inbound,
            page=page,
            dialogue=Dialogue(chat.seals, origin, self._host.new_id),
            address=address_of(request.remote, request.headers.get("X-Forwarded-For")),
        ).talk()
        return page

    async def file(self, request: web.Request) -> web.Response:
        """Keep a file of a visitor's."""
        chat = await self._chats.get(request.match_info["messenger"])
        headers = _cors(chat.admit(_origin(request)))
        try:
            return web.json_response(await self._take(request, chat), status=201, headers=headers)
        except RequestRefused as error:
            # Without these headers a browser would tell the page of a broken network.
            return _refusal(error, headers)

    async def preflight(self, request: web.Request) -> web.Response:
        """Say that a page may send a file."""
        chat = await self._chats.get(request.match_info["messenger"])
        headers = _cors(chat.admit(_origin(request)))
        return web.Response(status=204, headers=headers | _PREFLIGHT)

    async def _take(self, request: web.Request, chat: Chat) -> dict[str, object]:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        session = chat.seals.open(bearer, Session)
        if session is None or not session.is_good(self._host.clock.wall()):
            raise Unauthenticated("Send the session of the visitor.")
        if self._hub.uploads.wait(session.visitor, self._host.clock.now()):
            raise TooMany
        most = chat.settings.max_bytes
        if (request.content_length or 0) > most:
            raise _too_large(most)
        name = request.query.get("name") or None
        try:
            upload = await self.inbound.upload(
                chat.messenger, _bounded(request, most), file_name=name
            )
        except MediaTooLarge as error:
            raise BodyTooLarge(f"{error}.".capitalize()) from error
        ticket = Ticket(
            visitor=session.visitor,
            media_id=upload.id,
            url=upload.url,
            content_type=upload.content_type,
            size=upload.size,
            file_name=upload.file_name,
        )
        return {
            "media_id": chat.seals.seal(ticket),
            "url": upload.url,
            "content_type": upload.content_type,
            "size": upload.size,
            "file_name": upload.file_name,
        }


def _origin(request: web.Request) -> str | None:
    given = request.headers.getall("Origin", [])
    return given[0] if len(given) == 1 else None


def _cors(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"A file has {most:,} bytes at most here.")


async def _bounded(request: web.Request, most: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes, but no more than that."""
    size = 0
    try:
        while True:
            async with asyncio.timeout(_SILENCE):
                chunk = await request.content.readany()
            if not chunk:
                return
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            yield chunk
    except TimeoutError as error:
        raise RequestTooSlow from error
    except (ConnectionError, web.RequestPayloadError) as error:
        raise MalformedRequest("The body broke off before its end.") from error


def _refusal(error: RequestRefused, headers: Mapping[str, str]) -> web.Response:
    """Return an error as docs/reference/errors.md says."""
    problem = {
        "type": f"urn:chatbridge:problem:{error.code}",
        "title": error.title,
        "status": error.http_status,
        "detail": str(error),
        "code": error.code,
    }
    return web.Response(
        body=msgspec.json.encode(problem),
        status=error.http_status,
        headers=headers,
        content_type="application/problem+json",
    )
