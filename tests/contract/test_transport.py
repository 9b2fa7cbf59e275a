"""The transport against real sockets: what surely did not leave, what may have, and where nothing may go."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from chatbridge.clients.pools import TransportLimits
from chatbridge.errors import Misconfigured, NotSent, OutcomeUnknown
from tests.contract.transports import (
    HASTY,
    KINDS,
    Opener,
    RawServer,
    opener,
    post,
    raw_server,
    read_request,
    saying,
)
from tests.fakes import SECONDS, Answer, FarSide
from tests.processes import free_port


@pytest.fixture(params=KINDS)
def transport(request: pytest.FixtureRequest) -> Opener:
    return opener(request.param)


async def test_a_request_arrives_byte_for_byte(transport: Opener, far_side: FarSide) -> None:
    body = '{"text": "ы\\u0000"}\n'.encode()
    async with transport("127.0.0.0/8") as client:
        answer = await client.send(post(f"{far_side.url}/a%2Fb?x=%20y", body))
    (received,) = far_side.received
    assert answer.status == 200
    assert (received.method, received.path, received.body) == ("POST", "/a%2Fb?x=%20y", body)
    assert received.header("X-Own") == "1"
    assert received.header("User-Agent") == "test/1"


@pytest.mark.parametrize("status", [200, 204, 301, 307, 404, 429, 500, 599])
async def test_every_answer_is_an_answer(transport: Opener, far_side: FarSide, status: int) -> None:
    body = b"" if status == 204 else b"words"
    far_side.script.append(
        Answer(status=status, body=body, headers={"Location": "/elsewhere", "Retry-After": "7"})
    )
    async with transport("127.0.0.1") as client:
        answer = await client.send(post(far_side.url))
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (status, body, "7")
    assert len(far_side.received) == 1, "a redirect is not followed"


async def test_a_refused_port_is_not_sent(transport: Opener) -> None:
    async with transport("127.0.0.1") as client:
        with pytest.raises(NotSent, match=r"127\.0\.0\.1 cannot be reached"):
            await client.send(post(f"http://127.0.0.1:{free_port()}/"))


async def test_a_name_that_does_not_exist_is_not_sent(transport: Opener) -> None:
    async with transport() as client:
        with pytest.raises(NotSent, match=r"nobody\.invalid"):
            await client.send(post("http://nobody.invalid/"))


@pytest.mark.parametrize(("connect", "total"), [(0.2, SECONDS), (SECONDS, 0.2)])
async def test_a_host_that_takes_no_connection_is_not_sent(
    transport: Opener, connect: float, total: float
) -> None:
    """Its queue of connections is full, so that nothing is answered, not even a refusal."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with crowd(port):
            hasty = TransportLimits(connect_timeout=connect, total_timeout=total)
            async with transport("127.0.0.1", limits=hasty) as client:
                with pytest.raises(NotSent):
                    await client.send(post(f"http://127.0.0.1:{port}/"))


@contextmanager
def crowd(port: int) -> Iterator[None]:
    """Connections that fill the queue of a listener that never accepts."""
    waiting = []
    try:
        for _ in range(8):
            one = socket.socket()
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        yield
    finally:
        for one in waiting:
            one.close()


async def test_a_silent_server_leaves_the_outcome_unknown(
    transport: Opener, far_side: FarSide
) -> None:
    far_side.script.append(Answer(after=asyncio.Event()))
    async with transport("127.0.0.1", limits=HASTY) as client:
        with pytest.raises(OutcomeUnknown, match="did not answer in time"):
            await client.send(post(far_side.url))
    assert len(far_side.received) == 1


async def test_a_connection_cut_after_the_request_leaves_the_outcome_unknown(
    transport: Opener,
    far_side: FarSide,
) -> None:
    far_side.script.append(Answer(cut=True))
    async with transport("127.0.0.1") as client:
        with pytest.raises(OutcomeUnknown, match="broke the connection"):
            await client.send(post(far_side.url))
        assert (await client.send(post(far_side.url))).status == 200
    assert len(far_side.received) == 2, "nothing is repeated by itself"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 50,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
    ids=["half", "half chunk", "bad chunk", "half head", "not HTTP", "zeros", "endless header"],
)
async def test_half_an_answer_leaves_the_outcome_unknown(transport: Opener, said: bytes) -> None:
    async with raw_server(saying(said)) as server, transport("127.0.0.1") as client:
        with pytest.raises(OutcomeUnknown):
            await client.send(post(server.url))
        assert server.connections == 1


async def test_a_keep_alive_connection_that_died_is_not_used_blindly(transport: Opener) -> None:
    """The far side closes after each answer without saying so; the next request still arrives, once."""

    async with (
        raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server,
        transport("127.0.0.1") as client,
    ):
        assert (await client.send(post(server.url))).status == 200
        await server.finished.wait()
        try:
            answered = (await client.send(post(server.url))).status == 200
        except OutcomeUnknown:
            answered = False
        assert len(server.requests) == (2 if answered else 1)


async def test_an_endless_answer_is_cut_at_64_kib(transport: Opener) -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        answer = await client.send(post(server.url))
        assert answer.body == b"x" * 65_536
        async with asyncio.timeout(SECONDS):
            await server.finished.wait()


async def test_a_compressed_answer_is_not_unpacked(transport: Opener, far_side: FarSide) -> None:
    far_side.script.append(Answer(body=b"not really gzip", headers={"Content-Encoding": "gzip"}))
    async with transport("127.0.0.1") as client:
        assert (await client.send(post(far_side.url))).body == b"not really gzip"


async def silence(
    server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    del server, writer
    await reader.read()


TRICKS = [
    "127.0.0.1",
    "127.1",
    "127.9.9.9",
    "0.0.0.0",
    "0",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::1]",
    "[::]",
    "127.0.0.1.",
    "127。0。0。1",
]  # fmt: skip


@pytest.mark.parametrize("host", TRICKS)
async def test_no_connection_comes_at_a_local_address(transport: Opener, host: str) -> None:
    async with raw_server(silence) as server, transport(limits=HASTY) as client:
        with pytest.raises((Misconfigured, NotSent)) as refused:
            await client.send(post(f"http://{host}:{server.port}/"))
        assert server.connections == 0
        if isinstance(refused.value, Misconfigured) and "http" not in str(refused.value):
            assert "CHATBRIDGE_NETWORK__ALLOW" in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.168.0.1", "198.18.0.1", "224.0.0.1",
        "255.255.255.255", "[fe80::1]", "[fd00::1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]",
        "[2001:0:7f00:1::]", "[ff02::1]",
    ],
)  # fmt: skip
async def test_private_addresses_are_refused_with_what_to_do(
    transport: Opener, address: str
) -> None:
    async with transport(limits=HASTY) as client:
        with pytest.raises(Misconfigured, match="CHATBRIDGE_NETWORK__ALLOW"):
            await client.send(post(f"http://{address}/"))


async def test_a_redirect_to_a_local_address_is_not_followed(
    transport: Opener, far_side: FarSide
) -> None:
    async with raw_server(silence) as server, transport("127.0.0.1") as client:
        far_side.script.append(Answer(status=307, headers={"Location": server.url}))
        assert (await client.send(post(far_side.url))).status == 307
        assert server.connections == 0


async def test_what_is_allowed_by_network_is_reached_and_nothing_else(
    transport: Opener, far_side: FarSide
) -> None:
    async with transport("127.0.0.1/32") as client:
        assert (await client.send(post(far_side.url))).status == 200
        with pytest.raises(Misconfigured, match=r"127\.0\.0\.2"):
            await client.send(post(far_side.url.replace("127.0.0.1", "127.0.0.2")))
    assert len(far_side.received) == 1


async def test_what_is_allowed_by_name_is_reached_under_that_name_only(
    transport: Opener, far_side: FarSide
) -> None:
    port = far_side.url.rpartition(":")[2]
    async with transport("localhost") as client:
        assert (await client.send(post(f"http://localhost:{port}/"))).status == 200
        assert (await client.send(post(f"http://LOCALHOST:{port}/"))).status == 200
        with pytest.raises(Misconfigured):
            await client.send(post(f"http://127.0.0.1:{port}/"))
    assert len(far_side.received) == 2


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http:///x", "nonsense", ""]
)
async def test_what_is_no_web_address_is_misconfigured(transport: Opener, url: str) -> None:
    async with transport("127.0.0.1") as client:
        with pytest.raises(Misconfigured, match="not an http or https address"):
            await client.send(post(url))


async def test_many_requests_at_once_each_get_their_own_answer(transport: Opener) -> None:
    def echo(received: object) -> Answer:
        return Answer(body=getattr(received, "body", b""))

    async with FarSide(echo) as far_side, transport("127.0.0.1") as client:
        bodies = [str(number).encode() for number in range(100)]
        answers = await asyncio.gather(*(client.send(post(far_side.url, body)) for body in bodies))
    assert [answer.body for answer in answers] == bodies
