"""The short way in: connections that carry plain requests to the hot addresses never meet aiohttp.

A message costs the server less than aiohttp spends on reading and answering it. So a connection begins here. As long as it sends
plain requests (see `plain_http`) to the two addresses where messages come in, they are answered here, by the same code that
answers them otherwise. The first request of another kind hands the connection over to aiohttp, with every byte of that request, for good.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, cast

from aiohttp.web_protocol import RequestHandler

from chatbridge.errors import RequestTooSlow
from chatbridge.web.answers import Answer
from chatbridge.web.callback import answer_callback
from chatbridge.web.draining import Draining, has_unread
from chatbridge.web.endpoint import Endpoint
from chatbridge.web.middlewares import name_request, note_answer
from chatbridge.web.ordinary import KEEP_ALIVE
from chatbridge.web.plain_http import PlainHead, read_head, write_answer
from chatbridge.web.problems import problem_of
from chatbridge.web.services import Services

HEAD_TIMEOUT: Final = 10.0
"""Seconds for the first request of a connection."""

_CALLBACKS: Final = "/location/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Express:
    """What all connections share."""

    services: Services
    messages: Endpoint[object]
    """The endpoint of `POST /v1/messages`."""
    aiohttp: Callable[[], RequestHandler]
    """Makes a connection of aiohttp's."""
    draining: Draining
    open: set["ExpressConnection"] = field(default_factory=set)

    def connection(self) -> "ExpressConnection":
        """Return the protocol for a new connection."""
        return ExpressConnection(self)

    async def stop(self) -> None:
        """Cut off what is still being answered, close every connection."""
        cut_off = [task for task in map(ExpressConnection.cut_off, list(self.open)) if task]
        await asyncio.gather(*cut_off, return_exceptions=True)

    def takes(self, path: str) -> bool:
        """Return whether plain requests for this path are answered here."""
        scope = path.removeprefix(_CALLBACKS)
        return path == self.messages.path or (
            scope != path and 0 < len(scope) <= 255 and "/" not in scope
        )

    def answer(self, head: PlainHead, body: bytes) -> Awaitable[Answer]:
        """Answer a plain request."""
        headers = head.headers
        if head.path == self.messages.path:
            return self.messages.answer_plain(
                self.services,
                headers.get("authorization", ""),
                headers.get("content-type", ""),
                body,
            )
        scope_id = head.path.removeprefix(_CALLBACKS)
        return answer_callback(self.services, scope_id, body, headers.get("x-signature"))

    def route(self, path: str) -> str:
        """Return the path as the route table writes it."""
        return path if path == self.messages.path else "/location/{scope_id}"


class ExpressConnection(asyncio.Protocol):
    """One connection; one request at a time, in the order in which they came."""

    def __init__(self, shared: Express) -> None:
        """Begin without a transport."""
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._head: PlainHead | None = None
        """The head of a request whose body is still arriving."""
        self._answering: asyncio.Task[None] | None = None
        self._closing = False
        self._paused = False
        self._unread = False

    @property
    def transport(self) -> asyncio.Transport:
        """Return what it is carried by, once it was made."""
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._shared.open.add(self)
        self._deadline = self._loop.time() + HEAD_TIMEOUT
        self._timer = self._loop.call_later(HEAD_TIMEOUT, self._look_at_the_time)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection. A request that is being answered is carried out."""
        del exc
        self._leave()

    def data_received(self, data: bytes) -> None:
        """Take in bytes, and begin to answer if they complete a request."""
        self._received += data
        if self._answering is None and not self._unread:
            self._go_on()
        elif len(self._received) > self._shared.services.body_limit:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Keep half a connection open only for an answer that is on its way."""
        self._closing = True
        return self._answering is not None

    def pause_writing(self) -> None:
        """Answer no more while the caller does not read the answers."""
        self._unread = True

    def resume_writing(self) -> None:
        """Go on answering."""
        self._unread = False
        if self._answering is None and self._received:
            self._go_on()

    def close_if_idle(self) -> None:
        """Close the connection unless some of a request is there."""
        if self._answering is None and not self._received and not has_unread(self._transport):
            self._transport.close()

    def cut_off(self) -> asyncio.Task[None] | None:
        """Close the connection; return what was answering it, which is told to end."""
        self._transport.close()
        if self._answering is not None:
            self._answering.cancel()
        return self._answering

    def _go_on(self) -> None:
        head = self._head or read_head(self._received)
        if head is None or not self._is_ours(head):
            self._hand_over()
            return
        end = head.size + head.length
        if len(self._received) < end:
            if self._head is None:
                self._head = head
                self._set_deadline(self._shared.services.body_timeout)
            return
        body = bytes(self._received[head.size : end])
        del self._received[:end]
        self._head = None
        self._answering = self._loop.create_task(self._answer(head, body))

    def _is_ours(self, head: PlainHead) -> bool:
        shared = self._shared
        return head.length <= shared.services.body_limit and shared.takes(head.path)

    async def _answer(self, head: PlainHead, body: bytes) -> None:
        begun = time.perf_counter()
        shared = self._shared
        request_id = name_request(head.headers.get("x-request-id"))
        route = shared.route(head.path)
        try:
            answer = await shared.answer(head, body)
        except Exception as error:  # noqa: BLE001 - the last line of defence; it is logged there
            answer = problem_of(error, route)
        note_answer(shared.services, "POST", route, answer.status, begun)
        # Requests that are here already are answered too; the last answer ends the connection.
        ending = self._closing or (shared.draining.last_answers and not self._received)
        self._send(answer, request_id, keep_alive=head.keep_alive and not ending)

    def _send(self, answer: Answer, request_id: str, *, keep_alive: bool) -> None:
        self._answering = None
        if self._transport.is_closing():
            return
        now = int(time.time())
        self._transport.write(write_answer(answer, request_id, now=now, keep_alive=keep_alive))
        if not keep_alive:
            self._transport.close()
            return
        self._deadline = self._loop.time() + KEEP_ALIVE
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if self._received and not self._unread:
            self._go_on()

    def _hand_over(self) -> None:
        """Give the connection to aiohttp, with what was received and not answered."""
        self._leave()
        handler = self._shared.aiohttp()
        self._transport.set_protocol(handler)
        handler.connection_made(self._transport)
        handler.data_received(bytes(self._received))

    def _leave(self) -> None:
        self._timer.cancel()
        self._shared.open.discard(self)

    def _set_deadline(self, seconds: float) -> None:
        self._deadline = self._loop.time() + seconds
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._look_at_the_time)

    def _look_at_the_time(self) -> None:
        """Close the connection if nothing came in time. Deadlines only move on, so one timer is enough."""
        left = self._deadline - self._loop.time()
        if self._answering is not None or left > 0:
            self._timer = self._loop.call_later(max(left, 1.0), self._look_at_the_time)
        elif self._head is None:
            self._transport.close()
        else:
            answer = problem_of(RequestTooSlow(), self._shared.route(self._head.path))
            self._send(answer, name_request(None), keep_alive=False)
