"""The plain form in which far sides answer nearly every request, read without ceremony. Pure.

It is narrow on purpose: one piece of bytes that is a head with a `Content-Length` and all of its body, and nothing unusual about
it. Whatever else comes is left to aiohttp's parser, byte for byte. So this can be strict: what it takes can be read in one way only.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from chatbridge.clients.reading import KEPT
from chatbridge.protocol.http import Response

MOST_HEAD: Final = 8192
"""Bytes of a head that is read here."""

MOST_HEADERS: Final = 128
"""Headers of an answer. aiohttp refuses one with more."""

_HEAD: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [^\r\n\0]*+)?+\r\n"
    rb"(?:[!#-'*+\-.0-9A-Z^-z|~]++:[^\r\n\0]*+\r\n){0,%d}+\r\n" % MOST_HEADERS
)
"""Whole lines, each header in one of its own: as soon as a line may end in two ways, so may the answer."""
_LENGTH: Final = b"\r\ncontent-length:"
_KEPT_ALIVE: Final = b"\r\nconnection: keep-alive\r\n"
_UNUSUAL: Final = (b"transfer-encoding", b"upgrade", b"trailer", b"sec-websocket-key1")
"""What may change where an answer ends, or whether it is one. Found anywhere in a head, it is left to aiohttp."""
_BARE: Final = frozenset({b"204", b"304"})
"""Statuses of answers that have no body, whatever their head says."""


class _Headers(Mapping[str, str]):
    """Headers of a plain answer, read when somebody looks: mostly nobody does. Of a repeated one the first counts."""

    __slots__ = ("_found", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._found: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, str]:
        if self._found is None:
            lines = self._raw.decode("utf-8", "surrogateescape").split("\r\n")[:-1]
            parted = [line.partition(":") for line in reversed(lines)]
            self._found = {name.lower(): value.strip(" \t") for name, _, value in parted}
        return self._found


def read_plain_answer(data: bytes) -> Response | None:
    """Return the answer that these bytes are, None if they are anything else than one whole plain answer."""
    head = _HEAD.match(data, 0, MOST_HEAD)
    if head is None:
        return None
    status, begin, end = head[1], data.find(b"\r\n"), head.end() - 2
    said, body = data[begin:end].lower(), data[end + 2 :]
    if said.count(b"connection") and (said.count(b"connection") > 1 or _KEPT_ALIVE not in said):
        return None
    for word in _UNUSUAL:
        if word in said:
            return None
    if status in _BARE:
        whole = not body and b"content-length" not in said
    else:
        whole = _length(said) == len(body) <= KEPT
    if not whole:
        return None
    return Response(status=int(status), headers=_Headers(data[begin + 2 : end]), body=body)


def _length(said: bytes) -> int:
    """Return the one length that a head in lower case says, -1 if there is none or more than one."""
    begin = said.find(_LENGTH)
    if begin < 0 or said.count(b"content-length") > 1:
        return -1
    begin += len(_LENGTH)
    digits = said[begin : said.find(b"\r\n", begin)].strip(b" \t")
    return int(digits) if digits.isdigit() and len(digits) < 10 else -1
