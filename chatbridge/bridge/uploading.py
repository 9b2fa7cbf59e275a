"""Takes files that messengers upload, to be named in messages."""

from collections.abc import AsyncIterator, Callable

from chatbridge.clock import Clock
from chatbridge.connectors.host import Upload
from chatbridge.errors import InvalidFields
from chatbridge.media.files import Files
from chatbridge.media.keeping import keep
from chatbridge.media.links import MediaLinks
from chatbridge.media.names import harmless_name
from chatbridge.model import Content, Messenger
from chatbridge.store import media
from chatbridge.store.engine import Store
from chatbridge.store.media import Ended, MediaState


class Uploads:
    """The files of messengers."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        files: Files,
        links: MediaLinks,
        max_bytes: int,
        new_id: Callable[[], bytes],
    ) -> None:
        """Keep at most `max_bytes` of a file, under an id of `new_id`."""
        self._store, self._clock, self._files = store, clock, files
        self._links, self._max_bytes, self._new_id = links, max_bytes, new_id

    async def take(
        self, messenger: Messenger, chunks: AsyncIterator[bytes], *, file_name: str | None
    ) -> Upload:
        """Keep a file; when this returns it is on disk.

        Raises:
            MediaTooLarge: it is beyond the limit.
            MediaNotKept: the place where files are kept did not take it.
            StoreUnavailable: the database is away.

        """
        media_id, name = self._new_id(), harmless_name(file_name)
        write = self._store.write
        await write(media.add_upload, media_id, messenger.id, name, self._clock.now())
        try:
            kept = await keep(self._files, media_id, chunks, max_bytes=self._max_bytes)
        except Exception:
            await write(media.remove, [media_id])
            raise
        ended = Ended(state=MediaState.KEPT, content_type=kept.content_type, size=kept.size)
        await write(media.end, media_id, ended, self._clock.now())
        return Upload(
            id=media_id.hex(),
            url=self._links.link(media_id, kept.content_type),
            content_type=kept.content_type,
            size=kept.size,
            file_name=name,
        )

    async def check(self, messenger: Messenger, content: Content) -> None:
        """See to it that content names no upload but a complete one of this messenger.

        Raises:
            InvalidFields: it does.
            StoreUnavailable: the database is away.

        """
        if content.media_id is None:
            return
        row = await self._store.read(media.find, bytes.fromhex(content.media_id))
        if row is None or row.state is not MediaState.KEPT or row.messenger_id != messenger.id:
            raise InvalidFields(
                fields={"/message/media_id": "no such upload; make one with POST /v1/media"}
            )
