"""The demo page and what it asks for, under `/` and `/demo/`."""

import json
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import BodyPartReader, web

from chatbridge.demo.bridge_client import BridgeRefused
from chatbridge.demo.files import LARGEST, Files
from chatbridge.demo.messenger import DemoMessenger
from chatbridge.demo.website import show_shop

MESSENGER = web.AppKey("MESSENGER", DemoMessenger)
FILES = web.AppKey("FILES", Files)
PAGE = web.AppKey("PAGE", dict[str, Any])
SOURCES = web.AppKey("SOURCES", dict[str, str])

_PAGES: Final = Path(__file__).with_name("pages")
_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob: {media}; media-src 'self' blob: {media};"
    " frame-src {frames}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""Files are shown from this server's public address, which may be spelt differently from the page's; the inbox from the sandbox."""


def add_demo_routes(app: web.Application) -> None:
    """Add the demo page to the server's application."""
    app.router.add_routes(
        [
            web.get("/", _page),
            web.get("/shop", show_shop),
            web.get("/demo/config", _config),
            web.get("/demo/messages", _list_messages),
            web.post("/demo/messages", _send_message),
            web.patch("/demo/messages/{id}", _edit),
            web.get("/demo/messages/{id}/timeline", _timeline),
            web.post("/demo/messages/{id}/reactions", _react),
            web.post("/demo/typing", _type),
            web.post("/demo/seen", _see),
            web.post("/demo/blocked", _block),
            web.post("/demo/files", _keep_file),
            web.get("/demo/files/{id}/{name}", _serve_file),
            web.get("/demo/events", _events),
            web.post("/demo/webhook", _webhook),
            web.static("/demo/pages", _PAGES),
        ]
    )


async def _page(request: web.Request) -> web.Response:
    page = (_PAGES / "demo.html").read_text(encoding="utf-8")
    headers = {
        "Content-Security-Policy": _POLICY.format_map(request.app[SOURCES]),
        "Cache-Control": "no-cache",
    }
    return web.Response(text=page, content_type="text/html", headers=headers)


async def _config(request: web.Request) -> web.Response:
    messenger = request.app[MESSENGER]
    shown = {
        "scope_id": messenger.scope_id,
        "client": messenger.phone.client,
        "conversation_id": messenger.phone.conversation_id,
    }
    return web.json_response(request.app[PAGE] | shown)


async def _list_messages(request: web.Request) -> web.Response:
    phone = request.app[MESSENGER].phone
    return web.json_response({"messages": phone.messages(), "blocked": phone.blocked})


async def _send_message(request: web.Request) -> web.Response:
    written = await _body(request)
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        shown = await request.app[MESSENGER].send(written, at=at)
    except BridgeRefused as error:
        return _problem(error.problem)
    return web.json_response(shown, status=202)


async def _edit(request: web.Request) -> web.Response:
    text = (await _body(request)).get("text")
    return await _done(request.app[MESSENGER].edit(request.match_info["id"], text))


async def _react(request: web.Request) -> web.Response:
    emoji = (await _body(request)).get("emoji")
    return await _done(request.app[MESSENGER].react(request.match_info["id"], emoji))


async def _block(request: web.Request) -> web.Response:
    blocked = (await _body(request)).get("blocked") is True
    request.app[MESSENGER].phone.block(blocked=blocked)
    return web.Response(status=204)


async def _type(request: web.Request) -> web.Response:
    return await _done(request.app[MESSENGER].typing())


async def _see(request: web.Request) -> web.Response:
    return await _done(request.app[MESSENGER].seen())


async def _body(request: web.Request) -> dict[str, Any]:
    """Return the body, empty if it is no JSON object: the bridge then says what is missing."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def _done(call: Awaitable[None]) -> web.Response:
    try:
        await call
    except BridgeRefused as error:
        return _problem(error.problem)
    return web.Response(status=204)


async def _timeline(request: web.Request) -> web.Response:
    try:
        return web.json_response(await request.app[MESSENGER].timeline(request.match_info["id"]))
    except BridgeRefused as error:
        return _problem(error.problem)


async def _keep_file(request: web.Request) -> web.Response:
    if not request.content_type.startswith("multipart/"):
        return _problem({"status": 415, "title": "Send the file as multipart/form-data"})
    part = await (await request.multipart()).next()
    if not isinstance(part, BodyPartReader):
        return _problem({"status": 400, "title": "There is no file in the form"})
    kept = await request.app[FILES].keep(part)
    if kept is None:
        return _problem({"status": 413, "title": f"Files may have {LARGEST // 1024**2} MB at most"})
    link = request.url.origin() / "demo" / "files" / kept.pop("id") / kept["file_name"]
    return web.json_response({"media_url": str(link), **kept}, status=201)


async def _serve_file(request: web.Request) -> web.FileResponse:
    return request.app[FILES].serve(request.match_info["id"])


async def _events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    async with request.app[MESSENGER].phone.watched() as watcher:
        await response.prepare(request)
        await response.write(b": hello\n\n")
        while (event := await watcher.get()) is not None:
            name, data = event
            await response.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
    return response


async def _webhook(request: web.Request) -> web.Response:
    status, said = request.app[MESSENGER].take_webhook(await request.read(), dict(request.headers))
    return web.Response(status=status) if said is None else web.json_response(said, status=status)


def _problem(problem: dict[str, Any]) -> web.Response:
    status = problem["status"]
    body = {"detail": problem["title"], "code": "demo", **problem}
    return web.json_response(body, status=status, content_type="application/problem+json")
