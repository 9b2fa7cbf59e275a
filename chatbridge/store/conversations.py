"""Conversations: found or made from either side's id, and bound to the other side's once that is known."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, select

from chatbridge.store.dialect import hot_rows
from chatbridge.store.entries import ConversationKey, ConversationRow, Naming
from chatbridge.store.schema import conversations as table


def resolve(
    connection: Connection, keys: Collection[ConversationKey], *, now: int
) -> dict[ConversationKey, ConversationRow]:
    """Return the row of each key; unknown conversations are made.

    A conversation that an operator began is known by amoCRM's id only; the first key that carries both ids binds it.
    """
    found = find(connection, keys)
    missing = [key for key in keys if key not in found]
    if missing:
        _make_or_bind(connection, missing, now=now)
        found |= find(connection, missing)
    return found


def learn_amojo_ids(connection: Connection, namings: Iterable[Naming]) -> None:
    """Remember amoCRM's ids of conversations, unless one is known or another conversation of the link has it."""
    hot_rows(connection).learn_amojo_ids(connection, _unambiguous(namings))


def bind(connection: Connection, namings: Iterable[Naming]) -> None:
    """Remember the messenger's ids of conversations that an operator began, unless one is known or another conversation has it."""
    hot_rows(connection).bind_conversations(connection, _unambiguous(namings))


def _make_or_bind(connection: Connection, keys: Sequence[ConversationKey], *, now: int) -> None:
    named = {(key.link_id, key.external_id) for key in keys if key.external_id is not None}
    begun = {
        (key.link_id, key.amojo_id): (key.link_id, key.amojo_id, key.client_ref_id)
        for key in keys
        if key.external_id is None
    }
    namings = _unambiguous(
        Naming(key.link_id, key.external_id, key.amojo_id)
        for key in keys
        if key.external_id is not None and key.amojo_id is not None
    )
    if namings:
        hot_rows(connection).bind_conversations(connection, namings)
    # One order for all writers, so that none waits in a circle.
    hot_rows(connection).insert_named(connection, sorted(named), now)
    if namings:
        hot_rows(connection).learn_amojo_ids(connection, namings)
    hot_rows(connection).insert_begun(connection, [begun[pair] for pair in sorted(begun)], now)


def _unambiguous(namings: Iterable[Naming]) -> list[Naming]:
    """Return these in one order for all writers, each id once: of two that contradict each other one is heard."""
    by_external: dict[tuple[int, str], Naming] = {}
    taken: set[tuple[int, str]] = set()
    for naming in sorted(namings):
        theirs = (naming.link_id, naming.amojo_id)
        if theirs not in taken and (naming.link_id, naming.external_id) not in by_external:
            by_external[naming.link_id, naming.external_id] = naming
            taken.add(theirs)
    return list(by_external.values())


def find(
    connection: Connection, keys: Iterable[ConversationKey]
) -> dict[ConversationKey, ConversationRow]:
    """Return the row of each key that is known: by the messenger's id where the key has one, else by amoCRM's."""
    named = {key: (key.link_id, key.external_id) for key in keys if key.external_id is not None}
    begun = {key: (key.link_id, key.amojo_id) for key in keys if key.external_id is None}
    found: dict[ConversationKey, ConversationRow] = {}
    for name, wanted in (("external_id", named), ("amojo_id", begun)):
        pairs = sorted(set(wanted.values()))
        if not pairs:
            continue
        known = hot_rows(connection).find_conversations(connection, name, pairs)
        by_name = {(row.link_id, getattr(row, name)): row for row in known}
        found |= {key: row for key, pair in wanted.items() if (row := by_name.get(pair))}
    return found


def get(connection: Connection, number: int) -> ConversationRow | None:
    """Return the conversation with this number."""
    columns = (table.c[name] for name in ConversationRow.__struct_fields__)
    row = connection.execute(select(*columns).where(table.c.id == number)).first()
    return None if row is None else ConversationRow(*row)
