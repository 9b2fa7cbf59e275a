"""Answers in their plain form: whatever is read here, aiohttp's own parser must read in the very same way."""

import asyncio
from collections.abc import Iterator

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.clients.plain_answers import MOST_HEAD, MOST_HEADERS, read_plain_answer
from chatbridge.clients.reading import KEPT

Reading = tuple[int, dict[str, str], bytes]
LOOPS: list[asyncio.AbstractEventLoop] = []
"""aiohttp's parser wants to have a loop; it never runs."""


@pytest.fixture(scope="module", autouse=True)
def loop() -> Iterator[None]:
    LOOPS.append(asyncio.new_event_loop())
    yield
    LOOPS.pop().close()


def read_with_aiohttp(data: bytes) -> Reading | str:
    """Return what aiohttp reads, or in what it is no whole answer after which the next one may follow."""
    parser = HttpResponseParser(
        BaseProtocol(LOOPS[0]), LOOPS[0], KEPT, read_until_eof=True, auto_decompress=False
    )
    try:
        messages, upgraded, tail = parser.feed_data(data)
        if len(messages) != 1 or upgraded or tail:
            return f"{len(messages)} answers, and {tail!r}"
        ((message, payload),) = messages
        if message.should_close or not payload.is_eof() or parser.feed_eof() is not None:
            return "an answer that has not ended, or that ends the connection"
    except HttpProcessingError as error:
        return repr(error)
    headers: dict[str, str] = {}
    for name, value in message.headers.items():
        headers.setdefault(name.lower(), value)
    return message.code, headers, payload.read_nowait()


def read(data: bytes) -> Reading | None:
    answer = read_plain_answer(data)
    return None if answer is None else (answer.status, dict(answer.headers), answer.body)


def written(*headers: bytes, start: bytes = b"HTTP/1.1 200 OK", body: bytes = b"ok") -> bytes:
    return b"\r\n".join([start, *headers, b"", body])


LENGTH = b"Content-Length: 2"

# --- what is read -------------------------------------------------------------------------------

PLAIN = {
    "length": written(LENGTH),
    "empty": written(b"Content-Length: 0", body=b""),
    "as aiohttp says it": written(
        b"Content-Type: application/json; charset=utf-8", LENGTH, b"Date: now", b"Server: x"
    ),
    "as nginx says it": written(b"Server: nginx", LENGTH, b"Connection: keep-alive"),
    "no reason": written(LENGTH, start=b"HTTP/1.1 404 "),
    "no reason and no space": written(LENGTH, start=b"HTTP/1.1 404"),
    "a reason in any bytes": written(LENGTH, start=b"HTTP/1.1 500 \xd1\x8b\xff\t\x01"),
    "204": written(b"Server: x", start=b"HTTP/1.1 204 No Content", body=b""),
    "304": written(b"ETag: x", start=b"HTTP/1.1 304 Not Modified", body=b""),
    "599": written(LENGTH, start=b"HTTP/1.1 599 Odd"),
    "a length in any case": written(b"cONTENT-lENGTH:2"),
    "white space around": written(b"Content-Length: \t 2 \t", b"X: \t a  b \t"),
    "zeros in front": written(b"Content-Length: 0002"),
    "a header that says nothing": written(LENGTH, b"X:", b"Y: \t "),
    "repeated headers": written(b"Set-Cookie: a", LENGTH, b"SET-COOKIE: b", b"set-cookie: c"),
    "any bytes in a header": written(LENGTH, b"X: \xd1\x8b\xff\x01\x7f:\x0b"),
    "any bytes in a body": written(b"Content-Length: 6", body=b"\0\r\n\r\n\xff"),
    "an answer in a body": written(b"Content-Length: 40", body=written(LENGTH)),
    "all that names may be of": written(LENGTH, b"!#$%&'*+-.^_`|~09azAZ: x"),
    "packed": written(b"Content-Encoding: gzip", LENGTH),
    "as many headers as aiohttp takes": written(LENGTH, *[b"A: b"] * (MOST_HEADERS - 1)),
    "as much as is kept": written(b"Content-Length: %d" % KEPT, body=bytes(KEPT)),
}


@pytest.mark.parametrize("case", PLAIN)
def test_a_plain_answer_is_read_as_aiohttp_reads_it(case: str) -> None:
    assert read(PLAIN[case]) == read_with_aiohttp(PLAIN[case])


def test_the_longest_head() -> None:
    fixed = len(written(LENGTH, b"X: ", body=b""))
    longest = written(LENGTH, b"X: " + b"x" * (MOST_HEAD - fixed))
    assert len(longest) == MOST_HEAD + len(b"ok")
    assert read(longest) == read_with_aiohttp(longest)
    assert read(longest.replace(b"X:", b"XX:")) is None


def test_headers_have_names_in_lower_case_and_the_first_of_each_counts() -> None:
    answer = read_plain_answer(written(b"Retry-AFTER: 7", LENGTH, b"retry-after: 8"))
    assert answer is not None
    assert dict(answer.headers) == {"retry-after": "7", "content-length": "2"}
    assert (len(answer.headers), answer.headers.get("date")) == (2, None)


# --- what is left to aiohttp --------------------------------------------------------------------

LEFT = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
    "HTTP/1.0": written(LENGTH, start=b"HTTP/1.0 200 OK"),
    "HTTP/2.0": written(LENGTH, start=b"HTTP/2.0 200 OK"),
    "100": written(start=b"HTTP/1.1 100 Continue", body=b""),
    "101": written(b"Upgrade: x", start=b"HTTP/1.1 101 Switching", body=b""),
    "103 and an answer": written(start=b"HTTP/1.1 103 Hints", body=written(LENGTH)),
    "status 600": written(LENGTH, start=b"HTTP/1.1 600 Odd"),
    "status of four digits": written(LENGTH, start=b"HTTP/1.1 2000 OK"),
    "status after two spaces": written(LENGTH, start=b"HTTP/1.1  200 OK"),
    "NUL in the reason": written(LENGTH, start=b"HTTP/1.1 200 \0"),
    "bare CR in the reason": written(LENGTH, start=b"HTTP/1.1 200 O\rK"),
    "bare LF in the reason": written(LENGTH, start=b"HTTP/1.1 200 OK\nContent-Length: 1"),
    "chunks": written(b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
    "chunks and a length": written(LENGTH, b"Transfer-Encoding: chunked"),
    "identity": written(LENGTH, b"transfer-encoding: identity"),
    "trailer": written(LENGTH, b"Trailer: X"),
    "upgrade": written(LENGTH, b"Upgrade: h2c"),
    "no length": written(),
    "two lengths": written(LENGTH, b"Content-Length: 3"),
    "twice the same length": written(LENGTH, LENGTH),
    "two lengths in one": written(b"Content-Length: 2, 2"),
    "another's length": written(b"X-Content-Length: 2"),
    "+": written(b"Content-Length: +2"),
    "-": written(b"Content-Length: -2"),
    "a space inside": written(b"Content-Length: 1 0", body=b"x" * 10),
    "hexadecimal": written(b"Content-Length: 0x2"),
    "an underscore": written(b"Content-Length: 0_2"),
    "foreign digits": written("Content-Length: ٢".encode()),
    "an empty length": written(b"Content-Length: "),
    "a very long length": written(b"Content-Length: 0000000002"),
    "a body that is too short": written(LENGTH, body=b"o"),
    "a body that is too long": written(LENGTH, body=b"okk"),
    "the next answer behind it": written(LENGTH) + written(LENGTH),
    "a body that is not kept": written(b"Content-Length: %d" % (KEPT + 1), body=bytes(KEPT + 1)),
    "204 with a length": written(b"Content-Length: 0", start=b"HTTP/1.1 204 No Content", body=b""),
    "204 with a body": written(start=b"HTTP/1.1 204 No Content"),
    "304 with a length": written(LENGTH, start=b"HTTP/1.1 304 Not Modified", body=b""),
    "304 with a body": written(start=b"HTTP/1.1 304 Not Modified"),
    "told to close": written(LENGTH, b"Connection: close"),
    "told to keep and to close": written(LENGTH, b"Connection: keep-alive", b"Connection: close"),
    "told to keep and more": written(LENGTH, b"Connection: keep-alive, Upgrade"),
    "told to close the proxy's": written(LENGTH, b"Proxy-Connection: close"),
    "folded with a space": written(LENGTH, b"X: a", b" b"),
    "folded with a tab": written(LENGTH, b"X: a", b"\tb"),
    "folded at once": written(b" X: a", LENGTH),
    "a folded length": written(b"Content-Length:", b" 2"),
    "bare LF": written(LENGTH, b"X: a\nY: b"),
    "bare LF as the end of the head": written(LENGTH, b"X: a\n\nY: b"),
    "bare LF everywhere": written(LENGTH).replace(b"\r\n", b"\n"),
    "bare CR": written(LENGTH, b"X: a\rY: b"),
    "two CR": written(LENGTH, b"X: a\r"),
    "NUL in a header": written(LENGTH, b"X: \0"),
    "NUL in a name": written(LENGTH, b"X\0: a"),
    "a space in a name": written(LENGTH, b"X Y: a"),
    "a space after a name": written(LENGTH, b"X : a"),
    "a space after the length's name": written(b"Content-Length : 2"),
    "no name": written(LENGTH, b": a"),
    "no colon": written(LENGTH, b"X"),
    "a name with brackets": written(LENGTH, b"[X]: a"),
    "a name that is not ASCII": written(LENGTH, "Ы: a".encode()),
    "an old WebSocket": written(LENGTH, b"Sec-WebSocket-Key1: x"),
    "too many headers": written(LENGTH, *[b"A: b"] * MOST_HEADERS),
    "a head that is too long": written(LENGTH, b"X: " + b"x" * MOST_HEAD),
}


@pytest.mark.parametrize("case", LEFT)
def test_everything_else_is_left_to_aiohttp(case: str) -> None:
    assert read_plain_answer(LEFT[case]) is None


# --- in whatever form it comes ------------------------------------------------------------------

LINES = sorted(
    {line for data in [*PLAIN.values(), *LEFT.values()] for line in data.split(b"\r\n")[:9]}
)
starts = st.sampled_from([line for line in LINES if line.startswith(b"HTTP/")])
headers = st.one_of(st.sampled_from(LINES), st.binary(max_size=20))
ends = st.sampled_from([b"\r\n"] * 20 + [b"\n", b"\r", b"\r\r\n"])


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Return something like an answer; mostly one with the length that it says."""
    body = draw(st.binary(max_size=20))
    lines = draw(st.lists(headers, max_size=4))
    if draw(st.integers(0, 3)):
        start = draw(st.one_of(st.just(b"HTTP/1.1 200 OK"), starts))
        said = b"Content-Length: %d" % len(body)
        lines.insert(draw(st.integers(0, len(lines))), said)
    else:
        start = draw(starts)
    return b"".join(line + draw(ends) for line in [start, *lines]) + b"\r\n" + body


@given(answers())
def test_whatever_is_read_is_read_as_aiohttp_reads_it(data: bytes) -> None:
    assert read(data) in (None, read_with_aiohttp(data))


@given(st.sampled_from(sorted(PLAIN)), st.data())
def test_a_byte_makes_no_difference_between_the_two(case: str, data: st.DataObject) -> None:
    """Changed, gone or too much, wherever in an answer that is plain."""
    said = PLAIN[case]
    at = data.draw(st.integers(0, min(len(said), 300)))
    gone = data.draw(st.integers(0, 1))
    said = said[:at] + data.draw(st.binary(max_size=1)) + said[at + gone :]
    assert read(said) in (None, read_with_aiohttp(said))


@given(st.binary())
def test_any_bytes_are_read_without_failing(data: bytes) -> None:
    assert read(data) in (None, read_with_aiohttp(data))
    assert read(b"HTTP/1.1 200 " + data) in (None, read_with_aiohttp(b"HTTP/1.1 200 " + data))
