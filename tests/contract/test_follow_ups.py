"""What follows from the end of an entry is stored with it, or neither is."""

from typing import Any

import pytest
from sqlalchemy import Connection

from chatbridge.ids import fingerprint
from chatbridge.model import Direction, Link, LinkEvent, LinkState, Mark, Report, encode_event
from chatbridge.store import journal, link_events, parked, pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import ConversationKey, ConversationRow, Draft, Entry, OutcomeKind
from chatbridge.store.parked import ParkedFilter
from chatbridge.store.partitions import partition_of
from tests.factories import make_draft, make_outcome
from tests.fakes import BEGINNING

NOW = BEGINNING + 10


async def queue(store: Store, link: Link) -> Entry:
    (answer,) = await store.write(journal.accept, [make_draft(link, "m-1")], BEGINNING)
    assert answer.entry is not None
    return answer.entry


def report_of(entry: Entry) -> Draft:
    key = fingerprint("report", str(entry.id), str(entry.attempts))
    return Draft(
        conversation=ConversationKey(
            link_id=entry.link_id, external_id=entry.external_id, amojo_id=None
        ),
        direction=Direction.TO_MESSENGER,
        kind="report",
        key=key,
        digest=key,
        message_id=entry.message_id,
        body=encode_event(Report(message_id="m-1", mark=Mark.DELIVERED, ended_at=NOW)),
        received_at=NOW,
        row=ConversationRow(entry.conversation_id, entry.link_id, entry.external_id, None),
    )


def ended(entry: Entry, kind: OutcomeKind) -> Any:
    return make_outcome(entry, kind, follow_up=report_of(entry))


async def waiting(store: Store) -> list[Entry]:
    return await store.read(pending.load_after, 0, 1000)


@pytest.mark.parametrize("kind", [OutcomeKind.DELIVERED, OutcomeKind.PARKED])
async def test_a_report_waits_in_the_other_lane_of_the_conversation(
    store: Store, link: Link, kind: OutcomeKind
) -> None:
    entry = await queue(store, link)
    await store.write(pending.settle, [ended(entry, kind)], NOW)
    (report,) = await waiting(store)
    assert (report.kind, report.message_id, report.direction) == (
        "report",
        "m-1",
        Direction.TO_MESSENGER,
    )
    assert (report.conversation_id, report.lane) == (entry.conversation_id, entry.lane + 1)
    assert report.read() == Report(message_id="m-1", mark=Mark.DELIVERED, ended_at=NOW)


class PowerCut(Exception):
    """The server ends before the transaction does."""


def settle_and_die(connection: Connection, outcomes: Any, now: int) -> None:
    pending.settle(connection, outcomes, now)
    raise PowerCut


@pytest.mark.parametrize("kind", [OutcomeKind.DELIVERED, OutcomeKind.PARKED])
async def test_a_crash_leaves_both_or_neither(store: Store, link: Link, kind: OutcomeKind) -> None:
    entry = await queue(store, link)
    with pytest.raises(PowerCut):
        await store.write(settle_and_die, [ended(entry, kind)], NOW)
    assert await waiting(store) == [entry]


async def test_what_is_recorded_twice_is_reported_once(store: Store, link: Link) -> None:
    """As when the answer of the database was lost on its way."""
    entry = await queue(store, link)
    for _ in range(2):
        await store.write(pending.settle, [ended(entry, OutcomeKind.DELIVERED)], NOW)
    assert [one.kind for one in await waiting(store)] == ["report"]


async def test_what_is_released_is_reported_again(store: Store, link: Link) -> None:
    entry = await queue(store, link)
    await store.write(pending.settle, [ended(entry, OutcomeKind.PARKED)], NOW)
    (again,) = await store.write(
        parked.release, ParkedFilter(), parked_until=NOW, limit=9, now=NOW + 1
    )
    await store.write(pending.settle, [ended(again, OutcomeKind.DELIVERED)], NOW + 2)
    assert [one.kind for one in await waiting(store)] == ["report", "report"]


async def test_who_may_not_decide_reports_nothing_but_facts(store: Store, link: Link) -> None:
    """Another node has taken over the partition: that this one gave up counts for nothing."""
    entry = await queue(store, link)
    stale = {partition_of(entry.lane): -1}
    await store.write(pending.settle, [ended(entry, OutcomeKind.PARKED)], NOW, stale)
    assert await waiting(store) == [entry]
    await store.write(pending.settle, [ended(entry, OutcomeKind.DELIVERED)], NOW, stale)
    assert [one.kind for one in await waiting(store)] == ["report"]


async def test_a_link_changes_with_its_events_or_not_at_all(store: Store, link: Link) -> None:
    events = [
        LinkEvent(messenger_id=link.messenger_id, state=state, changed_at=NOW)
        for state in (LinkState.CONNECTED, LinkState.DISCONNECTED)
    ]

    def change_and_die(connection: Connection) -> None:
        link_events.change_link(connection, link.id, {"title": "New"}, events)
        raise PowerCut

    with pytest.raises(PowerCut):
        await store.write(change_and_die)
    assert await waiting(store) == []
    changed, lanes = await store.write(link_events.change_link, link.id, {"title": "New"}, events)
    assert changed.title == "New"
    queued = await waiting(store)
    assert [entry.read() for entry in queued] == events
    assert {entry.lane for entry in queued} == set(lanes)
    assert {entry.external_id for entry in queued} == {""}
