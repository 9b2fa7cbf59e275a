"""Starts the demo: sandbox, server, the client's phone, and the link between them."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import aiohttp
import typer
from aiohttp import web
from pydantic import SecretStr
from yarl import URL

from chatbridge import app as server
from chatbridge.config import Settings
from chatbridge.demo.bridge_client import BridgeClient, BridgeRefused
from chatbridge.demo.files import Files
from chatbridge.demo.keys import DemoKeys, load_keys, save_keys, with_messenger
from chatbridge.demo.messenger import DemoMessenger
from chatbridge.demo.phone import Phone
from chatbridge.demo.routes import FILES, MESSENGER, PAGE, SOURCES, add_demo_routes
from chatbridge.demo.website import WEBSITE, open_website
from chatbridge.errors import ConfigurationError
from chatbridge.observability import logging
from chatbridge.sandbox import serving as sandbox
from chatbridge.sandbox.settings import SandboxSettings

KEYS: Final = Path("var/demo.json")
_CLIENT: Final = {"id": "anna", "name": "Anna", "phone": "+79151112233"}


async def run_demo(settings: Settings) -> None:
    """Run everything until the task is cancelled.

    Raises:
        ConfigurationError: a port is taken, or what the last demo left cannot be read.

    """
    keys = load_keys(KEYS)
    settings = _demo_settings(settings, keys)
    logging.configure(form="console", level="warning")
    phone = Phone(conversation_id=f"demo-{secrets.token_hex(4)}", client=_CLIENT)
    messenger = DemoMessenger(phone=phone, new_id=lambda: f"m-{secrets.token_hex(8)}")
    website: dict[str, str] = {}

    def extend(app: web.Application) -> None:
        _extend(app, settings, messenger)
        app[WEBSITE] = website

    async def connect() -> None:
        website["messenger"] = await _join(settings, keys, messenger)
        typer.echo(_welcome(settings))

    sandbox_task = asyncio.create_task(_run_sandbox(settings), name="sandbox")
    server_task = asyncio.create_task(
        server.serve(settings, extend=extend, ready=connect),
        name="server",
    )
    try:
        await asyncio.wait((sandbox_task, server_task), return_when=asyncio.FIRST_COMPLETED)
    finally:
        # The server first: what it is delivering to the sandbox may still arrive.
        await _stop(server_task)
        await _stop(sandbox_task)


async def _stop(task: asyncio.Task[None]) -> None:
    """End a task; if it had failed by itself, raise why."""
    if task.done():
        task.result()
        return
    task.cancel()
    await asyncio.wait((task,))


async def _run_sandbox(settings: Settings) -> None:
    part, bridge_port = settings.sandbox, settings.http.port
    try:
        await sandbox.serve(
            SandboxSettings(
                host=part.host,
                port=part.port,
                public_url=f"http://127.0.0.1:{part.port}",
                hook_url=f"http://127.0.0.1:{bridge_port}/location/:scope_id",
                frame_ancestors=_local(bridge_port),
                media_sources=(_origin(settings),),
            )
        )
    except sandbox.AddressTakenError as error:
        raise ConfigurationError(str(error)) from error


def _local(port: int) -> tuple[str, ...]:
    return tuple(f"http://{host}:{port}" for host in ("127.0.0.1", "localhost"))


def _origin(settings: Settings) -> str:
    """Return where links to files of this server lead."""
    return str(URL(settings.public_url).origin())


def _demo_settings(settings: Settings, keys: DemoKeys) -> Settings:
    """Return the settings with what a demo can fill in by itself."""
    given_key = settings.secret_key.get_secret_value()
    given_token = settings.admin_token.get_secret_value()
    return settings.model_copy(
        update={
            "public_url": settings.public_url or f"http://127.0.0.1:{settings.http.port}",
            "secret_key": SecretStr(given_key or keys.secret_key),
            "admin_token": SecretStr(given_token or keys.admin_token),
            "network": settings.network.model_copy(
                update={"allow": (*settings.network.allow, "127.0.0.0/8")}
            ),
        }
    )


def _extend(app: web.Application, settings: Settings, messenger: DemoMessenger) -> None:
    async def files(app: web.Application) -> AsyncIterator[None]:
        with tempfile.TemporaryDirectory(prefix="chatbridge-demo-") as folder:
            app[FILES].open(Path(folder))
            yield

    async def end_streams(_: web.Application) -> None:
        await messenger.close()

    app[MESSENGER], app[FILES] = messenger, Files()
    app[PAGE] = {
        "sandbox_port": settings.sandbox.port,
        "bridge": {"docs": "/docs", "metrics": "/metrics"},
    }
    app[SOURCES] = {
        "media": _origin(settings),
        "frames": " ".join(_local(settings.sandbox.port)),
    }
    app.cleanup_ctx.append(files)
    app.on_shutdown.append(end_streams)
    add_demo_routes(app)


async def _join(settings: Settings, keys: DemoKeys, messenger: DemoMessenger) -> str:
    """Set up channels, messengers and links through the public API, as an operator of the server would.

    Return the id of the website's messenger.
    """
    bridge, crm = (
        f"http://127.0.0.1:{settings.http.port}",
        f"http://127.0.0.1:{settings.sandbox.port}",
    )
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
    async with session.get(f"{crm}/sandbox/state") as answer:
        state = await answer.json()
    channel, account = state["channels"][0], state["accounts"][0]
    admin = BridgeClient(session, bridge, settings.admin_token.get_secret_value())
    await _ensure_channel(admin, channel, crm)
    keys = await _ensure_messenger(admin, keys, f"{bridge}/demo/webhook")
    link = await admin.call(
        "POST",
        "/v1/links",
        {
            "channel": channel["channel_id"],
            "account_id": account["amojo_id"],
            "messenger": keys.messenger_id,
            "title": "Demo shop",
        },
    )
    messenger.join(
        BridgeClient(session, bridge, keys.api_key or ""),
        scope_id=link["scope_id"],
        webhook_secret=keys.webhook_secret or "",
    )
    website_id = await open_website(
        session,
        admin,
        bridge=bridge,
        crm=crm,
        account_id=account["amojo_id"],
        messenger_id=keys.website_id,
        sites=list(_local(settings.http.port)),
    )
    save_keys(KEYS, replace(keys, website_id=website_id))
    return website_id


async def _ensure_channel(admin: BridgeClient, channel: dict[str, Any], crm: str) -> None:
    changing = {"code": channel["code"], "secret": channel["secret"], "base_url": crm}
    try:
        await admin.call("PATCH", f"/v1/channels/{channel['channel_id']}", changing)
    except BridgeRefused:
        await admin.call("POST", "/v1/channels", {"channel_id": channel["channel_id"], **changing})


async def _ensure_messenger(admin: BridgeClient, keys: DemoKeys, webhook_url: str) -> DemoKeys:
    try:
        await admin.call(
            "PATCH", f"/v1/messengers/{keys.messenger_id}", {"webhook_url": webhook_url}
        )
    except BridgeRefused:
        draft = {"name": "Demo phone", "kind": "backend", "webhook_url": webhook_url}
        keys = with_messenger(keys, await admin.call("POST", "/v1/messengers", draft))
        save_keys(KEYS, keys)
    return keys


def _welcome(settings: Settings) -> str:
    bridge, crm = (
        f"http://127.0.0.1:{settings.http.port}",
        f"http://127.0.0.1:{settings.sandbox.port}",
    )
    return f"""
chatbridge demo is running. Stop it with Ctrl-C.

  Demo page    {bridge}/        write as a client, answer as an operator
  Website      {bridge}/shop    a shop's page with the chat on it
  API          {bridge}/docs    (admin token: {KEYS}, admin_token)
  amoCRM       {crm}/        the sandbox: operator's inbox, switches, log
  Database     {settings.store.url}
"""
