"""The journal: everything accepted from either side, once and in order.

`accept` takes many at once: what waits while one batch is written makes up the next.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from chatbridge.store import conversations
from chatbridge.store.conversations import ConversationKey, ConversationRow
from chatbridge.store.dialect import insert_new
from chatbridge.store.entries import Acceptance, Draft, Entry, Verdict, lane_of
from chatbridge.store.schema import journal, pending


def accept(connection: Connection, drafts: Sequence[Draft], now: int) -> list[Acceptance]:
    """Store what is new and queue it for delivery, in the order given; answer each draft.

    Guarantees: a key is stored once, whoever else writes at the same time; ids grow in the order given.
    """
    rows = conversations.resolve(connection, {draft.conversation for draft in drafts}, now=now)
    first = {draft.key: draft for draft in reversed(drafts)}
    ids = _insert(connection, [draft for draft in drafts if first[draft.key] is draft], rows, now)
    known = _digests(connection, {draft.key for draft in drafts} - ids.keys())
    answers = []
    for draft in drafts:
        if first[draft.key] is draft and draft.key in ids:
            answers.append(
                Acceptance(verdict=Verdict.NEW, entry=_entry(ids[draft.key], draft, rows))
            )
            continue
        digest = known.get(draft.key) or first[draft.key].digest
        verdict = Verdict.REPEATED if digest == draft.digest else Verdict.REUSED
        answers.append(Acceptance(verdict=verdict))
    return answers


def _insert(
    connection: Connection,
    drafts: list[Draft],
    rows: dict[ConversationKey, ConversationRow],
    now: int,
) -> dict[bytes, int]:
    """Insert what is new; return the id of each inserted key."""
    values = [
        {
            "conversation_id": rows[draft.conversation].id,
            "direction": draft.direction,
            "kind": draft.kind,
            "key": draft.key,
            "digest": draft.digest,
            "message_id": draft.message_id,
            "body": draft.body,
            "received_at": draft.received_at,
            "stored_at": now,
        }
        for draft in drafts
    ]
    statement = insert_new(connection, journal, "key").returning(journal.c.id, journal.c.key)
    ids = {bytes(key): entry_id for entry_id, key in connection.execute(statement, values)}
    waiting = [
        {
            "id": ids[draft.key],
            "lane": lane_of(rows[draft.conversation].id, draft.direction),
            "attempts": 0,
            "since": draft.received_at,
            "due_at": draft.received_at,
        }
        for draft in drafts
        if draft.key in ids
    ]
    if waiting:
        connection.execute(insert(pending), waiting)
    return ids


def _digests(connection: Connection, keys: set[bytes]) -> dict[bytes, bytes]:
    if not keys:
        return {}
    rows = connection.execute(
        select(journal.c.key, journal.c.digest).where(journal.c.key.in_(sorted(keys)))
    )
    return {bytes(key): bytes(digest) for key, digest in rows}


def _entry(entry_id: int, draft: Draft, rows: dict[ConversationKey, ConversationRow]) -> Entry:
    row = rows[draft.conversation]
    return Entry(
        id=entry_id,
        conversation_id=row.id,
        external_id=row.external_id,
        amojo_id=row.amojo_id,
        link_id=row.link_id,
        direction=draft.direction,
        kind=draft.kind,
        key=draft.key,
        message_id=draft.message_id,
        body=draft.body,
        received_at=draft.received_at,
        attempts=0,
        since=draft.received_at,
        due_at=draft.received_at,
    )
