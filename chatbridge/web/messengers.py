"""Endpoints of messengers."""

from dataclasses import replace
from typing import Any

from chatbridge import ids
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.errors import InvalidFields
from chatbridge.model import MAIN, AmojoIdentity, Messenger
from chatbridge.web.connectors import connector_of, read_settings, shown_settings
from chatbridge.web.endpoint import Call
from chatbridge.web.pages import cut_page
from chatbridge.web.schemas import (
    AmojoCredentials,
    MessengerChange,
    MessengerCreated,
    MessengerDraft,
    MessengerOut,
    MessengerPage,
)
from chatbridge.web.services import Services
from chatbridge.web.times import to_datetime
from chatbridge.web.webhook_schemas import WebhookOut


async def create_messenger(call: Call[MessengerDraft]) -> MessengerCreated:
    """Make a messenger and show its secrets, this once."""
    services, draft = call.services, call.body
    connector = connector_of(draft.kind, services)
    _check_webhook(draft.webhook_url, services)
    read = read_settings(connector, draft.settings, {})
    api_key, now = ids.new_api_key(), services.clock.now()
    messenger = Messenger(
        id=ids.new_messenger_id(),
        name=draft.name,
        kind=draft.kind,
        webhook_url=draft.webhook_url,
        webhook_format=draft.webhook_format,
        webhook_secret=ids.new_webhook_secret(),
        api_key_hash=ids.api_key_hash(api_key),
        amojo=AmojoIdentity(
            channel_id=ids.new_uuid(), secret=ids.new_amojo_secret(), account_id=ids.new_uuid()
        ),
        settings=read.settings,
        secrets=read.secrets,
        created_at=now,
        updated_at=now,
        workspace_id=await call.workspace(draft.workspace, otherwise=MAIN),
    )
    await connector.check(messenger)
    await services.directory.add_messenger(messenger)
    return MessengerCreated(
        **to_out(messenger, services).model_dump(),
        api_key=api_key,
        webhook_secret=messenger.webhook_secret,
        amojo=AmojoCredentials.model_validate(messenger.amojo),
    )


async def list_messengers(call: Call[None]) -> MessengerPage:
    """List messengers."""
    page, following = cut_page(call.view.messengers(), lambda item: item.id, call.query)
    return MessengerPage(
        items=[to_out(messenger, call.services) for messenger in page], next=following
    )


async def get_messenger(call: Call[None]) -> MessengerOut:
    """Show a messenger."""
    services = call.services
    return to_out(call.view.messenger(call.path["messenger_id"]), services)


async def change_messenger(call: Call[MessengerChange]) -> MessengerOut:
    """Change a messenger."""
    services = call.services
    messenger = call.view.messenger(call.path["messenger_id"])
    changes: dict[str, Any] = call.body.model_dump(exclude_unset=True)
    for name in ("name", "webhook_format", "settings"):
        if changes.get(name) is None:
            changes.pop(name, None)
    _check_webhook(changes.get("webhook_url"), services)
    connector = connector_of(messenger.kind, services)
    if "settings" in changes:
        changes |= read_settings(connector, changes["settings"], messenger.secrets)._asdict()
    await connector.check(replace(messenger, **changes))
    changed = await services.directory.change_messenger(messenger, changes)
    if changed.webhook_url != messenger.webhook_url:
        await services.webhooks.resume(messenger)
    return to_out(changed, services)


async def get_capabilities(call: Call[None]) -> Capabilities:
    """Show what the calling messenger can take."""
    return call.services.capabilities(call.messenger)


def to_out(messenger: Messenger, services: Services) -> MessengerOut:
    """Return a messenger as the API shows it."""
    return MessengerOut(
        id=messenger.id,
        workspace=messenger.workspace_id,
        name=messenger.name,
        kind=messenger.kind,
        webhook_url=messenger.webhook_url,
        webhook_format=messenger.webhook_format,
        webhook=_webhook_of(messenger, services),
        settings=shown_settings(messenger),
        capabilities=services.capabilities(messenger),
        created_at=to_datetime(messenger.created_at),
        updated_at=to_datetime(messenger.updated_at),
    )


def _webhook_of(messenger: Messenger, services: Services) -> WebhookOut | None:
    if messenger.webhook_url is None:
        return None
    failing = services.webhooks.state_of(messenger)
    if failing is None:
        return WebhookOut(state="ok", failing_since=None, last_error_code=None)
    return WebhookOut(
        state="failing" if failing.paused_at is None else "paused",
        failing_since=to_datetime(failing.since),
        last_error_code=failing.code,
    )


def _check_webhook(url: str | None, services: Services) -> None:
    refusal = services.refusal_of_url(url) if url is not None else None
    if refusal is not None:
        raise InvalidFields(fields={"/webhook_url": refusal})
