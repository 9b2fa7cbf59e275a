"""Accepts connections, a few in each round of the event loop.

An event loop's own server accepts all who wait at once. Where several processes share a listening socket, whichever woke first
would have most of the connections, and as callers keep them open, most of the work for hours. One connection a round goes to
whoever has time for it.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Final

import structlog

log = structlog.get_logger()

_FULL: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Door:
    """Gives every connection that comes in at these sockets a protocol."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        protocol: Callable[[], asyncio.BaseProtocol],
        *,
        at_once: int,
        pause: float = 1.0,
    ) -> None:
        """Accept at most `at_once` connections in a round, and none for `pause` seconds where the system has nothing left for one."""
        self._loop = asyncio.get_running_loop()
        self._sockets, self._protocol, self._at_once = sockets, protocol, at_once
        self._pause, self._pauses = pause, set[asyncio.TimerHandle]()
        self._entering: set[asyncio.Task[object]] = set()

    def open(self) -> None:
        """Begin to accept."""
        for listening in self._sockets:
            listening.settimeout(0)
            self._watch(listening)

    async def close(self) -> None:
        """Accept nobody any more. Who was accepted has a protocol when this returns."""
        for pause in self._pauses:
            pause.cancel()
        for listening in self._sockets:
            self._loop.remove_reader(listening)
            listening.close()
        await asyncio.gather(*self._entering, return_exceptions=True)

    def _watch(self, listening: socket.socket) -> None:
        self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(self._at_once):
            try:
                caller, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                log.error("cannot_accept", reason=error.strerror)  # noqa: TRY400 - no fault of this process
                self._loop.remove_reader(listening)
                self._pauses.add(self._loop.call_later(self._pause, self._watch, listening))
                return
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            caller.settimeout(0)
            entering = self._loop.create_task(
                self._loop.connect_accepted_socket(self._protocol, caller)
            )
            self._entering.add(entering)
            entering.add_done_callback(self._entering.discard)
