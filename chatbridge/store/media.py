"""Files that travel with messages: which are wanted, which are kept, and what waits for them.

A row is there before its file is: so no crash leaves a file that nobody knows of.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from chatbridge.model import Event, decode_event
from chatbridge.store.dialect import Topic, notify_lanes
from chatbridge.store.entries import Entry
from chatbridge.store.schema import conversations, journal, media, pending


class MediaState(StrEnum):
    """Where a file stands. The words are stored."""

    WANTED = "wanted"
    """A link that is to be copied."""
    ARRIVING = "arriving"
    """An upload that is not complete."""
    KEPT = "kept"
    FAILED = "failed"


class MediaRow(Struct, frozen=True, kw_only=True, gc=False):
    """A file as stored."""

    id: bytes
    state: MediaState
    created_at: int
    ended_at: int | None = None
    messenger_id: str | None = None
    content_type: str | None = None
    size: int | None = None
    file_name: str | None = None
    code: str | None = None
    detail: str | None = None


class Wanted(NamedTuple):
    """A file that is still to be copied."""

    id: bytes
    lane: int
    link_id: int
    kind: str
    body: bytes

    def read(self) -> Event:
        """Return the event that names the file."""
        return decode_event(self.kind, self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a file that was to be copied or uploaded."""

    state: MediaState
    content_type: str | None = None
    size: int | None = None
    file_name: str | None = None
    code: str | None = None
    detail: str | None = None


def want(connection: Connection, entries: Sequence[Entry], now: int) -> None:
    """Hold these new entries back until their files are copied, or until they are due."""
    connection.execute(
        insert(media),
        [
            {
                "id": entry.key,
                "state": MediaState.WANTED,
                "created_at": now,
                "entry_id": entry.id,
                "lane": entry.lane,
            }
            for entry in entries
        ],
    )
    held = update(pending).where(pending.c.id == bindparam("entry_id"))
    connection.execute(
        held.values(due_at=bindparam("due")),
        [{"entry_id": entry.id, "due": entry.due_at} for entry in entries],
    )


def use(connection: Connection, ids: Collection[bytes], now: int) -> None:
    """Take note that messages name these uploads."""
    unused = media.c.used_at.is_(None)
    connection.execute(update(media).where(media.c.id.in_(sorted(ids)), unused).values(used_at=now))


def add_upload(
    connection: Connection, media_id: bytes, messenger_id: str, file_name: str | None, now: int
) -> None:
    """Take note of an upload that is about to come."""
    connection.execute(
        insert(media).values(
            id=media_id,
            state=MediaState.ARRIVING,
            created_at=now,
            messenger_id=messenger_id,
            file_name=file_name,
        )
    )


def end(connection: Connection, media_id: bytes, ended: Ended, now: int) -> None:
    """Record what became of a file, once, and let go on what waits for it."""
    known = {name: getattr(ended, name) for name in Ended.__dataclass_fields__}
    if ended.file_name is None:
        del known["file_name"]
    changed = connection.execute(
        update(media)
        .where(media.c.id == media_id, media.c.state.in_(_OPEN))
        .values(ended_at=now, **known)
        .returning(media.c.entry_id, media.c.lane)
    ).first()
    if changed is None or changed.entry_id is None:
        return
    waiting = update(pending).where(pending.c.id == changed.entry_id, pending.c.attempts == 0)
    connection.execute(waiting.values(due_at=now))
    notify_lanes(connection, Topic.LANES_AGAIN, [changed.lane])


_OPEN: Final = (MediaState.WANTED, MediaState.ARRIVING)


def find(connection: Connection, media_id: bytes) -> MediaRow | None:
    """Return a file's row."""
    return find_files(connection, [media_id]).get(media_id)


def find_files(connection: Connection, ids: Collection[bytes]) -> dict[bytes, MediaRow]:
    """Return the rows of those of these files that are known, by id."""
    columns = [media.c[name] for name in MediaRow.__struct_fields__]
    rows = connection.execute(select(*columns).where(media.c.id.in_(ids))).mappings()
    return {found.id: found for found in map(_row, rows)}


def list_wanted(connection: Connection, *, before: int, limit: int) -> list[Wanted]:
    """Return files that were wanted before then and are not copied yet, oldest first."""
    query = (
        select(media.c.id, media.c.lane, conversations.c.link_id, journal.c.kind, journal.c.body)
        .join(journal, journal.c.id == media.c.entry_id)
        .join(conversations, conversations.c.id == journal.c.conversation_id)
        .where(media.c.state == MediaState.WANTED, media.c.created_at < before)
        .order_by(media.c.created_at)
        .limit(limit)
    )
    return [
        Wanted(bytes(row.id), row.lane, row.link_id, row.kind, bytes(row.body))
        for row in connection.execute(query)
    ]


def list_outlived(
    connection: Connection, *, kept_before: int, unused_before: int, limit: int
) -> list[bytes]:
    """Return files that were kept or given up before a time, and uploads of before another that no message names."""
    row = media.c
    old = row.state.in_((MediaState.KEPT, MediaState.FAILED)) & (row.created_at < kept_before)
    forgotten = row.state.in_((MediaState.KEPT, MediaState.ARRIVING)) & (
        row.created_at < unused_before
    )
    unused = forgotten & row.messenger_id.is_not(None) & row.used_at.is_(None)
    query = select(row.id).where(or_(old, unused)).order_by(row.created_at).limit(limit)
    return [bytes(media_id) for (media_id,) in connection.execute(query)]


def remove(connection: Connection, ids: Sequence[bytes]) -> None:
    """Forget these files."""
    connection.execute(delete(media).where(media.c.id.in_(ids)))


def _row(row: Any) -> MediaRow:
    values = dict(row)
    return MediaRow(**values | {"id": bytes(values["id"]), "state": MediaState(values["state"])})
