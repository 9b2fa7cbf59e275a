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

MESSENGER = web.AppKey("MESSENGER", DemoMessenger)
FILES = web.AppKey("FILES", Files)
PAGE = web.AppKey("PAGE", dict[str, Any])

_PAGES: Final = Path(__file__).with_name("pages")
_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob: http: https:; media-src 'self' blob: http: https:;"
    " frame-src http: https:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def add_demo_routes(app: web.Application) -> None:
    """Add the demo page to the server's application."""
    app.router.add_routes(
        [
            web.get("/", _page),
            web.get("/demo/config", _config),
            web.get("/demo/messages", _list_messages),
            web.post("/demo/messages", _send_message),
            web.get("/demo/messages/{id}/timeline", _timeline),
            web.post("/demo/messages/{id}/reactions", _react),
            web.post("/demo/typing", _type),
            web.post("/demo/seen", _see),
            web.post("/demo/files", _keep_file),
            web.get("/demo/files/{id}/{name}", _serve_file),
            web.get("/demo/events", _events),
            web.post("/demo/webhook", _webhook),
            web.static("/demo/pages", _PAGES),
        ]
    )


async def _page(_: web.Request) -> web.Response:
    page = (_PAGES / "demo.html").read_text(encoding="utf-8")
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
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
    return web.json_response({"messages": request.app[MESSENGER].phone.messages()})


async def _send_message(request: web.Request) -> web.Response:
    try:
        written = json.loads(await request.read())
    except ValueError:
        written = None
    if not isinstance(written, dict):
        return _problem({"status": 400, "title": "The body is not a JSON object"})
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        shown = await request.app[MESSENGER].send(written, at=at)
    except BridgeRefused as error:
        return _problem(error.problem)
    return web.json_response(shown, status=202)


async def _react(request: web.Request) -> web.Response:
    try:
        emoji = json.loads(await request.read()).get("emoji")
    except (ValueError, AttributeError):
        return _problem({"status": 400, "title": "The body is not a JSON object"})
    messenger = request.app[MESSENGER]
    return await _done(messenger.react(request.match_info["id"], emoji))


async def _type(request: web.Request) -> web.Response:
    return await _done(request.app[MESSENGER].typing())


async def _see(request: web.Request) -> web.Response:
    return await _done(request.app[MESSENGER].seen())


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
    taken = request.app[MESSENGER].take_webhook(await request.read(), dict(request.headers))
    return web.Response(status=204 if taken else 401)


def _problem(problem: dict[str, Any]) -> web.Response:
    status = problem["status"]
    body = {"detail": problem["title"], "code": "demo", **problem}
    return web.json_response(body, status=status, content_type="application/problem+json")
