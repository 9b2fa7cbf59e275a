"""The journal: everything accepted from either side, once and in order.

`accept` takes many at once: what waits while one batch is written makes up the next.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from chatbridge.store import conversations, media, receipts, recoveries
from chatbridge.store.dialect import hot_rows, lists_of
from chatbridge.store.entries import (
    Acceptance,
    ConversationKey,
    ConversationRow,
    Draft,
    Entry,
    JournalRow,
    Verdict,
    lane_of,
)
from chatbridge.store.hot import one_statement
from chatbridge.store.partitions import EVERYTHING, partition_of
from chatbridge.store.schema import journal


def accept(
    connection: Connection,
    drafts: Sequence[Draft],
    now: int,
    here: frozenset[int] = EVERYTHING,
) -> list[Acceptance]:
    """Store what is new and queue it for delivery, in the order given; answer each draft.

    What does not belong to the partitions that are delivered `here` is told to the other nodes.
    Guarantees: a key is stored once, whoever else writes at the same time; ids grow in the order given.
    """
    marks = [draft.receipt for draft in drafts if draft.receipt is not None]
    news = receipts.advance(connection, marks) if marks else set()
    told = [draft for draft in drafts if draft.receipt is None or draft.receipt in news]
    rows = _conversations(connection, drafts, now)
    taken = _accept(connection, told, rows, now, here) if told else []
    _note_files(connection, told, taken, now)
    _note_recovered(connection, told, taken)
    answers = iter(taken)
    return [
        next(answers) if draft.receipt is None or draft.receipt in news else _stale(draft, rows)
        for draft in drafts
    ]


@one_statement
def accept_known(
    connection: Connection,
    drafts: Sequence[Draft],
    now: int,
    here: frozenset[int] = EVERYTHING,
) -> list[Acceptance]:
    """Do as `accept` for drafts that are plain."""
    rows = {draft.conversation: draft.row for draft in drafts if draft.row is not None}
    return _accept(connection, drafts, rows, now, here)


def _accept(
    connection: Connection,
    drafts: Sequence[Draft],
    rows: Mapping[ConversationKey, ConversationRow],
    now: int,
    here: frozenset[int],
) -> list[Acceptance]:
    first: dict[bytes, Draft] = {}
    for draft in drafts:
        first.setdefault(draft.key, draft)
    written = [_journal_row(draft, rows[draft.conversation], now) for draft in first.values()]
    elsewhere = (
        [] if here == EVERYTHING else [r.lane for r in written if partition_of(r.lane) not in here]
    )
    ids = hot_rows(connection).insert_entries(connection, written, lists_of(elsewhere))
    known = _digests(connection, first.keys() - ids.keys())
    answers = []
    for draft in drafts:
        if first[draft.key] is draft and draft.key in ids:
            made = ids[draft.key]
            entry = _entry(made.id, draft, rows[draft.conversation])
            answers.append(
                Acceptance(verdict=Verdict.NEW, lane=entry.lane, entry=entry, behind=made.behind)
            )
            continue
        lane = lane_of(rows[draft.conversation].id, draft.direction)
        digest = known.get(draft.key) or first[draft.key].digest
        verdict = Verdict.REPEATED if digest == draft.digest else Verdict.REUSED
        answers.append(Acceptance(verdict=verdict, lane=lane))
    return answers


def _note_files(
    connection: Connection, drafts: Sequence[Draft], answers: Sequence[Acceptance], now: int
) -> None:
    """Hold back what waits for a copy of its file; take note of the uploads that are named."""
    new = [(d, a.entry) for d, a in zip(drafts, answers, strict=True) if a.entry is not None]
    copied = [entry for draft, entry in new if draft.copy_until is not None]
    if copied:
        media.want(connection, copied, now)
    named = {draft.upload for draft, _ in new if draft.upload is not None}
    if named:
        media.use(connection, named, now)


def _note_recovered(
    connection: Connection, drafts: Sequence[Draft], answers: Sequence[Acceptance]
) -> None:
    """Take note of what was found missing."""
    found = [
        (answer.entry.id, draft.recovery)
        for draft, answer in zip(drafts, answers, strict=True)
        if draft.recovery is not None and answer.entry is not None
    ]
    if found:
        recoveries.note(connection, found)


def _stale(draft: Draft, rows: Mapping[ConversationKey, ConversationRow]) -> Acceptance:
    """Return the answer to a mark that is no news."""
    lane = lane_of(rows[draft.conversation].id, draft.direction)
    return Acceptance(verdict=Verdict.REPEATED, lane=lane)


def _conversations(
    connection: Connection, drafts: Sequence[Draft], now: int
) -> dict[ConversationKey, ConversationRow]:
    rows = {draft.conversation: draft.row for draft in drafts if draft.row is not None}
    unknown = {draft.conversation for draft in drafts} - rows.keys()
    return rows | conversations.resolve(connection, unknown, now=now) if unknown else rows


def _journal_row(draft: Draft, conversation: ConversationRow, now: int) -> JournalRow:
    return JournalRow(
        conversation.id,
        int(draft.direction),
        draft.kind,
        draft.key,
        draft.digest,
        draft.message_id,
        draft.body,
        draft.received_at,
        now,
    )


def _digests(connection: Connection, keys: set[bytes]) -> dict[bytes, bytes]:
    if not keys:
        return {}
    rows = connection.execute(
        select(journal.c.key, journal.c.digest).where(journal.c.key.in_(sorted(keys)))
    )
    return {bytes(key): bytes(digest) for key, digest in rows}


def _entry(entry_id: int, draft: Draft, conversation: ConversationRow) -> Entry:
    return Entry(
        entry_id,
        lane_of(conversation.id, draft.direction),
        conversation.id,
        conversation.external_id,
        conversation.amojo_id,
        conversation.client_ref_id,
        conversation.link_id,
        draft.direction,
        draft.kind,
        draft.key,
        draft.message_id,
        draft.body,
        draft.received_at,
        0,
        draft.received_at,
        draft.received_at if draft.copy_until is None else draft.copy_until,
        draft.event,
    )
