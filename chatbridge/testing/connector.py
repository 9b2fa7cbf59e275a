"""Tests that every connector has to pass: docs/howto/add-a-connector.md.

A connector's author writes a stand-in of the messenger's server and one class:

    from chatbridge.testing.connector import ConnectorContract

    class TestPigeon(ConnectorContract):
        far_side = PigeonLoft

Every test runs the real server as a process, the sandbox of amoCRM at the other end, and a stand-in of its own between a client
and the server. What the stand-in cannot do (`Abilities`) is not tested.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import ClassVar, Final

import pytest
import pytest_asyncio

from chatbridge.testing.crm import Crm
from chatbridge.testing.failures import FailuresAndCrashes
from chatbridge.testing.far_side import (
    RETRY_AFTER,
    Abilities,
    Client,
    Failure,
    FarSide,
    File,
    Said,
    Seen,
    Sent,
)
from chatbridge.testing.http_far_side import HttpFarSide, Update
from chatbridge.testing.lifetime import Life, OpenShop
from chatbridge.testing.needs import is_wanted
from chatbridge.testing.processes import Server
from chatbridge.testing.shop import Shop
from chatbridge.testing.ways_in import ClientsWrite
from chatbridge.testing.ways_out import OperatorsWrite

__all__ = [
    "RETRY_AFTER",
    "Abilities",
    "Client",
    "ConnectorContract",
    "Failure",
    "FarSide",
    "File",
    "HttpFarSide",
    "Said",
    "Seen",
    "Sent",
    "Update",
]

_FAULTS: Final = (
    "connector_not_loaded",
    "connector_not_started",
    "connector_not_stopped",
    "connector_fault",
    "request_fault",
    "delivery_fault",
    "Traceback",
    "never retrieved",
    "was destroyed",
    "Unclosed",
    '"critical"',
)
"""Words in a log that tell of a fault of the server or of a connector."""


class ConnectorContract(ClientsWrite, OperatorsWrite, FailuresAndCrashes, Life):
    """The tests. A subclass names its stand-in."""

    far_side: ClassVar[type[FarSide]]
    """The stand-in of the messenger's server. Each test makes one."""

    pytestmark: ClassVar = [pytest.mark.asyncio(loop_scope="class")]

    def __init_subclass__(cls) -> None:
        """Leave out the tests of what the stand-in cannot do."""
        super().__init_subclass__()
        for name in dir(cls):
            if name.startswith("test_") and not is_wanted(getattr(cls, name), cls.far_side.can):
                setattr(cls, name, None)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Try each type that clients can send."""
        if "type_in" in metafunc.fixturenames:
            metafunc.parametrize("type_in", sorted(self.far_side.can.types))

    @pytest_asyncio.fixture(scope="class", loop_scope="class")
    @classmethod
    async def crm(cls) -> AsyncIterator[Crm]:
        """An amoCRM for all tests."""
        async with Crm() as crm:
            yield crm

    @pytest_asyncio.fixture(scope="class", loop_scope="class")
    @classmethod
    async def server_of_all(cls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
        """A server for all tests."""
        server = Server(tmp_path_factory.mktemp("server"))
        yield server
        await server.stop()

    @pytest_asyncio.fixture(loop_scope="class")
    async def server(self, server_of_all: Server) -> AsyncIterator[Server]:
        """The server, running, whatever the test before did to it. A fault in its log fails the test."""
        await server_of_all.start()
        before = len(server_of_all.log)
        yield server_of_all
        lines = server_of_all.log[before:].splitlines()
        faults = [line for line in lines if any(word in line for word in _FAULTS)]
        assert not faults, f"the server's log tells of a fault: {faults[0]}"

    @pytest_asyncio.fixture(loop_scope="class")
    async def lone_far_side(self) -> AsyncIterator[FarSide]:
        """A stand-in at which no messenger is yet."""
        far_side = self.far_side()
        await far_side.start()
        yield far_side
        await far_side.stop()

    @pytest_asyncio.fixture(loop_scope="class")
    async def open_shop(self, server: Server, crm: Crm) -> AsyncIterator[OpenShop]:
        """Opens a shop with a stand-in of its own."""
        async with AsyncExitStack() as stack:

            async def open_one() -> Shop:
                far_side = self.far_side()
                await far_side.start()
                stack.push_async_callback(far_side.stop)
                shop = Shop(server, crm, far_side)
                await shop.open()
                return shop

            yield open_one

    @pytest_asyncio.fixture(loop_scope="class")
    async def shop(self, open_shop: OpenShop) -> Shop:
        """A shop."""
        return await open_shop()
