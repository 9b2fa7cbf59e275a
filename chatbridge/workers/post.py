"""The worker's side of what parent and worker have to say to each other."""

import asyncio
import contextlib
import os
import signal
import socket
from dataclasses import dataclass
from typing import Final, Self

import structlog

from chatbridge.errors import ConfigurationError

log = structlog.get_logger()

_NOT_OURS: Final = "--as-worker is how `serve --workers` starts its own."


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a worker is told by its parent: who it is, and the descriptors it inherits."""

    number: int
    """No other worker that runs has it."""
    link: int
    sockets: tuple[int, ...]

    def __str__(self) -> str:
        """Return it as a value of the command line."""
        return ":".join(map(str, (self.number, self.link, *self.sockets)))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what was written.

        Raises:
            ConfigurationError: it is something else.

        """
        try:
            number, link, *sockets = map(int, text.split(":"))
        except ValueError as error:
            raise ConfigurationError(_NOT_OURS) from error
        return cls(number=number, link=link, sockets=tuple(sockets))

    def open_sockets(self) -> list[socket.socket]:
        """Return the listening sockets.

        Raises:
            ConfigurationError: nobody gave us any.

        """
        try:
            return [socket.socket(fileno=number) for number in self.sockets]
        except OSError as error:
            raise ConfigurationError(_NOT_OURS) from error

    def announce(self, patience: float) -> None:
        """Tell the parent that this worker serves; stop, as at SIGTERM, when the parent is gone.

        Args:
            patience: seconds that this worker may need to stop.

        """
        loop = asyncio.get_running_loop()

        def abandoned() -> None:
            loop.remove_reader(self.link)
            log.warning("parent_gone")
            signal.raise_signal(signal.SIGTERM)

        loop.add_reader(self.link, abandoned)
        with contextlib.suppress(BrokenPipeError):  # which the reader finds as well
            os.write(self.link, f"{patience}\n".encode())
