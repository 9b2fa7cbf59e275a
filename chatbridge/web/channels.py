"""Endpoints of channels."""

from typing import Any

from chatbridge.errors import InvalidFields
from chatbridge.model import Channel
from chatbridge.web.endpoint import Call
from chatbridge.web.pages import cut_page
from chatbridge.web.schemas import ChannelChange, ChannelDraft, ChannelOut, ChannelPage
from chatbridge.web.services import Services
from chatbridge.web.times import to_datetime


async def create_channel(call: Call[ChannelDraft]) -> ChannelOut:
    """Register a channel."""
    services, draft = call.services, call.body
    now = services.clock.now()
    channel = Channel(
        id=draft.channel_id,
        code=draft.code,
        secret=draft.secret,
        base_url=_base_url(draft.base_url or services.default_base_url, services),
        signing=draft.signing,
        hook_version=draft.hook_version,
        status_body=draft.status_body,
        bot_id=draft.bot_id,
        title=draft.title,
        created_at=now,
        updated_at=now,
        workspace_id=await call.workspace(draft.workspace, otherwise=None),
    )
    return to_out(await services.directory.add_channel(channel), services)


async def list_channels(call: Call[None]) -> ChannelPage:
    """List channels."""
    page, following = cut_page(call.view.channels(), lambda channel: channel.id, call.query)
    return ChannelPage(items=[to_out(channel, call.services) for channel in page], next=following)


async def get_channel(call: Call[None]) -> ChannelOut:
    """Show a channel."""
    return to_out(call.view.channel(call.path["channel_id"]), call.services)


async def change_channel(call: Call[ChannelChange]) -> ChannelOut:
    """Change a channel."""
    services = call.services
    channel = call.view.own_channel(call.path["channel_id"])
    changes: dict[str, Any] = call.body.model_dump(exclude_unset=True)
    # Null means "as before" for what a channel cannot be without.
    for name in ("code", "secret", "base_url", "signing", "hook_version", "status_body"):
        if changes.get(name) is None:
            changes.pop(name, None)
    if "base_url" in changes:
        changes["base_url"] = _base_url(changes["base_url"], services)
    return to_out(await services.directory.change_channel(channel, changes), services)


def to_out(channel: Channel, services: Services) -> ChannelOut:
    """Return a channel as the API shows it."""
    return ChannelOut(
        channel_id=channel.id,
        workspace=channel.workspace_id,
        code=channel.code,
        base_url=channel.base_url,
        signing=channel.signing,
        hook_version=channel.hook_version,
        status_body=channel.status_body,
        bot_id=channel.bot_id,
        title=channel.title,
        callback_url=services.callback_url(),
        created_at=to_datetime(channel.created_at),
        updated_at=to_datetime(channel.updated_at),
    )


def _base_url(url: str, services: Services) -> str:
    refusal = services.refusal_of_url(url)
    if refusal is not None:
        raise InvalidFields(fields={"/base_url": refusal})
    if "?" in url or "#" in url:
        raise InvalidFields(fields={"/base_url": "must have neither query nor fragment"})
    return url.rstrip("/")
