"""The control API about integrations, their keys and what was asked of them."""

from dataclasses import replace

from aiohttp import BodyPartReader, web

from chatbridge.sandbox.control_bodies import ControlError, read_json
from chatbridge.sandbox.crm import finding
from chatbridge.sandbox.crm.archive import BYTES, ArchiveError, read_archive
from chatbridge.sandbox.crm.bodies import (
    InAccount,
    LongLived,
    NewIntegration,
)
from chatbridge.sandbox.crm.records import Grant, Integration
from chatbridge.sandbox.parts import SANDBOX, Sandbox

DAY_S = 86_400


def routes() -> list[web.RouteDef]:
    """Calls of whoever tests, and of the account's pages."""
    base = "/sandbox/integrations/{client_id}"
    return [
        web.get("/sandbox/integrations", list_integrations),
        web.post("/sandbox/integrations", add_integration),
        web.post(f"{base}/widget", upload_widget),
        web.post(f"{base}/codes", new_code),
        web.post(f"{base}/tokens", new_token),
        web.post(f"{base}/revoke", revoke),
        web.get("/sandbox/oauth/calls", token_calls),
        web.get("/sandbox/notices", list_notices),
    ]


async def list_integrations(request: web.Request) -> web.Response:
    """Show all integrations, secrets included."""
    integrations = request.app[SANDBOX].crm.integrations.values()
    return web.json_response({"integrations": [one.view() for one in integrations]})


async def add_integration(request: web.Request) -> web.Response:
    """Register an integration, or change what is given of a known one."""
    sandbox, body = request.app[SANDBOX], await read_json(request, NewIntegration)
    known = sandbox.crm.integrations.get(body.client_id or "") or _fresh(sandbox, body)
    changes = body.model_dump(exclude={"account"}, exclude_none=True)
    if body.account is not None:
        changes["owner"] = finding.named(sandbox, body.account).amojo_id
    changed = replace(known, **changes)
    if changed.kind != "private":
        changed = replace(changed, owner=None)
    sandbox.crm.integrations[changed.client_id] = changed
    return web.json_response(changed.view(), status=201)


async def upload_widget(request: web.Request) -> web.Response:
    """Take widget.zip, the form's part `file`."""
    sandbox = request.app[SANDBOX]
    found = finding.integration(sandbox, request.match_info["client_id"])
    if found.kind == "external":
        raise ControlError(400, "bad_widget", "an external integration holds no widget")
    try:
        part = await (await request.multipart()).next()
        if not isinstance(part, BodyPartReader) or part.name != "file":
            raise ControlError(400, "bad_request", "the first part of the form must be named file")
        archive = read_archive(await _content(part))
    except ArchiveError as error:
        raise ControlError(400, "bad_widget", str(error)) from None
    except ValueError as error:
        raise ControlError(400, "bad_request", f"the form cannot be read: {error}") from None
    changed = replace(found, archive=archive)
    sandbox.crm.integrations[found.client_id] = changed
    return web.json_response(changed.view(), status=201)


async def new_code(request: web.Request) -> web.Response:
    """Make a code as the tab "Keys" of an integration shows it."""
    sandbox, allowed = await _grant(request, InAccount)
    account = sandbox.crm.account(allowed)
    return web.json_response({"code": sandbox.crm.new_code(allowed), "referer": account.host})


async def new_token(request: web.Request) -> web.Response:
    """Make a long-lived token, for private and external integrations."""
    body = await read_json(request, LongLived)
    sandbox, allowed = await _grant(request, LongLived)
    if sandbox.crm.integrations[allowed.client_id].kind == "public":
        raise ControlError(400, "bad_request", "a public integration gets no long-lived tokens")
    return web.json_response({"access_token": sandbox.crm.new_access(allowed, body.days * DAY_S)})


async def revoke(request: web.Request) -> web.Response:
    """Void the tokens of an integration in an account, and tell nobody."""
    sandbox, allowed = await _grant(request, InAccount)
    sandbox.crm.revoke(allowed.amojo_id, allowed.client_id)
    return web.Response(status=204)


async def token_calls(request: web.Request) -> web.Response:
    """Count calls of the token endpoint: `authorization_code.received`, `refresh_token.done`, ..."""
    return web.json_response(dict(request.app[SANDBOX].crm.token_calls))


async def list_notices(request: web.Request) -> web.Response:
    """Return the newest install, secrets and disconnect hooks, oldest first."""
    return web.json_response({"notices": request.app[SANDBOX].notices.rows()})


async def _grant(request: web.Request, model: type[InAccount]) -> tuple[Sandbox, Grant]:
    sandbox, body = request.app[SANDBOX], await read_json(request, model)
    found = finding.integration(sandbox, request.match_info["client_id"])
    account = finding.named(sandbox, body.account)
    finding.want_usable(found, account)
    user = finding.admin(account, body.user_id)
    return sandbox, Grant(
        amojo_id=account.amojo_id, client_id=found.client_id, user_id=user.user_id
    )


def _fresh(sandbox: Sandbox, body: NewIntegration) -> Integration:
    if body.redirect_uri is None:
        raise ControlError(400, "bad_request", "redirect_uri: required")
    client_id = body.client_id or sandbox.new_id()
    owner = finding.named(sandbox, body.account or "demo")
    return Integration(
        client_id=client_id,
        client_secret=(sandbox.new_id() + sandbox.new_id()).replace("-", ""),
        name="Integration",
        kind="private",
        redirect_uri=body.redirect_uri,
        owner=owner.amojo_id,
        code=f"widget_{client_id.replace('-', '')[:12]}",
    )


async def _content(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > BYTES:
            raise ArchiveError(f"the archive is larger than {BYTES // 2**20} MB")
    return bytes(content)
