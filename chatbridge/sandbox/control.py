"""The control API besides the operators' part: what exists, how it behaves, what has happened."""

import asyncio
from dataclasses import replace

from aiohttp import BodyPartReader, web
from pydantic import RootModel

from chatbridge.sandbox.control_bodies import ControlError, NewAccount, NewChannel, read_json
from chatbridge.sandbox.media import UploadError
from chatbridge.sandbox.parts import SANDBOX
from chatbridge.sandbox.records import Account, Channel, Named, User
from chatbridge.sandbox.switches import SwitchError

UPLOAD_DEADLINE_S = 120.0


def routes() -> list[web.RouteDef]:
    """Calls of whoever tests."""
    return [
        web.get("/sandbox/state", show_state),
        web.post("/sandbox/channels", add_channel),
        web.post("/sandbox/accounts", add_account),
        web.get("/sandbox/switches", show_switches),
        web.patch("/sandbox/switches", change_switches),
        web.get("/sandbox/requests", list_requests),
        web.get("/sandbox/hooks", list_hooks),
        web.post("/sandbox/hooks/{number:[0-9]{1,12}}/repeat", repeat_hook),
        web.post("/sandbox/media", upload),
        web.get("/attachments/{id}/{name}", attachment),
        web.get("/sandbox/events", events),
        web.post("/sandbox/reset", reset),
    ]


class SwitchChanges(RootModel[dict[str, object]]):
    """Switches by name."""


async def show_state(request: web.Request) -> web.Response:
    """Show what is registered and connected."""
    sandbox = request.app[SANDBOX]
    state = sandbox.state
    answer = {
        "channels": [channel.view() for channel in state.channels.values()],
        "accounts": [account.view() for account in state.accounts.values()],
        "connections": [connection.view() for connection in state.connections()],
        "switches": sandbox.switches.values(),
    }
    return web.json_response(answer)


async def add_channel(request: web.Request) -> web.Response:
    """Register a channel as amoCRM's support would, or change what is given of a known one."""
    sandbox, body = request.app[SANDBOX], await read_json(request, NewChannel)
    channel_id = body.channel_id or sandbox.new_id()
    fresh = (sandbox.new_id() + sandbox.new_id()).replace("-", "")
    known = sandbox.state.channels.get(channel_id) or Channel(
        code=f"amo.ext.{channel_id[:8]}",
        channel_id=channel_id,
        secret=fresh[:40],
        title=body.code or "Sandbox",
        bot=Named(id=sandbox.new_id(), name="Sandbox bot"),
        hook_urls={},
    )
    hook_urls = {"v1": body.hook_url_v1 or body.hook_url, "v2": body.hook_url_v2 or body.hook_url}
    given = body.model_dump(
        include={"code", "secret", "title", "allowed_accounts"}, exclude_none=True
    )
    channel = replace(
        known,
        bot=known.bot if body.bot_id is None else replace(known.bot, id=body.bot_id),
        hook_urls=known.hook_urls | {version: url for version, url in hook_urls.items() if url},
        **given,
    )
    sandbox.state.channels[channel_id] = channel
    return web.json_response(channel.view(), status=201)


async def add_account(request: web.Request) -> web.Response:
    """Add an account with its users; the same id again replaces it."""
    sandbox, body = request.app[SANDBOX], await read_json(request, NewAccount)
    state, amojo_id = sandbox.state, body.amojo_id or sandbox.new_id()
    known = state.accounts.get(amojo_id)
    number = body.id or (known.id if known is not None else state.next_number())
    subdomain = body.subdomain or f"account{number}"
    holder = state.find_account(subdomain)
    if holder is not None and holder.amojo_id != amojo_id:
        raise ControlError(409, "taken", f"subdomain: {subdomain} belongs to another account")
    users = tuple(
        User(
            id=user.id or sandbox.new_id(),
            name=user.name,
            user_id=user.user_id or state.next_number(),
            is_admin=user.is_admin,
        )
        for user in body.users
    )
    account = Account(
        amojo_id=amojo_id,
        id=number,
        name=body.name,
        subdomain=subdomain,
        zone=body.zone,
        users=users,
    )
    state.accounts[amojo_id] = account
    return web.json_response(account.view(), status=201)


async def show_switches(request: web.Request) -> web.Response:
    """All switches with their values."""
    return web.json_response(request.app[SANDBOX].switches.values())


async def change_switches(request: web.Request) -> web.Response:
    """Change some switches, or none when one of them is wrong."""
    sandbox, body = request.app[SANDBOX], await read_json(request, SwitchChanges)
    try:
        sandbox.switches.change(body.root)
    except SwitchError as error:
        raise ControlError(400, "bad_switch", str(error)) from None
    sandbox.events.publish("switches", sandbox.switches.values)
    return web.json_response(sandbox.switches.values())


async def list_requests(request: web.Request) -> web.Response:
    """Return the newest amojo requests, oldest first."""
    return web.json_response({"requests": request.app[SANDBOX].journal.rows()})


async def list_hooks(request: web.Request) -> web.Response:
    """Return the newest hooks, oldest first."""
    return web.json_response({"hooks": request.app[SANDBOX].hooks.rows()})


async def repeat_hook(request: web.Request) -> web.Response:
    """Send a hook once more."""
    row = await request.app[SANDBOX].hooks.repeat(int(request.match_info["number"]))
    if row is None:
        raise ControlError(404, "not_found", "there is no such hook among the newest 500")
    return web.json_response({"hook": row})


async def upload(request: web.Request) -> web.Response:
    """Keep a file that an operator attaches."""
    sandbox = request.app[SANDBOX]
    try:
        part = await (await request.multipart()).next()
        if not isinstance(part, BodyPartReader) or part.name != "file":
            raise ControlError(400, "bad_request", "the first part of the form must be named file")
        async with asyncio.timeout(UPLOAD_DEADLINE_S):
            stored = await sandbox.media.store(part)
    except UploadError as error:
        raise ControlError(413, "too_large", str(error)) from None
    except ValueError as error:
        raise ControlError(400, "bad_request", f"the form cannot be read: {error}") from None
    url = sandbox.media.url(stored)
    answer = {"url": url, "file_name": stored.name, "file_size": stored.size}
    return web.json_response(answer, status=201)


async def attachment(request: web.Request) -> web.StreamResponse:
    """Serve an uploaded file."""
    return request.app[SANDBOX].media.serve(request.match_info["id"], request.match_info["name"])


async def events(request: web.Request) -> web.StreamResponse:
    """Stream what happens."""
    return await request.app[SANDBOX].events.stream(request)


async def reset(request: web.Request) -> web.Response:
    """Forget everything but the seed."""
    request.app[SANDBOX].reset()
    return web.Response(status=204)
