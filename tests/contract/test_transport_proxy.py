"""The transport behind an HTTP proxy: who is told what, and which addresses are still refused."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chatbridge.clients.pools import TransportLimits
from chatbridge.errors import Misconfigured, NotSent
from tests.contract.authority import Authority
from tests.contract.test_transport import TRICKS
from tests.contract.transports import (
    KINDS,
    Opener,
    RawServer,
    always,
    opener,
    post,
    raw_server,
    saying,
)
from tests.fakes import SECONDS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
KNOWN = b"Proxy-Authorization: Basic " + b64encode("us er:pä@ss".encode())


@pytest.fixture(params=KINDS)
def transport(request: pytest.FixtureRequest) -> Opener:
    return opener(request.param)


@dataclass
class Proxy:
    """A proxy that lets everybody through to 127.0.0.1, whatever the name, and keeps the heads that were for it."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            method, target, _ = head.split(maxsplit=2)
            port = int(target.removeprefix(b"http://").split(b"/")[0].rpartition(b":")[2])
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            if method == b"CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            else:
                far_writer.write(head)
            await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))
        except ConnectionError:
            pass
        finally:
            writer.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def proxy_server() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()


def known(url: str) -> str:
    return url.replace("//", "//us%20er:p%C3%A4%40ss@")


@pytest.mark.parametrize("authorized", [False, True])
async def test_http_goes_to_the_proxy_with_the_whole_address(
    transport: Opener, *, authorized: bool
) -> None:
    async with raw_server(always(OK)) as server, proxy_server() as proxy:
        address = known(proxy.url) if authorized else proxy.url
        async with transport("127.0.0.1", proxy=address) as client:
            for _ in range(2):
                answer = await client.send(post(f"http://shop.example:{server.port}/a%2f?b=%20"))
                assert (answer.status, answer.body) == (200, b"ok")
    host = f"shop.example:{server.port}".encode()
    assert len(proxy.heads) == 1, "the connection is kept"
    assert proxy.heads[0].startswith(
        b"POST http://%b/a%%2f?b=%%20 HTTP/1.1\r\nHost: %b\r\n" % (host, host)
    )
    assert [KNOWN in request for request in server.requests] == [authorized] * 2
    assert len(server.requests) == 2


@pytest.mark.parametrize("authorized", [False, True])
async def test_https_goes_through_a_tunnel_and_the_proxy_reads_nothing(
    transport: Opener,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    authorized: bool,
) -> None:
    authority = Authority.new(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    tls = authority.server("shop.example")
    async with raw_server(always(OK), tls=tls) as server, proxy_server() as proxy:
        address = known(proxy.url) if authorized else proxy.url
        async with transport("127.0.0.1", proxy=address) as client:
            for _ in range(2):
                answer = await client.send(post(f"https://shop.example:{server.port}/a"))
                assert (answer.status, answer.body) == (200, b"ok")
            with pytest.raises(NotSent, match="TLS certificate was refused"):
                await client.send(post(f"https://other.example:{server.port}/"))
    assert [head.partition(b" HTTP")[0].decode() for head in proxy.heads] == [
        f"CONNECT shop.example:{server.port}",
        f"CONNECT other.example:{server.port}",
    ]
    assert [KNOWN in head for head in proxy.heads] == [authorized] * 2
    for request in server.requests:
        assert request.startswith(b"POST /a HTTP/1.1\r\n")
        assert b"Proxy-" not in request
    assert len(server.requests) == 2


NAMES = {
    "http://пример.рф/": "xn--e1afmkfd.xn--p1ai",
    "http://Shop.Example:80/": "shop.example",
    "http://shop.example.:8080/": "shop.example:8080",
    "http://[2606:4700::1111]:8080/": "[2606:4700::1111]:8080",
    "http://[2606:4700:0:0::1111]/": "[2606:4700::1111]",
    "http://8.8.8.8/": "8.8.8.8",
}


@pytest.mark.parametrize("url", NAMES)
async def test_hosts_are_written_as_the_wire_wants_them(transport: Opener, url: str) -> None:
    async with (
        raw_server(always(OK)) as proxy,
        transport("127.0.0.1", proxy=proxy.url) as client,
    ):
        await client.send(post(url))
    host = NAMES[url].encode()
    asked_for = host.replace(b"example:", b"example.:")  # the dot tells the proxy where to look
    start = b"POST http://%b/ HTTP/1.1\r\nHost: %b\r\n" % (asked_for, host)
    assert proxy.requests[0].startswith(start)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n", "the proxy answered HTTP 407"),
        (b"HTTP/1.1 502 No\r\nContent-Length: 2\r\n\r\nno", "the proxy answered HTTP 502"),
        (b"garbage\r\n\r\n", "what the proxy answered is not HTTP"),
        (b"", "cannot be reached"),
    ],
)
async def test_without_a_tunnel_nothing_is_sent(
    transport: Opener, said: bytes, reason: str
) -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        server.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(said)

    async with raw_server(talk) as proxy, transport("127.0.0.1", proxy=proxy.url) as client:
        with pytest.raises(NotSent, match=reason) as failed:
            await client.send(post("https://shop.example/?key=secret"))
    assert len(proxy.requests) == 1
    assert "secret" not in str(failed.value)


async def test_a_proxy_that_never_answers_is_not_sent(transport: Opener) -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        del server, writer
        await reader.read()

    limits = TransportLimits(connect_timeout=0.2, total_timeout=SECONDS)
    async with (
        raw_server(talk) as proxy,
        transport("127.0.0.1", limits=limits, proxy=proxy.url) as client,
    ):
        with pytest.raises(NotSent, match="in time"):
            await client.send(post("https://shop.example/"))


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there_is_not_sent(transport: Opener, scheme: str) -> None:
    async with raw_server(saying()) as proxy:
        address = known(proxy.url)
    async with transport("127.0.0.1", proxy=address) as client:
        with pytest.raises(NotSent, match="the proxy") as failed:
            await client.send(post(f"{scheme}://shop.example/"))
    assert "ss@" not in str(failed.value)


async def test_a_private_proxy_has_to_be_allowed(transport: Opener) -> None:
    async with raw_server(always(OK)) as proxy, transport(proxy=proxy.url) as client:
        with pytest.raises(Misconfigured, match="CHATBRIDGE_NETWORK__ALLOW"):
            await client.send(post("http://shop.example/"))
        assert proxy.connections == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host",
    [*(trick for trick in TRICKS if "localhost" not in trick.lower()), "a.localhost", "10.1.2.3", "[fd00::1]"],
)  # fmt: skip
async def test_a_private_target_is_refused_before_the_proxy_hears_of_it(
    transport: Opener, scheme: str, host: str
) -> None:
    async with raw_server(always(OK)) as proxy:
        by_name = proxy.url.replace("127.0.0.1", "localhost")
        async with transport("localhost", proxy=by_name) as client:
            with pytest.raises(Misconfigured, match="CHATBRIDGE_NETWORK__ALLOW"):
                await client.send(post(f"{scheme}://{host}/"))
            assert proxy.connections == 0
            assert (await client.send(post("http://shop.example/"))).status == 200
