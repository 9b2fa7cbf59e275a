"""HTTP/1.1 by hand, for requests that no client library would send."""

import asyncio
import json
from typing import Any

from tests.acceptance.bridge import Bridge, Reply, Shop
from tests.fakes import SECONDS


async def exchange(bridge: Bridge, *pieces: bytes, end: bool = False) -> Reply | None:
    """Send these bytes; return the answer, None if the connection was closed without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.process.port)
    try:
        async with asyncio.timeout(SECONDS):
            sending = asyncio.create_task(_send(writer, pieces, end=end))
            try:
                return await _read(reader)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...], *, end: bool) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    if end:
        writer.write_eof()


async def _read(reader: asyncio.StreamReader) -> Reply | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("Content-Length", "0")))
    return Reply(status=int(first.split()[1]), headers=headers, body=body)


def head(
    method: str, path: str, *headers: tuple[str, str] | bytes, length: int | None = None
) -> bytes:
    """The head of a request; a header given as bytes goes as it is."""
    lines = [f"{method} {path} HTTP/1.1".encode("latin-1"), b"Host: bridge"]
    lines += [
        one if isinstance(one, bytes) else f"{one[0]}: {one[1]}".encode("latin-1")
        for one in headers
    ]
    if length is not None:
        lines.append(f"Content-Length: {length}".encode())
    return b"\r\n".join(lines) + b"\r\n\r\n"


def message_head(shop: Shop, *headers: tuple[str, str] | bytes, length: int | None = None) -> bytes:
    """The head of a client's message."""
    common = [("Authorization", f"Bearer {shop.key}"), ("Content-Type", "application/json")]
    named = {one[0] for one in headers if isinstance(one, tuple)}
    kept = [one for one in common if one[0] not in named]
    return head("POST", "/v1/messages", *kept, *headers, length=length)


async def post_message(bridge: Bridge, shop: Shop, body: bytes, *headers: tuple[str, str]) -> Reply:
    """A client's message, byte for byte."""
    reply = await exchange(bridge, message_head(shop, *headers, length=len(body)), body)
    assert reply is not None
    return reply


def padded(value: dict[str, Any], size: int) -> bytes:
    """The value as JSON of exactly this many bytes."""
    body = json.dumps(value).encode()
    return body + b" " * (size - len(body))
