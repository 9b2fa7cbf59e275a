"""How much of an answer is read."""

from typing import Final

import aiohttp

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
