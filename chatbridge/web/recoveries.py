"""Endpoints of what was missed and found again."""

from typing import Final

from chatbridge.errors import InvalidFields
from chatbridge.store.recoveries import Gap, Reason, Recovery, State
from chatbridge.web.endpoint import Call
from chatbridge.web.schemas import RecoveryDraft, RecoveryOut, RecoveryPage, RecoveryQuery
from chatbridge.web.times import from_datetime, to_datetime

_DAY: Final = 24 * 3600 * 1_000_000


async def list_recoveries(call: Call[None]) -> RecoveryPage:
    """List recoveries."""
    query: RecoveryQuery = call.query
    rows = await call.services.recovery.list_(
        before=query.before, limit=query.limit, scope_ids=call.view.scope_ids()
    )
    following = rows[-1].id if len(rows) == query.limit else None
    return RecoveryPage(items=[_to_out(row) for row in rows], next=following)


async def create_recovery(call: Call[RecoveryDraft]) -> RecoveryOut:
    """Have a stretch of time looked into."""
    draft, services = call.body, call.services
    until = services.clock.now() if draft.to is None else from_datetime(draft.to)
    since = until - _DAY if draft.from_ is None else from_datetime(draft.from_)
    if since >= until:
        raise InvalidFields(fields={"/from": "must be before `to`"})
    if draft.scope_id is None and call.view.is_partial:
        raise InvalidFields(fields={"/scope_id": "is needed: name one of your links"})
    if draft.scope_id is not None:
        call.view.link(draft.scope_id)
    gap = Gap(since, until, Reason.ASKED, draft.scope_id)
    return _to_out(await services.recovery.ask(gap))


def _to_out(row: Recovery) -> RecoveryOut:
    return RecoveryOut(
        id=row.id,
        from_=to_datetime(row.from_at),
        to=to_datetime(row.to_at),
        reason=Reason(row.reason),
        state=State(row.state),
        scope_id=row.scope_id,
        conversations=row.conversations,
        failed=row.failed,
        recovered=row.recovered,
        created_at=to_datetime(row.created_at),
        ended_at=None if row.ended_at is None else to_datetime(row.ended_at),
    )
