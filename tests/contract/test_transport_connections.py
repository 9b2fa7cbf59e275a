"""The connections of the transport: when one is used again, who may write to it, and how many there are."""

import asyncio
from collections import deque
from contextlib import suppress

import pytest

from chatbridge.clients.pools import TransportLimits
from chatbridge.errors import NotSent, OutcomeUnknown
from chatbridge.protocol.http import Request, Response
from tests.contract.transports import (
    HASTY,
    KINDS,
    OK,
    Opener,
    RawServer,
    always,
    opener,
    others_have_their_turn,
    post,
    raw_server,
    read_request,
    saying,
    within,
)
from tests.fakes import SECONDS


@pytest.fixture(params=KINDS)
def transport(request: pytest.FixtureRequest) -> Opener:
    return opener(request.param)


# --- when a connection is used again ------------------------------------------------------------

LEFT_OVER = {
    "a whole answer": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Le",
    "the start of one": b"HT",
    "an answer that has no end": b"HTTP/1.1 200 OK\r\n\r\nevil",
}


@pytest.mark.parametrize("later", [False, True], ids=["with the answer", "after it"])
@pytest.mark.parametrize("rest", LEFT_OVER)
async def test_nothing_that_was_said_too_much_becomes_the_next_answer(
    transport: Opener, rest: str, *, later: bool
) -> None:
    more = asyncio.Event()

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        first = server.connections == 1
        writer.write(OK + (LEFT_OVER[rest] if first and not later else b""))
        if first and later:
            await more.wait()
            writer.write(LEFT_OVER[rest])
        await reader.read()

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        assert (await client.send(post(server.url))).body == b"ok"
        more.set()
        await others_have_their_turn()
        assert (await client.send(post(server.url))).body == b"ok"
        assert server.connections == 2


async def test_garbage_after_an_answer_ends_the_connection(transport: Opener) -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        writer.write(OK)
        if server.connections == 1:
            writer.write(b"garbage")
        await reader.read()

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        with suppress(
            OutcomeUnknown
        ):  # when both come in one piece, the parser refuses it as a whole
            assert (await client.send(post(server.url))).body == b"ok"
        await others_have_their_turn()
        assert (await client.send(post(server.url))).body == b"ok"
        assert server.connections == 2


async def test_a_connection_that_is_known_to_be_dead_is_replaced(transport: Opener) -> None:
    async with raw_server(saying(OK)) as server, transport("127.0.0.1") as client:
        for _ in range(5):
            assert (await client.send(post(server.url))).status == 200
            await others_have_their_turn()
        assert (server.connections, len(server.requests)) == (5, 5)


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET", "PUT"])
async def test_what_was_written_is_never_repeated(transport: Opener, method: str) -> None:
    """Not even where the method would allow it: whether to repeat is decided elsewhere."""

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        writer.write(OK)
        await read_request(server, reader)

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        request = Request(method=method, url=server.url, headers={})
        assert (await client.send(request)).status == 200
        with pytest.raises(OutcomeUnknown, match="broke the connection"):
            await client.send(request)
        assert (server.connections, len(server.requests)) == (1, 2)


async def test_cancelling_ends_the_connection(transport: Opener) -> None:
    arrived = asyncio.Event()

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        arrived.set()
        await reader.read()
        del writer

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        sending = asyncio.create_task(client.send(post(server.url)))
        await within(arrived.wait())
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await within(server.finished.wait())


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
async def test_a_time_out_ends_the_connection(transport: Opener, said: bytes) -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        writer.write(said)
        await reader.read()

    async with raw_server(talk) as server, transport("127.0.0.1", limits=HASTY) as client:
        with pytest.raises(OutcomeUnknown, match="did not answer in time"):
            await client.send(post(server.url))
        await within(server.finished.wait())


async def test_closing_the_transport_ends_what_is_under_way(transport: Opener) -> None:
    arrived = asyncio.Event()

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        arrived.set()
        await reader.read()
        del writer

    async with raw_server(talk) as server:
        async with transport("127.0.0.1") as client:
            sending = asyncio.create_task(client.send(post(server.url)))
            await within(arrived.wait())
        with pytest.raises(OutcomeUnknown):
            await within(sending)


@pytest.mark.filterwarnings(
    "ignore:Sending a large body:ResourceWarning"
)  # more than the kernel takes
async def test_an_answer_before_the_whole_request_was_taken_ends_the_connection(
    transport: Opener,
) -> None:
    """What it did not take would stand in front of the next request."""

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        server.requests.append(head)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await server.finished.wait()  # reads no more

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        for _ in range(2):
            assert (await client.send(post(server.url, bytes(20_000_000)))).status == 413
        assert (server.connections, len(server.requests)) == (2, 2)
        server.finished.set()


# --- leave to send ------------------------------------------------------------------------------


async def test_leave_is_asked_for_when_a_connection_is_there(transport: Opener) -> None:
    answers = deque([False, False, False, True])
    async with raw_server(always(OK)) as server, transport("127.0.0.1") as client:
        for _ in range(3):
            with pytest.raises(NotSent, match="not sent: the right to deliver it was lost"):
                await client.send(post(server.url), allowed=answers.popleft)
        assert (await client.send(post(server.url), allowed=answers.popleft)).status == 200
        assert not answers
        assert (server.connections, len(server.requests)) == (1, 1), "it is kept for who may"


async def test_nobody_asks_for_leave_without_a_connection(transport: Opener) -> None:
    async with raw_server(always(OK)) as server:
        url = server.url
    async with transport("127.0.0.1") as client:
        with pytest.raises(NotSent, match="cannot be reached"):
            await client.send(post(url), allowed=lambda: pytest.fail("asked"))


async def test_a_question_that_fails_sends_nothing(transport: Opener) -> None:
    async with raw_server(always(OK)) as server, transport("127.0.0.1") as client:
        with pytest.raises(ZeroDivisionError):
            await client.send(post(server.url), allowed=lambda: bool(1 // 0))
        assert (await client.send(post(server.url))).status == 200
        assert len(server.requests) == 1


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["connections", "connections_per_host"])
async def test_no_more_connections_than_allowed(transport: Opener, limit: str) -> None:
    go_on, arrived = asyncio.Event(), asyncio.Event()

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await read_request(server, reader)
            if len(server.requests) == 2:
                arrived.set()
            await go_on.wait()
            writer.write(OK)

    limits = TransportLimits(connect_timeout=SECONDS, total_timeout=SECONDS, **{limit: 2})
    async with raw_server(talk) as server, transport("127.0.0.1", limits=limits) as client:
        sending = [asyncio.create_task(client.send(post(server.url))) for _ in range(10)]
        await within(arrived.wait())
        assert server.connections == 2
        go_on.set()
        answers: list[Response] = await within(asyncio.gather(*sending))
        assert [answer.status for answer in answers] == [200] * 10
        assert (server.connections, len(server.requests)) == (2, 10)


async def test_waiting_for_a_free_connection_in_vain_is_not_sent(transport: Opener) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        arrived.set()
        await go_on.wait()
        writer.write(OK)

    limits = TransportLimits(connect_timeout=1, total_timeout=SECONDS, connections_per_host=1)
    async with raw_server(talk) as server, transport("127.0.0.1", limits=limits) as client:
        first = asyncio.create_task(client.send(post(server.url)))
        await within(arrived.wait())
        with pytest.raises(NotSent, match="did not take a connection in time"):
            await client.send(post(server.url))
        go_on.set()
        assert (await within(first)).status == 200
        assert len(server.requests) == 1
