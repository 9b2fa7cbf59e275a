"""A network between two programs that can be cut: a TCP proxy on loopback."""

import asyncio
import contextlib
import re
from dataclasses import dataclass
from enum import Enum
from typing import Self

_CHUNK = 64 * 1024


class Kind(Enum):
    """What is wrong with the network."""

    NOTHING = "nothing"
    REFUSE = "refuse"
    """Nobody listens; what was open is reset."""
    HANG = "hang"
    """Connections are taken, nothing is passed on. What was sent arrives when it is over."""
    CUT_REQUEST = "cut_request"
    """Each connection is reset after some more bytes towards the far side."""
    CUT_ANSWER = "cut_answer"
    """Each connection is reset after some more bytes of what comes back."""
    CUT_BEFORE = "cut_before"
    """A connection is reset instead of passing a mark back, which is a regular expression."""
    DELAY = "delay"
    """Everything takes some seconds longer."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A kind of trouble with its bytes or seconds, or the mark that never comes back."""

    kind: Kind = Kind.NOTHING
    amount: float = 0
    mark: bytes = b""


_FINE = Trouble()


class _CutError(OSError):
    """This connection was cut by intent."""


class Proxy:
    """Passes everything on to one address, as long as it is not told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self._trouble = _FINE
        self._changed = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = 0

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def disturb(self, trouble: Trouble) -> None:
        """Be like this from now on, for open connections as well."""
        self._trouble = trouble
        self._changed.set()
        self._changed = asyncio.Event()
        if trouble.kind is Kind.REFUSE:
            self._close()
            for writer in self._connections.values():
                writer.transport.abort()
        else:
            await self._listen()

    async def heal(self) -> None:
        """Pass everything on again."""
        await self.disturb(_FINE)

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._trouble.kind is Kind.REFUSE:  # it was taken in the moment in which that began
            writer.transport.abort()
            return
        self._connections[task] = writer
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._pass_on(reader, writer)
        finally:
            writer.transport.abort()
            del self._connections[task]

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._far)
        pumps = (
            asyncio.ensure_future(self._pump(reader, far_writer, Kind.CUT_REQUEST)),
            asyncio.ensure_future(self._pump(far_reader, writer, Kind.CUT_ANSWER)),
        )
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            far_writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: Kind
    ) -> None:
        trouble, left = _FINE, 0
        while data := await reader.read(_CHUNK):
            await self._patience()
            if trouble is not self._trouble:
                trouble, left = self._trouble, int(self._trouble.amount)
            if trouble.kind is Kind.CUT_BEFORE and re.search(trouble.mark, data):
                raise _CutError
            is_last = trouble.kind is cut and len(data) > left
            writer.write(data[:left] if is_last else data)
            await writer.drain()
            if is_last:
                raise _CutError
            left -= len(data)
        await self._patience()
        if writer.can_write_eof():
            writer.write_eof()

    async def _patience(self) -> None:
        """Wait until the network passes something on."""
        if self._trouble.kind is Kind.DELAY:
            await asyncio.sleep(self._trouble.amount)
        while self._trouble.kind is Kind.HANG:
            await self._changed.wait()
