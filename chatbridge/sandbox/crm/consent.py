"""The consent page: what it shows, and what follows from an answer (pages "step-by-step", "button")."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import StringConstraints

from chatbridge.sandbox.control_bodies import (
    ControlBody,
    ControlError,
    Number,
    Subdomain,
    read_json,
)
from chatbridge.sandbox.crm.installing import redirect_query
from chatbridge.sandbox.crm.records import Grant, Integration
from chatbridge.sandbox.parts import SANDBOX, Sandbox
from chatbridge.sandbox.records import Json
from chatbridge.sandbox.wire import Text

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+\S*$", max_length=2_000)]


class ButtonIntegration(ControlBody):
    """An external integration, made at the moment of consent, as a site's button describes it."""

    name: Text
    redirect_uri: Address
    secrets_uri: Address
    description: Text = ""
    logo: Text = ""
    scopes: Text = "crm,notifications"


class Consent(ControlBody):
    """What somebody answered on the consent page, or would."""

    client_id: Text | None = None
    external: ButtonIntegration | None = None
    answer: Literal["allow", "refuse"] = "allow"
    account: Subdomain = "demo"
    user_id: Number | None = None
    state: Text | None = None


def routes() -> list[web.RouteDef]:
    """Calls of the page; tests may answer without one."""
    return [
        web.get("/sandbox/consent", show),
        web.post("/sandbox/consent", decide),
    ]


async def show(request: web.Request) -> web.Response:
    """Show who asks, and which accounts could allow it."""
    sandbox, client_id = request.app[SANDBOX], request.query.get("client_id", "")
    found = sandbox.crm.integrations.get(client_id)
    if found is None:
        raise ControlError(404, "not_found", "client_id: there is no such integration")
    accounts = [
        account.view()
        for account in sandbox.state.accounts.values()
        if found.owner in {None, account.amojo_id}
    ]
    view = {"name": found.name, "kind": found.kind, "scopes": found.scopes}
    return web.json_response({"integration": view, "accounts": accounts})


async def decide(request: web.Request) -> web.Response:
    """Return the address that the browser is sent to now."""
    sandbox, body = request.app[SANDBOX], await read_json(request, Consent)
    integration = await _integration(sandbox, body)
    query: Json = {"client_id": integration.client_id}
    if body.answer == "refuse":
        query["error"] = "access_denied"
    else:
        query = _allowed(sandbox, integration, body)
    if body.state is not None:
        query["state"] = body.state
    mark = "&" if "?" in integration.redirect_uri else "?"
    return web.json_response({"redirect": f"{integration.redirect_uri}{mark}{urlencode(query)}"})


async def _integration(sandbox: Sandbox, body: Consent) -> Integration:
    if body.external is None:
        found = sandbox.crm.integrations.get(body.client_id or "")
        if found is None:
            raise ControlError(404, "not_found", "client_id: there is no such integration")
        return found
    given = body.external
    made = Integration(
        client_id=sandbox.new_id(),
        client_secret=(sandbox.new_id() + sandbox.new_id()).replace("-", ""),
        name=given.name,
        kind="external",
        redirect_uri=given.redirect_uri,
        scopes=tuple(given.scopes.split(",")),
    )
    if body.answer == "allow":
        sandbox.crm.integrations[made.client_id] = made
        keys = {"client_id": made.client_id, "client_secret": made.client_secret}
        # Always before the redirect; what is answered changes nothing (page "oauth-external-integrations").
        await sandbox.notices.post("secrets", given.secrets_uri, keys | {"state": body.state})
    return made


def _allowed(sandbox: Sandbox, integration: Integration, body: Consent) -> Json:
    account = sandbox.state.find_account(body.account)
    if account is None or integration.owner not in {None, account.amojo_id}:
        raise ControlError(400, "bad_request", "account: it cannot allow this integration anything")
    admins = [user for user in account.users if user.is_admin]
    user = account.user(body.user_id) if body.user_id is not None else next(iter(admins), None)
    if user is None or not user.is_admin:
        raise ControlError(403, "not_admin", "user_id: only an administrator may allow this")
    allowed = Grant(
        amojo_id=account.amojo_id, client_id=integration.client_id, user_id=user.user_id
    )
    return redirect_query(sandbox, account, allowed)
