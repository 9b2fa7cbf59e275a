"""A connection of aiohttp's that reads plain answers itself.

aiohttp's reading of an answer costs more than signing a message. So the bytes of a connection come to a protocol of ours, and as soon
as anything about an answer is unusual, aiohttp's protocol gets it, byte for byte (see `plain_answers`).
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import aiohttp

from chatbridge.clients.departures import Departures
from chatbridge.clients.plain_answers import read_plain_answer
from chatbridge.clients.pools import is_clean
from chatbridge.clients.reading import KEPT, AnswerHeaders, read_start
from chatbridge.protocol.http import Response

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection


class NotAllowed(Exception):
    """A request was not to be sent any more."""


class Wire(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(
        self,
        connection: "Connection",
        dial: aiohttp.ClientRequest,
        *,
        departures: Departures,
        broken: Callable[["Wire"], None],
    ) -> None:
        """Take over a connection that was just given out; `broken` is told when it is of no use any more."""
        if connection.protocol is None or connection.transport is None:
            connection.close()
            raise aiohttp.ClientConnectionError
        self._connection, self.dial = connection, dial
        self._departures, self._broken = departures, broken
        self._aiohttp: ResponseHandler = connection.protocol
        self._transport = connection.transport
        self._loop = connection.protocol._loop  # noqa: SLF001 - to ask which is running costs a system call before 3.12
        self._answer: asyncio.Future[Response | None] | None = None
        self.clean = True
        """Nothing was said on it since the last whole answer."""
        self.is_fresh = True
        """It has not brought an answer yet."""
        self.left = False
        """The first byte of the last request may have been written."""
        self.since = 0.0
        """When it became idle."""
        self._transport.set_protocol(self)

    async def exchange(
        self, request: bytes, *, allowed: Callable[[], bool] | None = None, has_body: bool = True
    ) -> Response:
        """Write a request, return its answer.

        Args:
            request: all of it.
            allowed: asked right before the first byte is written.
            has_body: whether the answer may have a body; that to a HEAD has none.

        Raises:
            NotAllowed: nothing was written, as `allowed` said no.
            ClientError, OSError, HttpProcessingError, EofStream: no whole answer came.

        """
        self.clean = self.left = False
        waiting = self._answer = self._loop.create_future()
        self._departures.add(partial(self._depart, waiting, request, allowed, has_body))
        return await waiting or await self._read_with_aiohttp()

    def _depart(
        self,
        waiting: "asyncio.Future[Response | None]",
        request: bytes,
        allowed: Callable[[], bool] | None,
        has_body: bool,  # noqa: FBT001 - of a partial
    ) -> None:
        """Write a request, unless there is no longer anybody who waits for its answer, or anybody to write to."""
        if waiting.done():
            return
        try:
            self._check_departure(allowed)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
            self._answer, self.clean = None, not self._transport.is_closing()
            waiting.set_exception(error)
            return
        self.left = True
        if not has_body:
            self._hand_over(has_body=False)
        self._transport.write(request)

    def _check_departure(self, allowed: Callable[[], bool] | None) -> None:
        if self._transport.is_closing():
            raise aiohttp.ClientConnectionError("it ended the connection before a request")
        if allowed is not None and not allowed():
            raise NotAllowed

    @property
    def usable(self) -> bool:
        """Return whether a request may be written to it."""
        return self.clean and not self._transport.is_closing()

    def close(self) -> None:
        """End the connection. What is not written yet is not written any more."""
        self.clean = False
        self._transport.abort()
        self._connection.close()

    def release(self) -> None:
        """Give the connection back to aiohttp's pool."""
        self._transport.set_protocol(self._aiohttp)
        self._connection.release()

    # --- what asyncio calls ---

    def data_received(self, data: bytes) -> None:
        """Take in an answer."""
        waiting, self._answer = self._answer, None
        if waiting is None or not self.left:
            # Nobody asked. What comes next here would be taken for the answer to the next request.
            self._broken(self)
            if waiting is not None and not waiting.done():
                waiting.set_exception(aiohttp.ClientConnectionError("it spoke before it was asked"))
            return
        answer = read_plain_answer(data)
        if answer is None:
            self._answer = waiting
            self._hand_over()
            self._aiohttp.data_received(data)
        elif not waiting.done():
            waiting.set_result(answer)
            self._note_end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let aiohttp know, which has the words for it, and whoever waits."""
        if self._answer is None:
            self._aiohttp.connection_lost(exc)
            self._broken(self)
            return
        self._hand_over()
        self._aiohttp.connection_lost(exc)

    def pause_writing(self) -> None:
        """Let aiohttp know: whoever is told so must be told the end of it, and aiohttp may read by then."""
        self._aiohttp.pause_writing()

    def resume_writing(self) -> None:
        """Let aiohttp know, see `pause_writing`."""
        self._aiohttp.resume_writing()

    # --- inside ---

    def _note_end(self) -> None:
        """Take note of a whole answer. It is said now: what comes before anybody runs makes it unclean again."""
        # An answer before the whole request was taken: the rest of it would be in the way of the next.
        self.clean = not self._transport.get_write_buffer_size()
        self.is_fresh = False

    def _hand_over(self, *, has_body: bool = True) -> None:
        """Let aiohttp read the answer."""
        self._aiohttp.set_response_params(
            skip_payload=not has_body,
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=KEPT,
        )
        self._transport.set_protocol(self._aiohttp)
        waiting, self._answer = self._answer, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def _read_with_aiohttp(self) -> Response:
        protocol = self._aiohttp
        message, payload = await protocol.read()
        while message.code < 200 and message.code != 101:
            message, payload = await protocol.read()
        said = payload.read_nowait() if payload.is_eof() else await read_start(payload)
        if len(said) <= KEPT and is_clean(protocol):
            self._transport.set_protocol(self)
            self._note_end()
        headers = AnswerHeaders(message.headers)
        return Response(status=message.code, headers=headers, body=said[:KEPT])
