"""A stand-in for the demo messenger: its API, answered from memory."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.pages.serving import PACKAGE, Events, Running, page, with_policy
from tests.pages.stub_sandbox import SCOPE

if TYPE_CHECKING:
    import asyncio

TAKEN = ("received", "stored", "signed", "accepted", "delivered")
STEP_MS = 12


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class StubDemo:
    """Messages and timelines in dictionaries; `events` reaches the open pages."""

    def __init__(self, sandbox_port: int) -> None:
        self.sandbox_port = sandbox_port
        self.events = Events()
        self.messages: dict[str, dict[str, Any]] = {}
        self.timelines: dict[str, dict[str, Any]] = {}
        self.amo_ids: dict[str, str] = {}
        self.files: dict[str, tuple[bytes, str]] = {}
        self.noted: list[tuple[str, Any]] = []
        """What the page said beside messages: path and body."""
        self.blocked = False
        self.refuse_with: tuple[int, dict[str, str]] | None = None
        self.may_answer: asyncio.Event | None = None
        self.steps_on_arrival: tuple[str, ...] = TAKEN
        self.running = Running(self._app())

    def add_message(self, **content: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        message = {
            "id": f"m-{uuid.uuid4()}",
            "direction": "in",
            "type": "text",
            "text": "",
            "media_url": None,
            "file_name": None,
            "file_size": None,
            "duration": None,
            "location": None,
            "contact": None,
            "author": "Anna Berg",
            "at": iso(now),
            "state": "queued",
        } | content
        self.messages[message["id"]] = message
        self.timelines[message["id"]] = {
            "id": message["id"],
            "direction": message["direction"],
            "state": "queued",
            "type": message["type"],
            "steps": [],
        }
        self.events.publish("message", message)
        for step in self.steps_on_arrival:
            self.add_step(message["id"], step)
        return message

    def add_step(self, message_id: str, step: str, **more: Any) -> None:
        timeline = self.timelines[message_id]
        began = datetime.fromisoformat(self.messages[message_id]["at"])
        at = began + timedelta(milliseconds=STEP_MS * len(timeline["steps"]))
        timeline["steps"].append(
            {"at": iso(at), "step": step, "detail": None, "attempt": None, "error": None} | more
        )
        self.events.publish("timeline", {"id": message_id})
        state = step.removeprefix("marked_")
        if state in {"delivered", "read", "failed"}:
            timeline["state"] = self.messages[message_id]["state"] = state
            self.events.publish("message", self.messages[message_id])

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[with_policy], client_max_size=32 << 20)
        app.add_routes(
            [
                web.get("/", page("demo/pages/demo.html")),
                web.static("/demo/pages", PACKAGE / "demo/pages"),
                web.static("/look", PACKAGE / "look"),
                web.get("/demo/events", self.events.stream),
                web.get("/demo/config", self._config),
                web.get("/demo/messages", self._list),
                web.post("/demo/messages", self._write),
                web.patch("/demo/messages/{id}", self._edit),
                web.post("/demo/messages/{id}/reactions", self._react),
                web.post("/demo/blocked", self._block),
                web.post("/demo/typing", self._note),
                web.post("/demo/seen", self._note),
                web.post("/demo/files", self._upload),
                web.get("/demo/files/{id}/{name}", self._file),
                web.get("/demo/messages/{id}/timeline", self._timeline),
            ]
        )
        return app

    async def _config(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "sandbox_port": self.sandbox_port,
                "scope_id": SCOPE,
                "client": {"id": "cust-1", "name": "Anna Berg"},
                "conversation_id": "conv-1",
                "bridge": {"docs": "/docs", "metrics": "/metrics"},
            }
        )

    async def _list(self, _: web.Request) -> web.Response:
        shown = list(self.messages.values())
        return web.json_response({"messages": shown, "blocked": self.blocked})

    async def _write(self, request: web.Request) -> web.Response:
        if self.refuse_with:
            return self._refusal()
        if self.may_answer:
            await self.may_answer.wait()
        written = await request.json()
        self.noted.append((request.path, dict(written)))
        for member in ("reply_to", "forward"):
            if quoted := self.messages.get(written.pop(member, None)):
                quote = {name: quoted[name] for name in ("id", "author", "text", "type")}
                written["quote"] = quote | {"forwarded": member == "forward"}
        return web.json_response(self.add_message(**written), status=202)

    def _refusal(self) -> web.Response:
        assert self.refuse_with is not None
        status, problem = self.refuse_with
        return web.json_response(problem, status=status, content_type="application/problem+json")

    def change(self, message_id: str, **members: Any) -> None:
        self.messages[message_id] |= members
        self.events.publish("message", self.messages[message_id])

    async def _edit(self, request: web.Request) -> web.Response:
        if self.refuse_with:
            return self._refusal()
        self.change(request.match_info["id"], **await request.json(), edited=True)
        return web.Response(status=204)

    async def _react(self, request: web.Request) -> web.Response:
        emoji = (await request.json())["emoji"]
        reactions = [{"user": "cust-1", "emoji": emoji}] if emoji else []
        self.change(request.match_info["id"], reactions=reactions)
        return web.Response(status=204)

    async def _block(self, request: web.Request) -> web.Response:
        self.blocked = (await request.json())["blocked"]
        self.events.publish("blocked", {"blocked": self.blocked})
        return web.Response(status=204)

    async def _note(self, request: web.Request) -> web.Response:
        """Keep what the page said."""
        self.noted.append((request.path, await request.json()))
        return web.Response(status=204)

    async def _upload(self, request: web.Request) -> web.Response:
        field = (await request.post())["file"]
        assert isinstance(field, web.FileField)
        data, key = field.file.read(), str(uuid.uuid4())
        self.files[key] = (data, field.content_type)
        return web.json_response(
            {
                "media_url": f"{self.running.origin}/demo/files/{key}/{field.filename}",
                "file_name": field.filename,
                "file_size": len(data),
                "type": "file",
            },
            status=201,
        )

    async def _file(self, request: web.Request) -> web.Response:
        data, kind = self.files[request.match_info["id"]]
        return web.Response(body=data, content_type=kind)

    async def _timeline(self, request: web.Request) -> web.Response:
        asked = request.match_info["id"]
        timeline = self.timelines.get(self.amo_ids.get(asked, asked))
        if timeline is None:
            raise web.HTTPNotFound
        return web.json_response(timeline)
