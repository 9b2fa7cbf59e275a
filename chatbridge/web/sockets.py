"""Listening sockets."""

import socket
from typing import Final

from chatbridge.errors import ConfigurationError

BACKLOG: Final = 1024
"""Callers who may wait to be accepted."""


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on every address of the host; callers wait in them until somebody accepts.

    Raises:
        ConfigurationError: the port is taken, or the address is not this machine's.

    """
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            opened.append(socket.create_server(address, family=family, backlog=BACKLOG))
    except OSError as error:
        for one in opened:
            one.close()
        raise ConfigurationError(
            f"Port {port} on {host} cannot be used ({error.strerror}). Stop what uses it, or choose another with"
            " CHATBRIDGE_HTTP__PORT."
        ) from error
    return opened
