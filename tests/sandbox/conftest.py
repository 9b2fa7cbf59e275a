import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from chatbridge.sandbox.app import create_app
from chatbridge.sandbox.settings import SandboxSettings
from tests.sandbox.integrator import Integrator
from tests.sandbox.messenger import Desk, HookReceiver


@pytest.fixture
async def receiver() -> AsyncIterator[HookReceiver]:
    """A messenger's hook address."""
    receiver = HookReceiver()
    async with receiver:
        yield receiver


@pytest.fixture
async def desk(receiver: HookReceiver) -> AsyncIterator[Desk]:
    """A running sandbox, seen from outside."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        settings = SandboxSettings(
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            hook_url=receiver.url + "/location/:scope_id",
            frame_ancestors=("http://127.0.0.1:8080",),
            media_sources=("http://127.0.0.1:8080",),
        )
        runner = web.AppRunner(create_app(settings), access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            async with ClientSession() as http:
                yield Desk(http, settings.public_url)
        finally:
            await runner.cleanup()


@pytest.fixture
def integrator(desk: Desk, receiver: HookReceiver) -> Integrator:
    """The seeded integration, whose server is the receiver."""
    return Integrator(desk, receiver.url + "/oauth/redirect")
