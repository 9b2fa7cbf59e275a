"""A messenger's side of amojo, written by hand for these tests: a signing client, a hook address."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self

from aiohttp import ClientResponse, ClientSession, web

CHANNEL = "5a0db0c4-0000-4000-8000-000000000001"
SECRET = "5a0db0c40000400080000000000000015a0db0c4"
ACCOUNT = "5a0db0c4-0000-4000-8000-0000000000a1"
SCOPE = f"{CHANNEL}_{ACCOUNT}"
BOT = "5a0db0c4-0000-4000-8000-0000000000b0"
KATE = "5a0db0c4-0000-4000-8000-0000000000e1"
OLEG = "5a0db0c4-0000-4000-8000-0000000000e2"

BASE = "/v2/origin/custom"


@dataclass
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def mac(text: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha1).hexdigest()


def signed_headers(
    method: str, path: str, body: bytes, *, secret: str = SECRET, date: str | None = None
) -> dict[str, str]:
    date = date or format_datetime(datetime.now(UTC))
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    lines = f"{method}\n{md5}\napplication/json\n{date}\n{path}"
    return {
        "Date": date,
        "Content-Type": "application/json",
        "Content-MD5": md5,
        "X-Signature": mac(lines.encode(), secret),
    }


def text_message(msgid: str, text: str = "Is it in stock?", **payload: Any) -> dict[str, Any]:
    """An incoming text of Ann in conversation conv-1."""
    whole = {
        "timestamp": 1736847000,
        "msec_timestamp": 1736847000123,
        "msgid": msgid,
        "conversation_id": "conv-1",
        "sender": {"id": "cust-1", "name": "Ann"},
        "message": {"type": "text", "text": text},
    }
    return {"event_type": "new_message", "payload": whole | payload}


class EventStream:
    """An inbox page's stream of events."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> tuple[str, Any]:
        """The next event's name and data."""
        frame = await self.answer.content.readuntil(b"\n\n")
        if frame.startswith(b":"):
            return await self.next()
        name, data = frame.decode().strip().split("\n")
        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def wait_for(self, name: str) -> Any:
        """The data of the next event of this name."""
        while True:
            event, data = await self.next()
            if event == name:
                return data


class Desk:
    """A sandbox: amojo called as a messenger, the control API as a page."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def request(self, method: str, path: str, **arguments: Any) -> Answer:
        async with self.http.request(method, self.url + path, **arguments) as answer:
            return await _read(answer)

    async def amojo(
        self, method: str, path: str, value: Any = None, *, query: str = "", **signing: Any
    ) -> Answer:
        """A correctly signed call of the current generation; `value` bytes go as they are."""
        body = (
            value
            if isinstance(value, bytes)
            else b""
            if value is None
            else json.dumps(value).encode()
        )
        headers = signed_headers(method, BASE + path, body, **signing)
        return await self.request(method, BASE + path + query, data=body, headers=headers)

    async def connect(self, version: str = "v2") -> None:
        body = {"account_id": ACCOUNT, "title": "Shop chat", "hook_api_version": version}
        answer = await self.amojo("POST", f"/{CHANNEL}/connect", body)
        assert answer.status == 200, answer.body

    async def send(self, msgid: str, text: str = "Is it in stock?", **payload: Any) -> Answer:
        return await self.amojo("POST", f"/{SCOPE}", text_message(msgid, text, **payload))

    async def sent(
        self, msgid: str, text: str = "Is it in stock?", **payload: Any
    ) -> dict[str, Any]:
        answer = await self.send(msgid, text, **payload)
        assert answer.status == 200, answer.body
        return answer.json["new_message"]

    async def control(self, method: str, path: str, value: Any = None) -> Answer:
        """A call of the control API."""
        body = {"json": {} if value is None else value} if method != "GET" else {}
        return await self.request(method, "/sandbox" + path, **body)

    async def reply(self, chat_id: str, text: str = "Yes, two left", **body: Any) -> Answer:
        body = {"message": {"type": "text", "text": text}} | body
        return await self.control("POST", f"/chats/{chat_id}/messages", body)

    async def switch(self, **switches: Any) -> None:
        answer = await self.control("PATCH", "/switches", switches)
        assert answer.status == 200, answer.body

    @asynccontextmanager
    async def events(self) -> AsyncIterator[EventStream]:
        async with self.http.get(self.url + "/sandbox/events") as answer:
            assert await answer.content.readuntil(b"\n\n") == b": open\n\n"
            yield EventStream(answer)

    async def messages(self, chat_id: str) -> list[dict[str, Any]]:
        answer = await self.control("GET", f"/chats/{chat_id}/messages")
        return answer.json["messages"]


@dataclass
class HookReceiver:
    """Keeps the hooks it gets; `status` is answered, after `gate` is open."""

    status: int = 200
    hooks: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    queries: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def __aenter__(self) -> Self:
        self.gate.set()
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.queries.append((request.path, dict(request.query)))
        self.hooks.append((request.path, await request.read(), dict(request.headers)))
        self.arrived.set()
        await self.gate.wait()
        return web.Response(status=self.status)

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body, _ in self.hooks]


async def _read(answer: ClientResponse) -> Answer:
    return Answer(answer.status, await answer.read(), dict(answer.headers))
