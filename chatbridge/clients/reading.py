"""How much of an answer is read, and what is made of its headers."""

from collections.abc import Iterator, Mapping
from typing import Final

import aiohttp
from multidict import CIMultiDictProxy

KEPT: Final = 64 * 1024
"""Bytes of an answer that are kept. No answer of the protocol comes near; a hostile one may be endless."""


async def read_start(stream: aiohttp.StreamReader) -> bytes:
    """Return the answer, or what is enough to see that there is more than `KEPT` of it."""
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > KEPT:
            break
    return bytes(body)


class AnswerHeaders(Mapping[str, str]):
    """Headers under lower-case names, for whoever looks: mostly nobody does. Of a repeated one the first counts."""

    __slots__ = ("_found",)

    def __init__(self, found: CIMultiDictProxy[str]) -> None:
        self._found = found

    def __getitem__(self, name: str) -> str:
        """Return the value of a header."""
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        """Yield each name once."""
        return iter(dict.fromkeys(name.lower() for name in self._found))

    def __len__(self) -> int:
        """Return how many names there are."""
        return sum(1 for _ in self)
