"""Where a server listens: every address of a name that this machine has."""

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from chatbridge.errors import ConfigurationError
from chatbridge.web.sockets import open_sockets

HERE = (socket.AF_INET, ("127.0.0.1", 0))
ELSEWHERE = (socket.AF_INET6, ("2001:db8::1", 0, 0, 0))
"""An address that no machine has."""

Known = Callable[..., None]


@pytest.fixture
def known_as(monkeypatch: pytest.MonkeyPatch) -> Known:
    """Let every name stand for these addresses."""

    def know(*addresses: tuple[int, tuple[object, ...]]) -> None:
        found = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return know


def test_an_address_that_this_machine_lacks_is_passed_over(known_as: Known) -> None:
    known_as(ELSEWHERE, HERE, HERE)
    with ExitStack() as stack:
        names = [stack.enter_context(one).getsockname() for one in open_sockets("localhost", 0)]
    assert [name[0] for name in names] == ["127.0.0.1"]


def test_without_any_address_of_this_machine_there_is_nothing_to_listen_on(known_as: Known) -> None:
    known_as(ELSEWHERE)
    with pytest.raises(ConfigurationError, match=r"Port 0 on elsewhere cannot be used \(.+\)"):
        open_sockets("elsewhere", 0)


def test_a_port_that_is_taken_on_one_address_is_an_error(known_as: Known) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        known_as(HERE, (socket.AF_INET, ("127.0.0.1", port)))
        with pytest.raises(ConfigurationError, match="in use"):
            open_sockets("localhost", port)


@pytest.mark.parametrize("host", ["no such host", "two..dots", "x" * 64])
def test_what_is_no_name_is_a_clear_error(host: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        open_sockets(host, 0)
