"""The transport over TLS: whom it trusts, and that nothing is said to anybody else."""

import asyncio
from pathlib import Path

import pytest

from chatbridge.clients.pools import TransportLimits
from chatbridge.errors import NotSent
from tests.contract.authority import Authority
from tests.contract.transports import (
    KINDS,
    Opener,
    RawServer,
    always,
    opener,
    post,
    raw_server,
)
from tests.fakes import SECONDS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(params=KINDS)
def transport(request: pytest.FixtureRequest) -> Opener:
    return opener(request.param)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The authority, known to this machine."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost"])
async def test_whoever_has_a_certificate_for_the_name_is_spoken_to(
    transport: Opener, trusted: Authority, host: str
) -> None:
    tls = trusted.server("localhost", "127.0.0.1")
    async with raw_server(always(OK), tls=tls) as server:
        async with transport("127.0.0.1", "localhost") as client:
            for _ in range(2):
                answer = await client.send(post(f"https://{host}:{server.port}/a", b"x" * 100_000))
                assert (answer.status, answer.body) == (200, b"ok")
        assert server.connections == 1
    assert server.requests[0].startswith(b"POST /a HTTP/1.1\r\nHost: " + host.lower().encode())


async def test_a_certificate_of_an_unknown_authority_is_refused(
    transport: Opener, authority: Authority
) -> None:
    await refused(transport, authority, "TLS certificate was refused.*unable to get local issuer")


async def test_a_certificate_for_another_name_is_refused(
    transport: Opener, trusted: Authority
) -> None:
    await refused(transport, trusted, "TLS certificate was refused.*mismatch", "other.example")


async def test_a_certificate_that_is_over_is_refused(transport: Opener, trusted: Authority) -> None:
    await refused(transport, trusted, "TLS certificate was refused.*expired", days=-1)


async def refused(
    transport: Opener, authority: Authority, reason: str, *hosts: str, days: int = 1
) -> None:
    tls = authority.server(*(hosts or ("127.0.0.1",)), days=days)
    async with raw_server(always(OK), tls=tls) as server, transport("127.0.0.1") as client:
        with pytest.raises(NotSent, match=reason):
            await client.send(post(f"https://127.0.0.1:{server.port}/"))
        assert server.requests == []


@pytest.mark.parametrize("said", [b"", OK, b"\x15\x03\x03\x00\x02\x02\x28"], ids=len)
async def test_whoever_does_not_speak_tls_gets_nothing(transport: Opener, said: bytes) -> None:
    heard: list[bytes] = []

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        del server
        heard.append(await reader.read(65_536))
        writer.write(said)

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        with pytest.raises(NotSent, match="cannot be reached") as failed:
            await client.send(post(f"https://127.0.0.1:{server.port}/", b"secret"))
    assert b"secret" not in b"".join(heard)
    if said == OK:
        assert "WRONG_VERSION_NUMBER" in str(failed.value).upper().replace(" ", "_")


async def test_whoever_never_ends_the_handshake_gets_nothing(transport: Opener) -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while await reader.read(65_536):
            pass
        del server, writer

    limits = TransportLimits(connect_timeout=0.2, total_timeout=SECONDS)
    async with raw_server(talk) as server, transport("127.0.0.1", limits=limits) as client:
        with pytest.raises(NotSent, match="in time"):
            await client.send(post(f"https://127.0.0.1:{server.port}/"))
