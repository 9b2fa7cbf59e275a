"""Conversations: found or made from either side's id, and bound to the other side's once that is known."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, and_, exists, select, tuple_, update

from chatbridge.store.dialect import insert_new
from chatbridge.store.entries import ConversationKey, ConversationRow
from chatbridge.store.schema import conversations

_ALIAS = conversations.alias()


def resolve(
    connection: Connection, keys: Collection[ConversationKey], *, now: int
) -> dict[ConversationKey, ConversationRow]:
    """Return the row of each key; unknown conversations are made.

    A conversation that an operator began is known by amoCRM's id only; the first key that carries both ids binds it.
    """
    found = _find(connection, keys)
    missing = [key for key in keys if key not in found]
    for key in sorted(missing, key=_place):
        _make_or_bind(connection, key, now=now)
    if missing:
        found |= _find(connection, missing)
    return found


def _place(key: ConversationKey) -> tuple[bool, int, str, str]:
    """Keys with both ids go first: they bind. Beyond that one order for all writers, so that none waits in a circle."""
    one_id = key.external_id is None or key.amojo_id is None
    return one_id, key.link_id, key.external_id or "", key.amojo_id or ""


def learn_amojo_id(connection: Connection, conversation_id: int, amojo_id: str) -> None:
    """Remember amoCRM's id of a conversation, unless one is known or another conversation of the link has it."""
    row = conversations.c
    same_id = and_(_ALIAS.c.link_id == row.link_id, _ALIAS.c.amojo_id == amojo_id)
    connection.execute(
        update(conversations)
        .where(row.id == conversation_id, row.amojo_id.is_(None), ~exists().where(same_id))
        .values(amojo_id=amojo_id)
    )


def _find(
    connection: Connection, keys: Iterable[ConversationKey]
) -> dict[ConversationKey, ConversationRow]:
    keys = list(keys)
    by_external = _select(connection, "external_id", keys)
    by_amojo = _select(connection, "amojo_id", [key for key in keys if key.external_id is None])
    found = {}
    for key in keys:
        if key.external_id is not None:
            row = by_external.get((key.link_id, key.external_id))
        else:
            row = by_amojo.get((key.link_id, key.amojo_id))
        if row is not None:
            found[key] = row
    return found


def _select(
    connection: Connection, name: str, keys: list[ConversationKey]
) -> dict[tuple[int, str | None], ConversationRow]:
    pairs = {(key.link_id, value) for key in keys if (value := getattr(key, name)) is not None}
    if not pairs:
        return {}
    columns = conversations.c
    rows = connection.execute(
        select(columns.id, columns.link_id, columns.external_id, columns.amojo_id).where(
            tuple_(columns.link_id, columns[name]).in_(sorted(pairs))
        )
    )
    made = [ConversationRow(**row) for row in rows.mappings()]
    return {(row.link_id, getattr(row, name)): row for row in made}


def _make_or_bind(connection: Connection, key: ConversationKey, *, now: int) -> None:
    row = conversations.c
    if key.external_id is not None and key.amojo_id is not None:
        same_name = and_(_ALIAS.c.link_id == key.link_id, _ALIAS.c.external_id == key.external_id)
        bound = connection.execute(
            update(conversations)
            .where(
                row.link_id == key.link_id,
                row.amojo_id == key.amojo_id,
                row.external_id.is_(None),
                ~exists().where(same_name),
            )
            .values(external_id=key.external_id)
        )
        if bound.rowcount:
            return
    values = {"link_id": key.link_id, "external_id": key.external_id, "created_at": now}
    if key.external_id is None:
        connection.execute(
            insert_new(connection, conversations, "link_id", "amojo_id").values(
                **values, amojo_id=key.amojo_id
            )
        )
        return
    connection.execute(
        insert_new(connection, conversations, "link_id", "external_id").values(**values)
    )
    if key.amojo_id is not None:
        made = _select(connection, "external_id", [key])[key.link_id, key.external_id]
        learn_amojo_id(connection, made.id, key.amojo_id)
