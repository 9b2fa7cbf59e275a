"""A server as connectors see it, for tests that need no server."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from chatbridge.bridge.feeds import Feeds
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.guarded import GuardedClient
from chatbridge.clients.thin import ThinTransport
from chatbridge.clients.transport import TransportLimits
from chatbridge.connectors.host import Download, Host
from chatbridge.errors import MediaGone
from chatbridge.ids import new_uuid
from chatbridge.model import Content, Messenger
from chatbridge.store.engine import open_store
from tests.fakes import FakeClock


def no_file(_: Content) -> AbstractAsyncContextManager[Download]:
    raise MediaGone("there are no files here")


def make_host(
    *messengers: Messenger, allow: Sequence[str] = ("127.0.0.1",), **changes: Any
) -> Host:
    """A host with real clients, which are not started."""

    async def find_messenger(messenger_id: str) -> Messenger | None:
        return next((each for each in messengers if each.id == messenger_id), None)

    guard, limits = AddressGuard.allowing(allow), TransportLimits()
    values = {
        "public_url": "https://bridge.example.com",
        "clock": FakeClock(),
        "transport": ThinTransport(guard, limits, user_agent="test"),
        "http": GuardedClient(guard, limits, user_agent="test"),
        "new_id": new_uuid,
        "keys": lambda purpose: [purpose.encode().ljust(32, b".")[:32]],
        "messengers": lambda kind: [each for each in messengers if each.kind == kind],
        "find_messenger": find_messenger,
        "open_file": no_file,
        "max_bytes": 256 << 20,
        "feed": Feeds(
            store=open_store("sqlite:////nowhere/feed.db"), clock=FakeClock(), new_id=new_uuid
        ),
        "stopping": asyncio.Event(),
    }
    return Host(**values | changes)
