"""The plain form of HTTP/1.1 that clients of a hot address send, read and written without ceremony. Pure.

It is narrow on purpose: a POST with a `Content-Length` and nothing unusual about it. Whatever else comes is not refused here but
left to aiohttp, which knows all of HTTP. So this can be strict: what it takes can be read in one way only.
"""

import re
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from chatbridge.web.answers import HEADERS, Answer

MOST_HEAD: Final = 8192
"""Bytes of a head that is read here."""

_REQUEST_LINE: Final = re.compile(r"POST (/[A-Za-z0-9/._~-]*) HTTP/1\.1")
_HEADER: Final = re.compile(r"\r\n([A-Za-z0-9-]+):([\t -~]*)(?=\r\n|\Z)")
_LENGTH: Final = re.compile(r"[0-9]{1,9}")
_UNUSUAL: Final = frozenset(
    {"transfer-encoding", "expect", "upgrade", "content-encoding", "te", "trailer"}
)
"""Headers with which a request is left to aiohttp."""


class PlainHead(Struct, frozen=True, gc=False):
    """The head of a plain request."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case, each once."""
    size: int
    """Bytes of the head, its empty line included."""
    length: int
    """Bytes of the body."""
    keep_alive: bool


def read_head(data: bytes | bytearray) -> PlainHead | None:
    """Return the head at the beginning of these bytes, None if it is not plain or not complete."""
    end = data.find(b"\r\n\r\n", 0, MOST_HEAD)
    text = data[: max(end, 0)].decode("latin-1")
    line = _REQUEST_LINE.match(text)
    if line is None:
        return None
    found = _HEADER.findall(text, line.end())
    headers = {name.lower(): value.strip() for name, value in found}
    length = headers.get("content-length", "")
    connection = headers.get("connection", "keep-alive").lower()
    if (
        text.count("\r\n") != len(headers)
        or "host" not in headers
        or not _UNUSUAL.isdisjoint(headers)
        or not _LENGTH.fullmatch(length)
        or connection not in {"keep-alive", "close"}
    ):
        return None
    return PlainHead(line[1], headers, end + 4, int(length), connection == "keep-alive")


@lru_cache(maxsize=64)
def _opening(status: int, content_type: str | None, *, keep_alive: bool) -> str:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    if not keep_alive:
        lines.append("Connection: close")
    return "\r\n".join(lines)


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def write_answer(answer: Answer, request_id: str, *, now: int, keep_alive: bool) -> bytes:
    """Return an answer as bytes; `now` in seconds since 1970."""
    opening = _opening(answer.status, answer.content_type, keep_alive=keep_alive)
    own = "".join([f"{name}: {value}\r\n" for name, value in answer.headers.items()])
    head = (
        f"{opening}\r\n{own}X-Request-Id: {request_id}\r\n"
        f"Content-Length: {len(answer.body)}\r\nDate: {_date(now)}\r\n\r\n"
    )
    return head.encode("latin-1") + answer.body
