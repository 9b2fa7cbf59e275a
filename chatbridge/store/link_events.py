"""Links that change, together with the events that tell messengers of it: both are stored, or neither."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from chatbridge.ids import fingerprint
from chatbridge.model import Direction, Kind, Link, LinkEvent, encode_event
from chatbridge.store import directory, journal
from chatbridge.store.entries import ConversationKey, Draft


def add_link(
    connection: Connection, link: Link, events: Sequence[LinkEvent]
) -> tuple[Link, list[int]]:
    """Do as `directory.add_link`, and accept these events; return the link, and the lanes in which they wait."""
    stored = directory.add_link(connection, link)
    return stored, _accept(connection, stored, events)


def change_link(
    connection: Connection, link_id: int, changes: Mapping[str, Any], events: Sequence[LinkEvent]
) -> tuple[Link, list[int]]:
    """Do as `directory.change_link`, and accept these events; return the link, and the lanes in which they wait."""
    changed = directory.change_link(connection, link_id, changes)
    return changed, _accept(connection, changed, events)


def _accept(connection: Connection, link: Link, events: Sequence[LinkEvent]) -> list[int]:
    drafts = [_draft(link, event) for event in events]
    if not drafts:
        return []
    # Whichever node delivers it is told: here nobody knows whether that is this one.
    answers = journal.accept(connection, drafts, events[0].changed_at, here=frozenset())
    return [answer.lane for answer in answers]


def _draft(link: Link, event: LinkEvent) -> Draft:
    key = fingerprint(
        Kind.LINK, str(link.id), event.messenger_id, event.state, str(event.changed_at)
    )
    return Draft(
        # A conversation without a name: no client's has that.
        conversation=ConversationKey(link_id=link.id, external_id="", amojo_id=None),
        direction=Direction.TO_MESSENGER,
        kind=Kind.LINK,
        key=key,
        digest=key,
        message_id="",
        body=encode_event(event),
        received_at=event.changed_at,
    )
