"""The control API about accounts and what is installed in them."""

from dataclasses import replace

from aiohttp import web

from chatbridge.sandbox.control_bodies import ControlError, read_json
from chatbridge.sandbox.crm import finding, installing, tokens
from chatbridge.sandbox.crm.bodies import (
    AccountChanges,
    AddedSource,
    ByUser,
    Settings,
    WantedToken,
)
from chatbridge.sandbox.crm.records import Integration
from chatbridge.sandbox.crm.state import PIPELINES
from chatbridge.sandbox.parts import SANDBOX, Sandbox
from chatbridge.sandbox.records import Account, Json


def routes() -> list[web.RouteDef]:
    """Calls of whoever tests, and of the account's pages."""
    base = "/sandbox/accounts/{subdomain}"
    return [
        web.get(base, show_account),
        web.patch(base, change_account),
        web.post(f"{base}/widgets/{{code}}/install", install),
        web.post(f"{base}/widgets/{{code}}/tell", tell),
        web.post(f"{base}/widgets/{{code}}/disable", disable),
        web.post(f"{base}/sources", add_source),
        web.post(f"{base}/disposable-tokens", disposable_token),
    ]


async def show_account(request: web.Request) -> web.Response:
    """Show an account, what it can install, and the sources of its pipelines."""
    sandbox, account = request.app[SANDBOX], finding.account(request)
    return web.json_response(account_view(sandbox, account))


async def change_account(request: web.Request) -> web.Response:
    """Rename an account, leave its bill unpaid, close it."""
    sandbox, account = request.app[SANDBOX], finding.account(request)
    body = await read_json(request, AccountChanges)
    holder = sandbox.state.find_account(body.subdomain or account.subdomain)
    if holder is not None and holder.amojo_id != account.amojo_id:
        raise ControlError(409, "taken", f"subdomain: {body.subdomain} belongs to another account")
    changed = replace(account, **body.model_dump(exclude_none=True))
    sandbox.state.accounts[account.amojo_id] = changed
    return web.json_response(changed.view())


async def install(request: web.Request) -> web.Response:
    """Install a widget, or save its settings; the first time, its integration is told."""
    sandbox, account = request.app[SANDBOX], finding.account(request)
    found = finding.widget_of(request, account)
    body = await read_json(request, Settings)
    user = finding.admin(account, body.user_id)
    missing = found.archive.missing(body.settings) if found.archive is not None else []
    if missing:
        raise ControlError(400, "required", f"settings: {', '.join(missing)} must be filled in")
    installing.save(sandbox, account, found, body.settings)
    sending = installing.tell(sandbox, account, found, user)
    return await _told(sandbox, account, sending, wait=body.wait)


async def tell(request: web.Request) -> web.Response:
    """Tell the integration at the click already, before anything is saved."""
    sandbox, account = request.app[SANDBOX], finding.account(request)
    body = await read_json(request, ByUser)
    sending = installing.tell(
        sandbox, account, finding.widget_of(request, account), finding.admin(account, body.user_id)
    )
    return await _told(sandbox, account, sending, wait=body.wait)


async def disable(request: web.Request) -> web.Response:
    """Disable a widget: tokens are void, its chat channel is disconnected, its integration is told."""
    sandbox, account = request.app[SANDBOX], finding.account(request)
    body = await read_json(request, ByUser)
    finding.admin(account, body.user_id)
    sending = installing.disable(sandbox, account, finding.widget_of(request, account))
    return await _told(sandbox, account, sending, wait=body.wait)


async def add_source(request: web.Request) -> web.Response:
    """Choose a widget as a source of a pipeline; `source` is null if it makes its own."""
    sandbox, account = request.app[SANDBOX], finding.account(request)
    body = await read_json(request, AddedSource)
    found = sandbox.crm.find_widget(body.code)
    if found is None or body.pipeline_id not in PIPELINES:
        raise ControlError(404, "not_found", "there is no such widget or pipeline")
    sandbox.crm.add_source(account, found, body.pipeline_id)
    return web.json_response(account_view(sandbox, account), status=201)


async def disposable_token(request: web.Request) -> web.Response:
    """Make the token that a widget's call carries for the user who has the page open."""
    sandbox, account = request.app[SANDBOX], finding.account(request)
    body = await read_json(request, WantedToken)
    found, user = finding.integration(sandbox, body.client_id), finding.user(account, body.user_id)
    with_port = sandbox.switches.is_("disposable_audience", "host_port")
    claims = tokens.disposable_claims(
        account,
        user.user_id,
        found.client_id,
        audience=tokens.audience(found.redirect_uri, with_port=with_port),
        token_id=sandbox.new_id(),
        now=int(sandbox.crm.now()),
    )
    if sandbox.switches.is_("disposable_is_admin", "present"):
        claims["is_admin"] = user.is_admin
    return web.json_response({"token": tokens.jwt(claims, found.client_secret)})


def account_view(sandbox: Sandbox, account: Account) -> Json:
    """Return an account with what is in it, as its pages need it."""
    return {
        "account": account.view(),
        "pipelines": [{"id": number, "name": name} for number, name in PIPELINES.items()],
        "integrations": [
            one.view() | {"installation": _installation(sandbox, account, one)}
            for one in sandbox.crm.usable(account)
        ],
        "sources": [
            {
                "id": one.number,
                "client_id": one.client_id,
                "name": one.name,
                "external_id": one.external_id,
                "pipeline_id": one.pipeline_id,
                "default": one.is_default,
            }
            for one in sandbox.crm.sources.values()
            if one.amojo_id == account.amojo_id
        ],
    }


def _installation(sandbox: Sandbox, account: Account, integration: Integration) -> Json | None:
    installed = sandbox.crm.installation(account, integration)
    if installed is None:
        return None
    return {
        "id": installed.number,
        "active": installed.active,
        "told": installed.told,
        "settings": installed.settings,
    }


async def _told(
    sandbox: Sandbox, account: Account, sending: installing.Sending, *, wait: bool
) -> web.Response:
    notice = await sending if sending is not None and wait else None
    return web.json_response({"notice": notice} | account_view(sandbox, account))
