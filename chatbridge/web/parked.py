"""Endpoints of what could not be delivered."""

from typing import Literal

from chatbridge.model import Direction, Kind
from chatbridge.store.parked import ParkedEntry, ParkedFilter
from chatbridge.web.endpoint import Call
from chatbridge.web.schemas import ParkedOut, ParkedPage, ParkedQuery, Released, ReleaseDraft
from chatbridge.web.times import to_datetime


async def list_parked(call: Call[None]) -> ParkedPage:
    """List parked messages."""
    query: ParkedQuery = call.query
    wanted = ParkedFilter(scope_id=query.scope_id, code=query.code, link_ids=call.view.link_ids())
    entries = await call.services.parking.list_(wanted, after=query.after, limit=query.limit)
    following = str(entries[-1].id) if len(entries) == query.limit else None
    return ParkedPage(items=[_to_out(entry) for entry in entries], next=following)


async def release_parked(call: Call[ReleaseDraft]) -> Released:
    """Queue parked messages again."""
    draft = call.body
    ids = None if draft.ids is None else tuple(draft.ids)
    wanted = ParkedFilter(
        scope_id=draft.scope_id, code=draft.code, ids=ids, link_ids=call.view.link_ids()
    )
    return Released(released=await call.services.parking.release(wanted))


def _to_out(entry: ParkedEntry) -> ParkedOut:
    return ParkedOut(
        id=entry.id,
        scope_id=entry.scope_id,
        conversation_id=entry.conversation_id,
        message_id=entry.message_id,
        direction=direction_name(Direction(entry.direction)),
        kind=Kind(entry.kind),
        code=entry.code,
        detail=entry.detail,
        attempts=entry.attempts,
        received_at=to_datetime(entry.received_at),
        parked_at=to_datetime(entry.parked_at),
    )


def direction_name(direction: Direction) -> Literal["to_amojo", "to_messenger"]:
    """Return a direction as the API spells it."""
    return "to_amojo" if direction is Direction.TO_AMOJO else "to_messenger"
