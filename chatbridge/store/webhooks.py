"""Webhooks that fail: since when, why, and which of them are paused. One row for each that had no success since it began to fail.

Where several nodes send to one webhook, all of them write here what they saw: a success of any of them ends the row.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, update

from chatbridge.store.dialect import Topic, insert_into, notify
from chatbridge.store.schema import failing_webhooks

_ROW = failing_webhooks.c


class FailingWebhook(NamedTuple):
    """A webhook without a success since it began to fail."""

    messenger_id: str
    since: int
    """When the first attempt failed after a success."""
    code: str
    """Of the last error."""
    paused_at: int | None = None
    """Since when nothing is sent to it."""


class Seen(NamedTuple):
    """What a node saw of a webhook."""

    messenger_id: str
    answered_at: int | None = None
    """The last success."""
    failed_at: int | None = None
    """The first failure after it."""
    code: str = ""
    """Of the last failure."""
    pause_if_since: int | None = None
    """It is to be paused if it has been failing since then or longer."""


class Noted(NamedTuple):
    """What became of it."""

    failing: list[FailingWebhook]
    """Those of the webhooks at hand that are failing now."""
    paused: list[str]
    """The messengers whose webhooks were paused by it."""


def note(connection: Connection, seen: Collection[Seen], *, now: int) -> Noted:
    """Write what was seen, and tell the other nodes."""
    # One order for all writers, so that none waits in a circle.
    paused = [each.messenger_id for each in sorted(seen) if _note(connection, each, now)]
    notify(connection, Topic.WEBHOOKS)
    meant = _ROW.messenger_id.in_([each.messenger_id for each in seen])
    return Noted(_list(connection, meant), paused)


def list_failing(connection: Connection) -> list[FailingWebhook]:
    """Return all of them."""
    return _list(connection)


def forget(connection: Connection, messenger_id: str) -> bool:
    """Begin anew with a webhook, and tell the other nodes; return whether it was failing."""
    gone = connection.execute(delete(failing_webhooks).where(_ROW.messenger_id == messenger_id))
    notify(connection, Topic.WEBHOOKS)
    return gone.rowcount > 0


def _note(connection: Connection, seen: Seen, now: int) -> bool:
    """Write what was seen of one; return whether it was paused by it."""
    mine = _ROW.messenger_id == seen.messenger_id
    if seen.answered_at is not None:
        connection.execute(delete(failing_webhooks).where(mine, _ROW.since <= seen.answered_at))
    if seen.failed_at is not None:
        row = insert_into(connection, failing_webhooks).values(
            messenger_id=seen.messenger_id, since=seen.failed_at, code=seen.code
        )
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["messenger_id"], set_={"code": row.excluded.code}
            )
        )
    if seen.pause_if_since is None:
        return False
    old = update(failing_webhooks).where(
        mine, _ROW.paused_at.is_(None), _ROW.since <= seen.pause_if_since
    )
    return connection.execute(old.values(paused_at=now)).rowcount > 0


def _list(connection: Connection, *conditions: ColumnElement[bool]) -> list[FailingWebhook]:
    columns = (_ROW[name] for name in FailingWebhook._fields)
    query = select(*columns).where(*conditions).order_by(_ROW.messenger_id)
    return [FailingWebhook(*row) for row in connection.execute(query)]
