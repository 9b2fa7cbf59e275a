"""Listening sockets."""

import errno
import socket
from contextlib import ExitStack
from typing import Final

from chatbridge.errors import ConfigurationError

BACKLOG: Final = 1024
"""Callers who may wait to be accepted."""

_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What a machine without IPv6 says to one of the two addresses of `localhost`."""


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on every address of the host; callers wait in them until somebody accepts.

    Raises:
        ConfigurationError: the port is taken, or no address is this machine's.

    """
    try:
        return _open(host, port)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "that is no host's name"
        raise ConfigurationError(
            f"Port {port} on {host} cannot be used ({reason}). Stop what uses it, or choose another with"
            " CHATBRIDGE_HTTP__PORT and CHATBRIDGE_HTTP__HOST."
        ) from error


def _open(host: str, port: int) -> list[socket.socket]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    opened: list[socket.socket] = []
    missing: OSError | None = None
    with ExitStack() as undo:
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            try:
                one = socket.create_server(address, family=family, backlog=BACKLOG)
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
            else:
                opened.append(undo.enter_context(one))
        if missing is not None and not opened:
            raise missing
        undo.pop_all()
    return opened
