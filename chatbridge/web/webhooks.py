"""Endpoints about the webhook of a messenger: for whoever runs the server, and for the messenger itself."""

from typing import Any

from chatbridge.errors import InvalidFields
from chatbridge.model import Direction, Messenger
from chatbridge.store.parked import ParkedFilter
from chatbridge.web.connectors import connector_of
from chatbridge.web.endpoint import Call
from chatbridge.web.schemas import Released
from chatbridge.web.times import from_datetime
from chatbridge.web.webhook_schemas import RecoverDraft, TestedOut


async def resume_messenger(call: Call[None]) -> None:
    """Send to a paused webhook again."""
    await call.services.webhooks.resume(_named(call))


async def recover_messenger(call: Call[RecoverDraft]) -> Released:
    """Deliver again what was given up for a messenger."""
    return await _recover(call, _named(call))


async def recover(call: Call[RecoverDraft]) -> Released:
    """Deliver again what was given up for the calling messenger."""
    return await _recover(call, call.messenger)


async def test_messenger(call: Call[None]) -> TestedOut:
    """Send a messenger a test event."""
    return await _test(call, _named(call))


async def test(call: Call[None]) -> TestedOut:
    """Send the calling messenger a test event."""
    return await _test(call, call.messenger)


def _named(call: Call[Any]) -> Messenger:
    return call.view.messenger(call.path["messenger_id"])


async def _recover(call: Call[RecoverDraft], messenger: Messenger) -> Released:
    services, draft = call.services, call.body
    since = from_datetime(draft.since)
    until = services.clock.now() if draft.until is None else from_datetime(draft.until)
    if since >= until:
        raise InvalidFields(fields={"/since": "must be before `until`, and not in the future"})
    # Whoever wants it again can take it: paused, all of it would fail once more.
    await services.webhooks.resume(messenger)
    wanted = ParkedFilter(
        messenger_id=messenger.id, direction=Direction.TO_MESSENGER, since=since, until=until
    )
    return Released(released=await services.parking.release(wanted))


async def _test(call: Call[None], messenger: Messenger) -> TestedOut:
    services = call.services
    tested = await connector_of(messenger.kind, services).test(messenger)
    if tested.ok:
        await services.webhooks.resume(messenger)
    return TestedOut.model_validate(tested)
