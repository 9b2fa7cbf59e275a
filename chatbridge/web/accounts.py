"""Endpoints of accounts."""

from chatbridge.bridge.crm.news import ADVICE
from chatbridge.errors import (
    CrmRefused,
    CrmUnreachable,
    DeliveryError,
    Disposition,
    GrantRefused,
    RequestRefused,
)
from chatbridge.model import CrmAccount
from chatbridge.protocol.crm.hosts import parse_host
from chatbridge.web.crm_schemas import AccountDraft, CrmAccountOut, CrmAccountPage
from chatbridge.web.endpoint import Call
from chatbridge.web.pages import cut_page
from chatbridge.web.times import to_datetime


async def create_account(call: Call[AccountDraft]) -> CrmAccountOut:
    """Connect an account by hand."""
    services, draft = call.services, call.body
    integrations = services.integrations
    integration = await integrations.integration(call.principal, draft.client_id)
    asked = await call.workspace(draft.workspace, otherwise=None)
    workspace_id = asked or integration.workspace_id
    authorizing, host = services.authorizing, parse_host(draft.host)
    take, given = (
        (authorizing.with_token, draft.token)
        if draft.token
        else (authorizing.from_hand, draft.code)
    )
    try:
        return _out(await take(draft.client_id, host, given or "", workspace_id))
    except DeliveryError as error:
        raise _refusal(error) from error


async def list_accounts(call: Call[None]) -> CrmAccountPage:
    """List accounts."""
    found = await call.services.accounts.list_(call.principal)
    page, following = cut_page(found, lambda each: each.id, call.query)
    return CrmAccountPage(items=[_out(each) for each in page], next=following)


async def get_account(call: Call[None]) -> CrmAccountOut:
    """Show an account."""
    return _out(await call.services.accounts.account(call.principal, call.path["account"]))


async def delete_account(call: Call[None]) -> None:
    """Forget an account and its tokens."""
    accounts = call.services.accounts
    await accounts.remove(await accounts.account(call.principal, call.path["account"]))


def _refusal(error: DeliveryError) -> RequestRefused:
    """Return what a caller is told of a call that the account did not carry out."""
    words = error.fault.value if isinstance(error, GrantRefused) else ""
    far = {"status": error.status, "code": error.far_code, "detail": str(error), "means": words}
    told = {name: value for name, value in far.items() if value}
    said_no = error.disposition in {Disposition.REJECT, Disposition.MISUSE}
    return (CrmRefused if said_no and error.status else CrmUnreachable)(
        f"{error}. {words}".strip(), far=told
    )


def _out(account: CrmAccount) -> CrmAccountOut:
    return CrmAccountOut(
        id=account.id,
        workspace=account.workspace_id,
        client_id=account.client_id,
        account_id=account.account_id,
        host=account.host,
        amojo_id=account.amojo_id,
        name=account.name,
        timezone=account.timezone,
        state=account.state,
        since=to_datetime(account.since),
        why=account.why,
        advice=None if account.why is None else ADVICE[account.why],
        long_lived=account.long_lived,
        expires_at=to_datetime(account.expires_at),
        created_at=to_datetime(account.created_at),
        updated_at=to_datetime(account.updated_at),
    )
