"""Endpoints of links."""

from chatbridge.errors import AccountNotProven
from chatbridge.model import Link
from chatbridge.web.endpoint import Call
from chatbridge.web.pages import cut_page
from chatbridge.web.schemas import LinkChange, LinkDraft, LinkOut, LinkPage
from chatbridge.web.services import Services
from chatbridge.web.times import to_datetime


async def create_link(call: Call[LinkDraft]) -> LinkOut:
    """Connect an account at amojo."""
    services, draft = call.services, call.body
    channel = call.view.channel(draft.channel)
    messenger = call.view.messenger(draft.messenger)
    # The server's operator is trusted to name accounts; a workspace has to prove that one is its own.
    if call.view.is_partial and not await services.accounts.is_proven(
        call.principal, draft.account_id
    ):
        raise AccountNotProven
    link = await services.linking.connect(channel, messenger, draft.account_id, draft.title)
    return to_out(link, services)


async def list_links(call: Call[None]) -> LinkPage:
    """List links."""
    page, following = cut_page(call.view.links(), lambda link: link.scope_id, call.query)
    return LinkPage(items=[to_out(link, call.services) for link in page], next=following)


async def get_link(call: Call[None]) -> LinkOut:
    """Show a link."""
    return to_out(call.view.link(call.path["scope_id"]), call.services)


async def change_link(call: Call[LinkChange]) -> LinkOut:
    """Move a link to another messenger, or rename it."""
    services, change = call.services, call.body
    link = call.view.link(call.path["scope_id"])
    messenger = call.view.messenger(change.messenger or link.messenger_id)
    title = change.title if "title" in change.model_fields_set else link.title
    return to_out(await services.linking.change(link, messenger, title), services)


async def delete_link(call: Call[None]) -> None:
    """Disconnect the account at amojo."""
    await call.services.linking.disconnect(call.view.link(call.path["scope_id"]))


def to_out(link: Link, services: Services) -> LinkOut:
    """Return a link as the API shows it."""
    return LinkOut(
        scope_id=link.scope_id,
        channel_id=link.channel_id,
        account_id=link.account_id,
        messenger=link.messenger_id,
        title=link.title,
        state=link.state,
        hook_version=link.hook_version,
        callback_url=services.callback_url(link.scope_id),
        created_at=to_datetime(link.created_at),
        connected_at=to_datetime(link.connected_at),
    )
