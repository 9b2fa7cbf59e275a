"""Gives connectors the bytes of files that operators sent, wherever they are kept."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chatbridge.clients.downloads import Downloader
from chatbridge.connectors.host import Download
from chatbridge.errors import MediaGone, MediaUnreachable, StoreUnavailable
from chatbridge.media.files import Files
from chatbridge.media.links import MediaLinks
from chatbridge.model import Content
from chatbridge.store import media
from chatbridge.store.engine import Store
from chatbridge.store.media import MediaRow, MediaState


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file of this server's."""

    files: Files
    row: MediaRow

    @property
    def size(self) -> int:
        """Return how many bytes it has."""
        return self.row.size or 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield its bytes."""
        if self.size:
            async for chunk in self.files.read(self.row.id, 0, self.size):
                yield chunk


class FileReader:
    """Reads what content names."""

    def __init__(
        self, *, store: Store, files: Files, downloader: Downloader, links: MediaLinks
    ) -> None:
        """Read from `files` what `links` lead to, and fetch the rest."""
        self._store, self._files = store, files
        self._downloader, self._links = downloader, links

    @asynccontextmanager
    async def open(self, content: Content) -> AsyncGenerator[Download]:
        """Give the file of some content.

        Raises:
            MediaError: there is none, or none that can be had at the moment.

        """
        if content.media_url is None:
            raise MediaGone("the message names no file")
        media_id = self._links.read_url(content.media_url)
        if media_id is None:
            async with self._downloader.open(content.media_url) as download:
                yield download
            return
        try:
            row = await self._store.read(media.find, media_id)
        except StoreUnavailable as error:
            raise MediaUnreachable("the database does not say where the file is") from error
        if row is None or row.state is not MediaState.KEPT:
            raise MediaGone("the file is no longer kept")
        yield _Kept(self._files, row)
