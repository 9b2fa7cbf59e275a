"""The transport to the byte: what it writes, and which answers it can read."""

import asyncio

import pytest

from chatbridge.errors import Misconfigured
from chatbridge.protocol.http import Request
from tests.contract.transports import (
    KINDS,
    OK,
    Opener,
    RawServer,
    always,
    opener,
    post,
    raw_server,
    read_request,
    saying,
    within,
)

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(params=KINDS)
def transport(request: pytest.FixtureRequest) -> Opener:
    return opener(request.param)


# --- what is written ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET", "PATCH", "PUT", "OPTIONS"])
@pytest.mark.parametrize("body", [b"", b'{"a": 1}\n', bytes(300_000)], ids=len)
async def test_nothing_is_added_and_nothing_changed(
    transport: Opener, method: str, body: bytes
) -> None:
    headers = {"Content-MD5": "d41d8", "content-type": "a/b; c=d", "X-sIGN": "a  b: c,"}
    async with raw_server(always(OK)) as server, transport("127.0.0.1") as client:
        url = f"{server.url}/v2/%41%2f/../%d1%91?q=%20+&&=#part"
        await client.send(Request(method=method, url=url, headers=headers, body=body))
    head, _, arrived = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == f"{method} /v2/%41%2f/../%d1%91?q=%20+&&= HTTP/1.1"
    assert sorted(lines) == sorted(
        [
            f"Host: 127.0.0.1:{server.port}",
            "User-Agent: test/1",
            "Accept-Encoding: identity",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
    )
    assert arrived == body


BAD_HEADERS = [
    {"X-A": "secret\r\nX-B: b"}, {"X-A": "secret\nX-B: b"}, {"X-A": "secret\r"}, {"X-A": "secret\x00"}, {"X-A": "secret\x7f"},
    {"X-A": "secret é"}, {"X-A": "secret ы"}, {"X-A": "secret \u2028"}, {"X-A": "secret\t"},
    {"X-A: b\r\nX-B": "secret"}, {"X-A\n": "secret"}, {"X A": "secret"}, {"X-A:": "secret"}, {"": "secret"}, {"X-ы": "secret"},
    {"Host": "secret"}, {"content-length": "5"}, {"Transfer-Encoding": "chunked"}, {"Connection": "close"},
    {"Expect": "100-continue"}, {"Accept-Encoding": "gzip"}, {"Proxy-Authorization": "secret"},
]  # fmt: skip


@pytest.mark.parametrize("headers", BAD_HEADERS, ids=repr)
async def test_a_header_that_could_be_read_in_two_ways_is_refused_before_anything_is_sent(
    transport: Opener, headers: dict[str, str]
) -> None:
    async with raw_server(always(OK)) as server, transport("127.0.0.1") as client:
        with pytest.raises(Misconfigured, match="header") as refused:
            await client.send(Request(method="POST", url=server.url, headers=headers))
        assert "secret" not in str(refused.value)
        assert server.connections == 0


@pytest.mark.parametrize("method", ["", "PO ST", "POST / HTTP/1.1\r\nX: y\r\n\r\nGET", "GÉT"])
async def test_what_is_no_method_is_refused(transport: Opener, method: str) -> None:
    async with raw_server(always(OK)) as server, transport("127.0.0.1") as client:
        with pytest.raises(Misconfigured, match="method"):
            await client.send(Request(method=method, url=server.url, headers={}))
        assert server.connections == 0


@pytest.mark.parametrize(
    "path",
    ["/a b", "/a\r\nX: y", "/a\n", "/ы", "/\x00", "/a\tb"],
)
async def test_an_address_that_is_not_encoded_is_refused(transport: Opener, path: str) -> None:
    async with raw_server(always(OK)) as server, transport("127.0.0.1") as client:
        with pytest.raises(Misconfigured):
            await client.send(post(f"{server.url}{path}"))
        with pytest.raises(Misconfigured):
            await client.send(post(server.url.replace("//", "//user:pass@") + "/"))
        assert server.connections == 0


@pytest.mark.parametrize(
    "host", ["a..b", "a" * 64 + ".example", "a b", "a%00b\u200b", "[::1", "[x]"]
)
async def test_a_host_that_cannot_be_one_is_misconfigured(transport: Opener, host: str) -> None:
    async with transport() as client:
        with pytest.raises(Misconfigured):
            await client.send(post(f"http://{host}/"))


async def test_the_spelling_of_a_host_does_not_reach_the_wire(transport: Opener) -> None:
    async with raw_server(always(OK)) as server, transport("127.0.0.1", "localhost") as client:
        await client.send(post(f"http://127。0。0。1:{server.port}/"))
        await client.send(post(f"http://LocalHost:{server.port}/"))
    hosts = [f"Host: {host}:{server.port}\r\n".encode() for host in ("127.0.0.1", "localhost")]
    assert [host in request for host, request in zip(hosts, server.requests, strict=True)] == [
        True,
        True,
    ]


# --- which answers it can read ------------------------------------------------------------------

ANSWERS = {
    "length": (OK, 200, b"ok", True),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\no\r\n1\r\nk\r\n0\r\nT: x\r\n\r\n",
        200,
        b"ok",
        True,
    ),
    "nothing": (EMPTY, 200, b"", True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b"", True),
    "no reason": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, b"ok", True),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\nok", 200, b"ok", False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
    "told to close": (OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), 200, b"ok", False),
    "after 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"ok", True),
    "after 102 and 103": (
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
        200,
        b"ok",
        True,
    ),
    "101, unasked": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        101,
        b"",
        False,
    ),
}


@pytest.mark.parametrize("slowly", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("case", ANSWERS)
async def test_every_form_of_answer_is_read(transport: Opener, case: str, *, slowly: bool) -> None:
    said, status, body, again = ANSWERS[case]

    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while again or server.requests == []:
            await read_request(server, reader)
            for piece in (said[at : at + 1] for at in range(len(said))) if slowly else (said,):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        for _ in range(2 if again else 1):
            answer = await client.send(post(server.url))
            assert (answer.status, answer.body) == (status, body)
        assert server.connections == 1, "kept where it may be kept"


@pytest.mark.parametrize("case", ["until the end", "HTTP/1.0", "told to close", "101, unasked"])
async def test_a_connection_that_ends_with_its_answer_is_not_used_again(
    transport: Opener, case: str
) -> None:
    async def talk(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(server, reader)
        writer.write(ANSWERS[case][0])
        if case == "until the end":
            return
        await reader.read()

    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        for _ in range(2):
            assert (await client.send(post(server.url))).status == ANSWERS[case][1]
        assert server.connections == 2


async def test_the_answer_to_head_has_a_length_and_no_body(transport: Opener) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    async with raw_server(always(said)) as server, transport("127.0.0.1") as client:
        for _ in range(2):
            head = Request(method="HEAD", url=server.url, headers={})
            assert (await client.send(head)).body == b""
        assert server.connections == 1


async def test_names_of_headers_are_in_lower_case(transport: Opener) -> None:
    said = (
        b"HTTP/1.1 429 Wait\r\nRETRY-After: 7\r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 0\r\n\r\n"
    )
    async with raw_server(always(said)) as server, transport("127.0.0.1") as client:
        headers = (await client.send(post(server.url))).headers
    assert dict(headers) == {"retry-after": "7", "x-two": "1", "content-length": "0"}
    assert (headers.get("retry-after"), headers.get("date"), len(headers)) == ("7", None, 3)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 500_000])
@pytest.mark.parametrize("form", ["length", "chunks", "until the end"])
async def test_of_a_large_answer_64_kib_are_read(transport: Opener, form: str, size: int) -> None:
    body = b"x" * size
    said = {
        "length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, body),
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (size, body),
        "until the end": b"HTTP/1.1 200 OK\r\n\r\n" + body,
    }[form]
    talk = saying(said) if form == "until the end" else always(said)
    async with raw_server(talk) as server, transport("127.0.0.1") as client:
        for _ in range(2):
            assert (await client.send(post(server.url))).body == body[:65_536]
        if size <= 65_536 and form != "until the end":
            assert server.connections == 1
        if size == 500_000:
            await within(server.finished.wait())
            assert server.connections == 2, "what is left to read is not read"
