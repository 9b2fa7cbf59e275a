"""Puts our links in place of those that a message came with, or says what is left where there is no file."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from chatbridge.bridge.copying import Copier, content_of
from chatbridge.errors import MediaForbidden, MediaGone, NotSent, StoreUnavailable
from chatbridge.media.kinds import fits
from chatbridge.media.links import MediaLinks
from chatbridge.media.names import harmless_name
from chatbridge.model import MEDIA_TYPES, Content, Edit, Message, MessageType
from chatbridge.store import media
from chatbridge.store.engine import Store
from chatbridge.store.entries import Entry
from chatbridge.store.media import MediaRow, MediaState

Said = TypeVar("Said", bound=Message | Edit)


class Attached(NamedTuple):
    """Content ready to be sent."""

    content: Content
    note: str | None = None
    """What was changed, for the timeline."""


class Attachments:
    """The files of messages at the moment they are sent."""

    def __init__(self, *, store: Store, copier: Copier, links: MediaLinks) -> None:
        """Wait for `copier` where a file is not there yet."""
        self._store, self._copier, self._links = store, copier, links

    async def attach(self, entry: Entry, event: Said) -> tuple[Said, str | None]:
        """Return the event with a link of ours to its file, and what was changed.

        Raises:
            NotSent: the database is away, so nobody knows what became of the file.

        """
        content = content_of(event)
        if content is None or content.type not in MEDIA_TYPES:
            return event, None
        kept_as = self._copier.kept_as(content)
        try:
            row = await self._found(entry, kept_as)
        except StoreUnavailable as error:
            raise NotSent("not sent: the database does not say what became of its file") from error
        if row is None and kept_as is None and content.media_ref is None:
            return event, None  # from before files were copied
        ready = attached(content, row, self._links)
        return replace(event, content=ready.content), ready.note

    async def _found(self, entry: Entry, kept_as: bytes | None) -> MediaRow | None:
        row = await self._store.read(media.find, kept_as or entry.key)
        if row is not None and row.state is MediaState.WANTED:
            await self._copier.copied(entry)
            row = await self._store.read(media.find, entry.key)
        return row

    async def shown(self, said: Sequence[tuple[bytes, Content]]) -> list[Content]:
        """Return content, each given with the key of its entry, with links of ours to the files that are kept.

        Raises:
            StoreUnavailable: the database is away.

        """
        ids = [self._copier.kept_as(content) or key for key, content in said]
        rows = await self._store.read(media.find_files, ids)
        return [
            attached(content, row, self._links).content
            if (row := rows.get(media_id)) is not None and row.state is MediaState.KEPT
            else content
            for media_id, (_, content) in zip(ids, said, strict=True)
        ]


def attached(content: Content, row: MediaRow | None, links: MediaLinks) -> Attached:
    """Return content with what is known of its file. Pure.

    A type that the file does not bear out becomes `file`. Where a copy failed, the original link is passed on if there is one and
    the far side may have more luck with it; else the message says in text what it was about.
    """
    if row is None or row.state is MediaState.ARRIVING:
        return Attached(_as_text(content, None), "the file is no longer kept: sent as text")
    name = harmless_name(content.file_name or row.file_name)
    if row.state is not MediaState.KEPT:
        return _without(replace(content, file_name=name), row)
    kind = content.type if fits(content.type, row.content_type or "") else MessageType.FILE
    note = f"{content.type} is {row.content_type}: sent as file" if kind != content.type else None
    linked = replace(
        content,
        type=kind,
        media_url=links.link(row.id, row.content_type or ""),
        media_id=None,
        media_ref=None,
        content_type=row.content_type,
        file_name=name,
        file_size=row.size,
    )
    return Attached(linked, note)


def _without(content: Content, row: MediaRow) -> Attached:
    said = f"not copied ({row.code}: {row.detail})"
    if content.media_ref is not None:
        return Attached(_as_text(content, f"({row.code})"), f"{said}: sent as text")
    if row.code == MediaForbidden.code:
        return Attached(_as_text(content, None), f"{said}: sent as text")
    if row.code == MediaGone.code:
        return Attached(_as_text(content, content.media_url), f"{said}: sent as text")
    return Attached(content, f"{said}: the original link was passed on")


def _as_text(content: Content, more: str | None) -> Content:
    mark = " ".join(filter(None, ("📎", content.file_name, more)))
    text = "\n".join(filter(None, (content.text, mark)))
    return Content(type=MessageType.TEXT, text=text, callback_data=content.callback_data)
