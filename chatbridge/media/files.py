"""Where files are kept: a local folder, or a bucket of S3."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from chatbridge.errors import ConfigurationError, MediaNotKept

_PART: Final = 5 * 2**20
"""Bytes written at once; S3 takes no smaller parts."""
_PARTS: Final = 2
_PIECE: Final = 256 * 1024
"""Bytes read at once."""
_STAGED: Final = re.compile(r".*#\d+")
_FORGOTTEN: Final = 24 * 3600
"""Seconds after which a half-written file belongs to nobody."""


class Files:
    """Files under the hexadecimal form of their ids."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        """Keep them in this folder, or at this address (`s3://bucket/prefix`) with these options of its store.

        Raises:
            ConfigurationError: it is neither.

        """
        self._folder = None if "://" in url else Path(url).absolute()
        self._url, self._options = url, options
        if self._folder is None:
            self._store = self._remote()

    async def open(self, now: float) -> None:
        """Make the folder, and remove what a crash left half-written; `now` in seconds since 1970.

        Raises:
            ConfigurationError: it cannot be made.

        """
        if self._folder is None:
            return
        try:
            await asyncio.to_thread(_prepare, self._folder, now - _FORGOTTEN)
            self._store = LocalStore(self._folder)
        except OSError as error:
            raise ConfigurationError(
                f"CHATBRIDGE_MEDIA__URL: the folder {self._folder} cannot be used ({error.strerror})"
            ) from error

    async def write(self, media_id: bytes, chunks: AsyncIterator[bytes]) -> None:
        """Keep a file, from a stream; when this returns it is on disk. What the stream raises leaves nothing behind.

        Raises:
            MediaNotKept: it was not taken.

        """
        name = _name(media_id)
        try:
            await obstore.put_async(
                self._store, name, chunks, chunk_size=_PART, max_concurrency=_PARTS
            )
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder / name)
        except (BaseError, OSError) as error:
            raise MediaNotKept(f"the file was not kept ({_reason(error)})") from error

    async def read(self, media_id: bytes, begin: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of a file from `begin` up to and without `end`.

        Raises:
            MediaNotKept: it cannot be read.

        """
        try:
            found = await obstore.get_async(
                self._store, _name(media_id), options={"range": (begin, end)}
            )
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)
        except (BaseError, OSError) as error:
            raise MediaNotKept(f"the file cannot be read ({_reason(error)})") from error

    async def delete(self, media_id: bytes) -> None:
        """Remove a file; one that is gone already is no error.

        Raises:
            MediaNotKept: the store cannot be reached.

        """
        try:
            await obstore.delete_async(self._store, _name(media_id))
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise MediaNotKept(f"the file cannot be removed ({_reason(error)})") from error

    def _remote(self) -> ObjectStore:
        options: dict[str, Any] = dict(self._options)
        if options.get("endpoint", "").startswith("http://"):
            options["client_options"] = {"allow_http": True}
        try:
            return from_url(self._url, **options)
        except (BaseError, ValueError, TypeError) as error:
            raise ConfigurationError(
                f"CHATBRIDGE_MEDIA__URL or its options: {_reason(error)}"
            ) from error


def _name(media_id: bytes) -> str:
    name = media_id.hex()
    return f"{name[:2]}/{name}"


def _prepare(folder: Path, old: float) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.glob("*/*#*"):
        if _STAGED.fullmatch(path.name) and path.stat().st_mtime < old:
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have a file and its name on disk."""
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _reason(error: BaseException) -> str:
    """Return the first line of what a store says; what follows are its own notes."""
    return str(error).partition("\n")[0][:200] or type(error).__name__
