"""No transport lets far sides pack their answers."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from aiohttp import web

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.transport import TransportLimits, open_transport
from chatbridge.protocol.http import Request


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A server that compresses its answers if it is allowed to, as most do."""

    async def answer(request: web.Request) -> web.Response:
        response = web.Response(body=await request.read())
        response.enable_compression()
        return response

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "http://{}:{}/".format(*runner.addresses[0])
    await runner.cleanup()


@pytest.mark.parametrize("kind", ["thin", "session"])
async def test_answers_come_as_plain_bytes(address: str, kind: Literal["thin", "session"]) -> None:
    """They are read to a limit and never unpacked, so nobody may be invited to pack them."""
    guard = AddressGuard.allowing(["127.0.0.1"])
    transport = open_transport(kind, guard, TransportLimits(), user_agent="chatbridge/test")
    await transport.start()
    try:
        body = b'{"new_message":{}}' * 100
        answer = await transport.send(Request(method="POST", url=address, headers={}, body=body))
        assert (answer.status, answer.body) == (200, body)
    finally:
        await transport.close()
