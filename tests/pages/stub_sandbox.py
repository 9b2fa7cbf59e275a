"""A stand-in for the sandbox: its control API, answered from memory."""

import asyncio
import time
import uuid
from typing import Any

from aiohttp import web

from tests.pages.serving import PACKAGE, Events, Running, page, with_policy

SCOPE = "5a0db0c4-0000-4000-8000-000000000001_5a0db0c4-0000-4000-8000-0000000000a1"
USERS = [{"id": "u-kate", "name": "Kate"}, {"id": "u-oleg", "name": "Oleg"}]
PERSON = {
    "id": "p-1",
    "client_id": "cust-1",
    "name": "Anna Berg",
    "avatar": "",
    "phone": "+79151112233",
    "email": "",
    "profile_link": "",
}
SWITCHES = {"fault": "none", "duplicate_msgid": "400", "hook_deadline_s": 5.0, "fault_requests": 0}


class StubSandbox:
    """Chats, messages, hooks and switches in lists; `events` reaches the open pages."""

    def __init__(self) -> None:
        self.events = Events()
        self.chats: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.hooks: list[dict[str, Any]] = []
        self.switches: dict[str, Any] = dict(SWITCHES)
        self.files: dict[str, tuple[bytes, str]] = {}
        self.typed: list[dict[str, Any]] = []
        self.list_asked = asyncio.Event()
        self.list_may_answer: asyncio.Event | None = None
        self.refuse_with: tuple[int, str] | None = None
        self.hook_error: str | None = None
        self.running = Running(self._app())

    def add_chat(self, chat_id: str = "chat-1", **extra: Any) -> dict[str, Any]:
        chat = {
            "id": chat_id,
            "scope_id": SCOPE,
            "account_id": "account-1",
            "client_id": "conv-1",
            "person": PERSON,
            "source": None,
            "last_message": None,
            "unread": 0,
        } | extra
        self.chats.insert(0, chat)
        self.events.publish("chat", chat)
        return chat

    def add_message(self, chat_id: str = "chat-1", **extra: Any) -> dict[str, Any]:
        direction = extra.pop("direction", "in")
        author = {**PERSON, "kind": "client"} if direction == "in" else {**USERS[0], "kind": "user"}
        message = {
            "id": str(uuid.uuid4()),
            "client_id": None,
            "chat_id": chat_id,
            "direction": direction,
            "author": {key: author[key] for key in ("id", "name", "kind")},
            "type": "text",
            "text": "",
            "media": "",
            "thumbnail": "",
            "file_name": "",
            "file_size": 0,
            "media_duration": None,
            "sticker_id": None,
            "location": None,
            "contact": None,
            "reply_to": None,
            "at_ms": int(time.time() * 1000),
            "edited": False,
            "silent": False,
            "status": {"code": None, "error_code": None, "error": None},
            "reactions": [],
        } | extra
        self.messages.append(message)
        self.events.publish("message", message)
        chat = next(one for one in self.chats if one["id"] == chat_id)
        chat["last_message"] = message
        chat["unread"] += direction == "in"
        self.events.publish("chat", chat)
        return message

    def embedded(self, message_id: str) -> dict[str, Any]:
        message = next(one for one in self.messages if one["id"] == message_id)
        quoted = {name: message[name] for name in ("id", "type", "text")}
        return quoted | {"sender": message["author"]}

    def set_status(self, message: dict[str, Any], code: int, **error: Any) -> None:
        message["status"] = {"code": code, "error_code": None, "error": None} | error
        self.events.publish("status", {"message_id": message["id"], "status": message["status"]})

    def add_hook(self, **extra: Any) -> dict[str, Any]:
        hook = {
            "n": len(self.hooks) + 1,
            "at": time.time(),
            "url": f"http://127.0.0.1:8080/location/{SCOPE}",
            "version": "v2",
            "kind": "message",
            "status": 200 if self.hook_error is None else 500,
            "error": self.hook_error,
            "elapsed_ms": 12,
            "attempt": 1,
            "body_text": '{"account_id":"a","message":{"text":"<b>hook</b>"}}',
        } | extra
        self.hooks.append(hook)
        self.events.publish("hook", hook)
        return hook

    def add_request(self, **extra: Any) -> None:
        row = {
            "n": len(self.requests) + 1,
            "at": time.time(),
            "method": "POST",
            "path": f"/v2/origin/custom/{SCOPE}",
            "status": 200,
            "error": None,
            "scope_id": SCOPE,
            "body_text": '{"event_type":"new_message"}',
        } | extra
        self.requests.append(row)
        self.events.publish("request", row)

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[with_policy], client_max_size=64 << 20)
        app.add_routes(
            [
                web.get("/", page("sandbox/pages/inbox.html")),
                web.static("/pages", PACKAGE / "sandbox/pages"),
                web.static("/look", PACKAGE / "look"),
                web.get("/sandbox/events", self.events.stream),
                web.get("/sandbox/state", self._state),
                web.get("/sandbox/chats", self._chats),
                web.post("/sandbox/chats", self._write_first),
                web.get("/sandbox/chats/{chat}/messages", self._list),
                web.post("/sandbox/chats/{chat}/messages", self._write),
                web.post("/sandbox/chats/{chat}/typing", self._typing),
                web.post("/sandbox/chats/{chat}/read", self._read),
                web.post("/sandbox/messages/{id}/reaction", self._react),
                web.post("/sandbox/hooks/{n}/repeat", self._repeat),
                web.post("/sandbox/media", self._media),
                web.get("/attachments/{id}/{name}", self._attachment),
                web.get("/sandbox/switches", self._switches),
                web.patch("/sandbox/switches", self._switch),
                web.get("/sandbox/requests", self._requests),
                web.get("/sandbox/hooks", self._hooks),
            ]
        )
        return app

    async def _state(self, _: web.Request) -> web.Response:
        account = {
            "amojo_id": "account-1",
            "name": "Demo shop",
            "subdomain": "demo",
            "users": USERS,
        }
        connection = {
            "scope_id": SCOPE,
            "channel_id": SCOPE[:36],
            "account_id": "account-1",
            "title": "Demo",
            "hook_api_version": "v2",
        }
        return web.json_response(
            {
                "channels": [],
                "accounts": [account],
                "connections": [connection],
                "switches": self.switches,
            }
        )

    async def _chats(self, _: web.Request) -> web.Response:
        return web.json_response({"chats": self.chats})

    async def _list(self, request: web.Request) -> web.Response:
        """What is known now; it may take its time to arrive."""
        chat = request.match_info["chat"]
        answer = web.json_response(
            {"messages": [one for one in self.messages if one["chat_id"] == chat]}
        )
        self.list_asked.set()
        if self.list_may_answer:
            await self.list_may_answer.wait()
        return answer

    async def _write(self, request: web.Request) -> web.Response:
        if self.refuse_with:
            status, sentence = self.refuse_with
            return web.json_response(
                {"error": {"code": "refused", "message": sentence}}, status=status
            )
        content = (await request.json())["message"]
        if reply_to := content.pop("reply_to", None):
            content["reply_to"] = {"message": self.embedded(reply_to)}
        if forward := content.pop("forward", None):
            content["forwards"] = {"messages": [self.embedded(forward)]}
        message = self.add_message(request.match_info["chat"], direction="out", **content)
        return web.json_response({"message": message, "hook": self.add_hook()}, status=201)

    async def _write_first(self, request: web.Request) -> web.Response:
        body = await request.json()
        person = PERSON | {
            "id": str(uuid.uuid4()),
            "name": body["name"],
            "phone": body["phone"],
            "client_id": None,
        }
        chat = self.add_chat(str(uuid.uuid4()), client_id=None, person=person)
        message = self.add_message(chat["id"], direction="out", **body["message"])
        return web.json_response(
            {"chat": chat, "message": message, "hook": self.add_hook()}, status=201
        )

    async def _typing(self, request: web.Request) -> web.Response:
        self.typed.append(await request.json())
        return web.json_response({"hook": self.add_hook(kind="typing")})

    async def _read(self, request: web.Request) -> web.Response:
        for chat in self.chats:
            if chat["id"] == request.match_info["chat"]:
                chat["unread"] = 0
        return web.Response(status=204)

    async def _react(self, request: web.Request) -> web.Response:
        body = await request.json()
        message = next(one for one in self.messages if one["id"] == request.match_info["id"])
        given = body["type"] == "react"
        message["reactions"] = [{"user": body["user_id"], "emoji": body["emoji"]}] * given
        self.events.publish("reaction", message)
        return web.json_response({"hook": self.add_hook(kind="reaction")})

    async def _repeat(self, request: web.Request) -> web.Response:
        hook = self.hooks[int(request.match_info["n"]) - 1]
        return web.json_response(
            {"hook": self.add_hook(kind=hook["kind"], attempt=hook["attempt"] + 1)}
        )

    async def _media(self, request: web.Request) -> web.Response:
        form = await request.post()
        field = form["file"]
        assert isinstance(field, web.FileField)
        data, key = field.file.read(), str(uuid.uuid4())
        self.files[key] = (data, field.content_type)
        return web.json_response(
            {
                "url": f"/attachments/{key}/{field.filename}",
                "file_name": field.filename,
                "file_size": len(data),
            },
            status=201,
        )

    async def _attachment(self, request: web.Request) -> web.Response:
        data, kind = self.files[request.match_info["id"]]
        return web.Response(body=data, content_type=kind)

    async def _switches(self, _: web.Request) -> web.Response:
        return web.json_response(self.switches)

    async def _switch(self, request: web.Request) -> web.Response:
        self.switches |= await request.json()
        self.events.publish("switches", self.switches)
        return web.json_response(self.switches)

    async def _requests(self, _: web.Request) -> web.Response:
        return web.json_response({"requests": self.requests})

    async def _hooks(self, _: web.Request) -> web.Response:
        return web.json_response({"hooks": self.hooks})
