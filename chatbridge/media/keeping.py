"""Keeps a file from a stream: counted, bounded, and recognised by its beginning on the way."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from chatbridge.errors import MediaTooLarge
from chatbridge.media.files import Files
from chatbridge.media.kinds import ENOUGH, content_type_of


class Kept(NamedTuple):
    """What is known of a file that is kept."""

    content_type: str
    size: int


async def keep(
    files: Files, media_id: bytes, chunks: AsyncIterator[bytes], *, max_bytes: int
) -> Kept:
    """Keep a file and return what it is; when this returns it is on disk.

    Raises:
        MediaTooLarge: it has more bytes than that.
        MediaNotKept: the store did not take it.

    """
    start, size = bytearray(), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size
        async for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise too_large(max_bytes)
            if len(start) < ENOUGH:
                start.extend(chunk[:ENOUGH])
            yield chunk

    await files.write(media_id, counted())
    return Kept(content_type_of(bytes(start)), size)


def too_large(max_bytes: int) -> MediaTooLarge:
    """Return the refusal of a file that is larger."""
    return MediaTooLarge(f"the file is larger than {max_bytes:,} bytes (media.max_bytes)")
