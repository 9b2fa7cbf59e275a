"""Files are fetched through the guard: sixty ways to write a private address, straight and by redirect, and nobody is called."""

import asyncio
import socket
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from aiohttp import web

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.downloads import Downloader
from chatbridge.errors import MediaError, MediaForbidden, MediaGone, MediaUnreachable
from tests.media import PNG, FileServer

NEAR = [
    # this machine, as everybody writes it
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "localhost", "localhost.", "LOCALHOST", "0.0.0.0", "0", "[::]",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::1%25lo]",
    # as the resolver reads numbers
    "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1", "0x7f.1", "0177.0.0.1", "017700000001",
    "0177.0x0.1", "127.0.0.01", "127.000.000.001", "00000177.0.0.1",
    # inside other addresses
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2001:0:0:0:0:0:80ff:fffe]", "[::ffff:0:127.0.0.1]",
    # as other alphabets write it
    "%31%32%37.0.0.1", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "\u2460\u2461\u2466.0.0.1",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3", "loc\u00adalhost",
    # with something before or behind
    "user@127.0.0.1", "public.example@127.0.0.1", "127.0.0.1#@public.example", "127.0.0.1\\@public.example",
    "public.example\\@127.0.0.1", "public.example%00@127.0.0.1", "127.0.0.1 ", "\t127.0.0.1",
]  # fmt: skip
"""Hosts; a listener on this machine would hear of a call to any of them."""

FAR = [
    "169.254.169.254", "[::ffff:169.254.169.254]", "0251.0376.0251.0376", "2852039166", "0xa9fea9fe",
    "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1",
    "198.18.0.1", "224.0.0.1", "255.255.255.255", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]",
]  # fmt: skip
"""Hosts of other networks that a server may stand in, metadata of clouds among them."""

LINKS = [
    "file:///etc/passwd", "ftp://127.0.0.1:{port}/a", "gopher://127.0.0.1:{port}/_GET", "data:image/png,a",
    "//127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "http:/127.0.0.1:{port}/", "http://", "http:///a", "",
    "http://127.0.0.1:{port}:80/", "http://[::1", "javascript:alert(1)", "unix:/var/run/docker.sock",
]  # fmt: skip


HOSTS = ("127.0.0.1", "169.254.169.254", "0x7f", "::1]", "localhost:", "10.0.0.1")


class Listener:
    """Hears of every connection to a port of this machine, whatever its address."""

    def __init__(self) -> None:
        self.calls = 0
        self.heard = asyncio.Event()

    async def hear(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        self.heard.set()
        writer.close()


@pytest.fixture
async def listener() -> AsyncIterator[tuple[Listener, int]]:
    """One, and its port."""
    listener, both = Listener(), socket.socket(socket.AF_INET6)
    both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    both.bind(("::", 0))
    async with await asyncio.start_server(listener.hear, sock=both):
        yield listener, both.getsockname()[1]


@pytest.fixture
async def downloader() -> AsyncIterator[Downloader]:
    """A client that may call one address of this machine: where redirects come from."""
    guard = AddressGuard.allowing(["127.9.9.9"])
    downloader = Downloader(guard, connect_timeout=2, user_agent="test")
    await downloader.start()
    yield downloader
    await downloader.close()


@pytest.fixture
async def redirecting() -> AsyncIterator[str]:
    """The address of a server that redirects to the link it is asked with."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["to"]})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.9.9.9", 0).start()
    yield f"http://127.9.9.9:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def refused(downloader: Downloader, link: str) -> MediaError:
    with pytest.raises(MediaError) as raised:
        async with downloader.open(link):
            pass
    return raised.value


def test_there_are_sixty_of_them() -> None:
    assert len(set(NEAR + FAR + LINKS)) >= 60


@pytest.mark.parametrize("way", ["straight", "by redirect"])
async def test_no_private_address_is_called(
    downloader: Downloader, redirecting: str, listener: tuple[Listener, int], way: str
) -> None:
    listening, port = listener
    links = [f"http://{host}:{port}/a.png" for host in NEAR + FAR]
    links += [
        link.replace("{port}", str(port)) for link in LINKS if way == "straight" or "://" in link
    ]
    for link in links:
        asked = link if way == "straight" else f"{redirecting}?to={quote(link.strip(), safe='')}"
        # What is no address of anybody, or one at the server that redirects, cannot be called either.
        error = await refused(downloader, asked)
        assert isinstance(error, MediaForbidden) or not any(host in link for host in HOSTS), link
    assert listening.calls == 0
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await listening.heard.wait()  # so it would have heard


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "[::1]", "localhost", "0x7f000001"]
)
async def test_a_refusal_says_how_to_allow_it(downloader: Downloader, host: str) -> None:
    error = await refused(downloader, f"http://{host}/a.png")
    assert isinstance(error, MediaForbidden)
    assert "CHATBRIDGE_NETWORK__ALLOW" in str(error)


@pytest.fixture
async def near() -> AsyncIterator[Downloader]:
    """A client that may call this machine."""
    guard = AddressGuard.allowing(["127.0.0.1"])
    downloader = Downloader(guard, connect_timeout=2, user_agent="test")
    await downloader.start()
    yield downloader
    await downloader.close()


async def fetched(downloader: Downloader, link: str) -> bytes:
    async with downloader.open(link) as download:
        return b"".join([chunk async for chunk in download.chunks()])


async def test_three_redirects_are_followed(near: Downloader, files: FileServer) -> None:
    for times in (1, 3):
        assert await fetched(near, f"{files.url}/redirect/{times}/png/a.png") == PNG
    error = await refused(near, f"{files.url}/redirect/4/png/a.png")
    assert isinstance(error, MediaUnreachable)


async def test_a_name_that_nobody_encoded_is_encoded(near: Downloader, files: FileServer) -> None:
    assert await fetched(near, files.link("png", "Прайс 1.png")) == PNG
    assert files.asked == ["/png/Прайс 1.png"]


async def test_a_refusal_is_told_from_a_failure(near: Downloader, files: FileServer) -> None:
    assert isinstance(await refused(near, files.link("nothing")), MediaGone)
    assert isinstance(await refused(near, files.link("png", "a?packed=1")), MediaGone)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        error = await refused(near, f"http://127.0.0.1:{nobody.getsockname()[1]}/secret?token=1")
    assert isinstance(error, MediaUnreachable)
    assert "secret" not in str(error)
    assert "token" not in str(error)


async def test_half_a_file_is_none(near: Downloader) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(MediaUnreachable):
        await fetched(near, f"http://127.0.0.1:{port}/a")
    server.close()
