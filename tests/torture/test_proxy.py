"""The proxy, between a client of plain sockets and a server that answers each line."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.torture.proxy import Kind, Proxy, Trouble

SECONDS = 30


class Lines:
    """A server that answers each line with its length; it keeps what it got."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.ended = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1000):
                self.got += data
                if data.endswith(b"\n"):
                    writer.write(b"%d bytes\n" % len(data))
        writer.transport.abort()
        self.ended.set()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, line: bytes = b"hello\n") -> bytes:
        """Send a line; its answer, as far as one comes."""
        self.writer.write(line)
        return await self.answer()

    async def answer(self) -> bytes:
        async with asyncio.timeout(SECONDS):
            try:
                return await self.reader.readline()
            except ConnectionResetError:
                return b""


@contextlib.asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
async def proxy(lines: Lines) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(lines, "127.0.0.1", 0)
    async with Proxy(*server.sockets[0].getsockname()) as proxy:
        yield proxy
        async with connected(proxy) as client:
            assert await client.ask(b"healed\n") == b"7 bytes\n"
    server.close()


async def test_without_trouble_everything_is_passed_on(proxy: Proxy, lines: Lines) -> None:
    async with connected(proxy) as client:
        assert await client.ask() == b"6 bytes\n"
        assert await client.ask(b"and again\n") == b"10 bytes\n"
        client.writer.write_eof()
        async with asyncio.timeout(SECONDS):
            await lines.ended.wait()


async def test_a_refusing_network_resets_what_is_open(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        await client.ask()
        await proxy.disturb(Trouble(kind=Kind.REFUSE))
        assert await client.answer() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.heal()


async def test_what_hangs_arrives_after_all(proxy: Proxy, lines: Lines) -> None:
    async with connected(proxy) as before:
        await before.ask()
        await proxy.disturb(Trouble(kind=Kind.HANG))
        async with connected(proxy) as since:
            asking = [asyncio.create_task(client.ask()) for client in (before, since)]
            done, _ = await asyncio.wait(asking, timeout=0.05)
            assert not done
            assert lines.got == b"hello\n"
            await proxy.heal()
            assert await asyncio.gather(*asking) == [b"6 bytes\n"] * 2


@pytest.mark.parametrize(
    ("kind", "got", "answers"),
    [
        (Kind.CUT_REQUEST, b"hel", {b""}),
        # A reset may throw away what came before it.
        (Kind.CUT_ANSWER, b"hello\n", {b"", b"6 b"}),
    ],
)
async def test_a_cut_lets_some_bytes_through(
    proxy: Proxy, lines: Lines, kind: Kind, got: bytes, answers: set[bytes]
) -> None:
    await proxy.disturb(Trouble(kind=kind, amount=3))
    async with connected(proxy) as client:
        assert await client.ask() in answers
        async with asyncio.timeout(SECONDS):
            await lines.ended.wait()
    assert lines.got == got
    await proxy.heal()


async def test_a_mark_never_comes_back(proxy: Proxy, lines: Lines) -> None:
    await proxy.disturb(Trouble(kind=Kind.CUT_BEFORE, mark=b"7 bytes"))
    async with connected(proxy) as client:
        assert await client.ask(b"hello\n") == b"6 bytes\n"
        assert await client.ask(b"hello!\n") == b""
        async with asyncio.timeout(SECONDS):
            await lines.ended.wait()
    assert lines.got == b"hello\nhello!\n"
    await proxy.heal()


async def test_a_slow_network_is_slow_and_whole(proxy: Proxy) -> None:
    await proxy.disturb(Trouble(kind=Kind.DELAY, amount=0.01))
    async with connected(proxy) as client:
        assert await client.ask() == b"6 bytes\n"
