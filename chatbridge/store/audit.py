"""What was done by whom, and what was refused."""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from chatbridge.store.schema import audit


class Deed(NamedTuple):
    """Something that somebody did or tried to."""

    workspace_id: str | None
    at: int
    actor: str
    """`server`, `user:…`, `key:…` or `widget:…`."""
    action: str
    """Such as `messenger.create`."""
    subject: str | None
    """The id of what it was done to."""
    outcome: str
    """`done`, or the code of the refusal."""
    detail: str | None = None


class Noted(NamedTuple):
    """A deed as stored."""

    id: int
    deed: Deed


_COLUMNS = [audit.c[name] for name in Deed._fields]


def note(connection: Connection, deed: Deed) -> None:
    """Store a deed."""
    connection.execute(insert(audit).values(deed._asdict()))


def list_deeds(
    connection: Connection, workspace_id: str | None, *, before: int | None, limit: int
) -> list[Noted]:
    """Return the deeds of a workspace, or of all, newest first, those older than one where that is given."""
    query = select(audit.c.id, *_COLUMNS).order_by(audit.c.id.desc()).limit(limit)
    if workspace_id is not None:
        query = query.where(audit.c.workspace_id == workspace_id)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [Noted(row[0], Deed(*row[1:])) for row in connection.execute(query)]
