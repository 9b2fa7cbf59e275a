"""Installing and disabling a widget, and what amoCRM's server does then."""

import asyncio
from dataclasses import replace

from chatbridge.sandbox.crm import tokens
from chatbridge.sandbox.crm.records import Grant, Installation, Integration
from chatbridge.sandbox.crm.state import PIPELINES
from chatbridge.sandbox.parts import Sandbox
from chatbridge.sandbox.records import Account, Json, User

PLATFORMS = {"amocrm.ru": 1, "amocrm.com": 2, "kommo.com": 2}

Sending = asyncio.Task[Json] | None


def save(sandbox: Sandbox, account: Account, integration: Integration, settings: Json) -> None:
    """Keep the settings of a widget, which is active from now on.

    A public one gets its source at the same time (page "sources-api").
    """
    _change(sandbox, account, integration, active=True, settings=settings)
    if integration.kind == "public":
        sandbox.crm.add_source(account, integration, min(PIPELINES))


def tell(sandbox: Sandbox, account: Account, integration: Integration, user: User) -> Sending:
    """Give the integration's server a code, once per installation, whatever comes of it."""
    installed = sandbox.crm.installation(account, integration)
    if installed is not None and installed.told:
        return None
    _change(sandbox, account, integration, told=True)
    if sandbox.switches.is_("install_hook", "lost"):
        return None
    allowed = Grant(
        amojo_id=account.amojo_id, client_id=integration.client_id, user_id=user.user_id
    )
    query = redirect_query(sandbox, account, allowed) | {"from_widget": 1}
    delay_s = sandbox.switches.number("install_hook_delay_s")
    return sandbox.notices.begin_get("install", integration.redirect_uri, query, delay_s=delay_s)


def disable(sandbox: Sandbox, account: Account, integration: Integration) -> Sending:
    """Take everything back: tokens, the chat channel's connection; and tell the integration."""
    _change(sandbox, account, integration, active=False, told=False)
    sandbox.crm.revoke(account.amojo_id, integration.client_id)
    if integration.channel_id is not None:
        sandbox.state.disconnect(integration.channel_id, account.amojo_id)
    if not integration.disconnect_uri:
        return None
    signature = tokens.disconnect_signature(
        integration.client_secret, integration.client_id, account.id
    )
    query = {
        "account_id": account.id,
        "client_uuid": integration.client_id,
        "signature": signature,
    }
    return sandbox.notices.begin_get("disconnect", integration.disconnect_uri, query)


def redirect_query(sandbox: Sandbox, account: Account, allowed: Grant) -> Json:
    """Return the members of a redirect URI's query that every grant has."""
    return {
        "code": sandbox.crm.new_code(allowed),
        "referer": account.host,
        "platform": PLATFORMS[account.zone],
        "client_id": allowed.client_id,
    }


def _change(
    sandbox: Sandbox, account: Account, integration: Integration, **changes: bool | Json
) -> None:
    crm, key = sandbox.crm, (account.amojo_id, integration.client_id)
    known = crm.installations.get(key) or Installation(number=crm.next_number())
    crm.installations[key] = replace(known, **changes)  # type: ignore[arg-type]
