"""A stand-in for the website chat's server, from memory, and a plain site of somebody else that uses it.

It speaks docs/reference/website-chat.md: sessions, resuming, refusals, hanging up.
"""

import asyncio
import html
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from chatbridge.connectors.website.script import load_scripts
from tests.pages.serving import PACKAGE, Running

AT_ONCE = 50
PATIENCE_S = 20
STATIC = PACKAGE / "connectors/website/static"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
SETTINGS: dict[str, Any] = {
    "title": "Ask us",
    "greeting": "Hello! How can we help?",
    "colour": "#2a66d9",
    "position": "right",
    "language": None,
    "form": {"name": "off", "phone": "off", "email": "off"},
    "consent_url": None,
    "max_bytes": 20 << 20,
    "max_text": 4000,
}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def no_icon(_: web.Request) -> web.Response:
    """What browsers ask for unasked."""
    return web.Response(status=204)


def _script(text: str, status: int = 200) -> web.Response:
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript; charset=utf-8"}
    response = web.Response(text=text, status=status, headers=headers)
    response.enable_compression()
    return response


class Person:
    """A visitor: the events of the conversation, and the sockets of open pages."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.sockets: set[web.WebSocketResponse] = set()

    @property
    def position(self) -> int:
        return self.events[-1]["position"] if self.events else 0

    def since(self, after: int | None) -> tuple[bool, list[dict[str, Any]]]:
        newest = self.events[-AT_ONCE:]
        if after is None:
            return False, newest
        missed = [event for event in self.events if event["position"] > after]
        return (False, missed) if len(missed) <= AT_ONCE else (True, newest)


class StubWebsite:
    """What the pages said is in `heard`; what they are told is written with `write`, `react` and `tell`."""

    def __init__(self) -> None:
        self.settings = dict(SETTINGS)
        self.settings_status = 200
        self.scripts = load_scripts()
        self.panel_status = 200
        self.panels: list[str] = []
        """The addresses by which a panel was asked for."""
        self.people: dict[str, Person] = {}
        self.heard: list[dict[str, Any]] = []
        self.uploads: list[tuple[str, bytes]] = []
        self.upload_status = 201
        self.files: dict[str, tuple[bytes, str]] = {}
        self.refusals: list[dict[str, Any]] = []
        """Refusals of the next messages, each used once."""
        self.deaf = False
        """Whether messages are taken but not answered, as when the network ends between the two."""
        self.lossy = False
        """Whether messages are neither taken nor answered, as when the network ended before."""
        self.may_greet: asyncio.Event | None = None
        self.greetings_held = 0
        self.connections = 0
        self._positions = 0
        self._news = asyncio.Condition()
        self.running = Running(self._app())

    async def stop(self) -> None:
        await self.cut(WSCloseCode.SERVICE_RESTART)
        await self.running.stop()

    async def start_again(self) -> None:
        port = self.running.port
        self.running = Running(self._app())
        await self.running.start(port)

    @property
    def person(self) -> Person:
        """The only visitor."""
        (person,) = self.people.values()
        return person

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.heard if frame["type"] == kind]

    def last(self, kind: str) -> dict[str, Any]:
        return self.said(kind)[-1]

    def texts(self) -> list[str]:
        """What the only visitor wrote, as it is kept."""
        return [e["text"] for e in self.person.events if e["from"] == "visitor"]

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(holds)

    async def write(self, text: str = "", **more: Any) -> dict[str, Any]:
        """Write as the operator."""
        return await self._add(
            {
                "type": "message",
                "id": str(uuid.uuid4()),
                "from": "operator",
                "at": now(),
                "name": "Olga",
                "avatar_url": None,
                "kind": "text",
                "text": text,
                "file": None,
                "location": None,
                "contact": None,
                "reply_to": None,
                "buttons": [],
            }
            | more
        )

    async def react(self, message_id: str, emoji: str, *, removed: bool = False) -> None:
        event = {"type": "reaction", "message_id": message_id, "from": "operator"}
        await self._add(event | {"emoji": emoji, "removed": removed})

    async def tell(self, frame: dict[str, Any]) -> None:
        for socket in tuple(self.person.sockets):
            await socket.send_json(frame)

    async def cut(self, code: int) -> None:
        """Hang up on everybody."""
        for person in tuple(self.people.values()):
            for socket in tuple(person.sockets):
                await socket.close(code=code)

    async def forget(self) -> None:
        """Know nobody any more: sessions are not valid, and conversations are gone."""
        sockets = [socket for person in self.people.values() for socket in person.sockets]
        self.people = {}
        for socket in sockets:
            await socket.close()

    async def _add(self, event: dict[str, Any], person: Person | None = None) -> dict[str, Any]:
        person = person or self.person
        self._positions += 2
        event["position"] = self._positions
        person.events.append(event)
        for socket in tuple(person.sockets):
            if not socket.closed:
                await socket.send_json(event)
        return event

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20)
        app.add_routes(
            [
                web.static("/look", PACKAGE / "look"),
                web.get("/chat.js", self._script),
                web.get("/chat/panel/{version}.js", self._panel),
                web.get("/chat/{messenger}", self._page),
                web.get("/chat/{messenger}/settings", self._settings),
                web.get("/chat/{messenger}/socket", self._socket),
                web.route("*", "/chat/{messenger}/files", self._upload),
                web.get("/media/{name}", self._media),
                web.static("/parts", STATIC / "chat"),
            ]
        )
        return app

    async def _script(self, _: web.Request) -> web.Response:
        return _script(self.scripts.chat)

    async def _panel(self, request: web.Request) -> web.Response:
        async with self._news:
            self.panels.append(request.path_qs)
            self._news.notify_all()
        if self.panel_status != 200:
            return _script("", self.panel_status)
        known = request.match_info["version"] == self.scripts.version
        return _script(self.scripts.panel if known else self.scripts.whole)

    async def _page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(
            STATIC / "chat.html", headers={"Content-Security-Policy": PAGE_POLICY}
        )

    def _cors(self, request: web.Request) -> dict[str, str]:
        return {
            "Access-Control-Allow-Origin": request.headers.get("Origin", ""),
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Vary": "Origin",
        }

    async def _settings(self, request: web.Request) -> web.Response:
        headers = self._cors(request)
        return web.json_response(self.settings, status=self.settings_status, headers=headers)

    async def _upload(self, request: web.Request) -> web.Response:
        headers = self._cors(request)
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=headers)
        session = request.headers["Authorization"].removeprefix("Bearer ")
        if self.upload_status != 201 or session not in self.people:
            return web.json_response(
                {"code": "refused"}, status=self.upload_status, headers=headers
            )
        name, data = request.query["name"], await request.read()
        self.uploads.append((name, data))
        self.files[name] = (data, "application/octet-stream")
        answer = {
            "media_id": name,
            "url": f"{self.running.origin}/media/{name}",
            "content_type": "application/pdf",
            "size": len(data),
            "file_name": name,
        }
        return web.json_response(answer, status=201, headers=headers)

    async def _media(self, request: web.Request) -> web.Response:
        data, kind = self.files[request.match_info["name"]]
        return web.Response(body=data, content_type=kind)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        self.connections += 1
        socket = web.WebSocketResponse(protocols=["chatbridge.v1"])
        await socket.prepare(request)
        person = Person()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    frame = message.json()
                    if frame["type"] == "hello":
                        person = await self._greet(frame, socket)
                    else:
                        await self._answer(frame, person, socket)
                    async with self._news:
                        self.heard.append(frame)
                        self._news.notify_all()
        finally:
            async with self._news:
                person.sockets.discard(socket)
                self._news.notify_all()
        return socket

    async def _answer(
        self, frame: dict[str, Any], person: Person, socket: web.WebSocketResponse
    ) -> None:
        match frame["type"]:
            case "message" if not self.lossy:
                await self._take(frame, person, socket)
            case "history":
                await self._tell_history(frame, person, socket)
            case "ping" if not self.deaf:
                await socket.send_json({"type": "pong"})

    async def _greet(self, hello: dict[str, Any], socket: web.WebSocketResponse) -> Person:
        if self.may_greet:
            async with self._news:
                self.greetings_held += 1
                self._news.notify_all()
            await self.may_greet.wait()
        session = hello["session"]
        if fresh := session not in self.people:
            session = str(uuid.uuid4())
            self.people[session] = Person()
        person = self.people[session]
        reset, missed = person.since(None if fresh else hello["after"])
        welcome = {"session": session, "position": person.position, "reset": reset or fresh}
        await socket.send_json({"type": "welcome"} | welcome)
        for event in missed:
            await socket.send_json(event)
        await socket.send_json({"type": "ready"})
        person.sockets.add(socket)
        return person

    async def _take(
        self, frame: dict[str, Any], person: Person, socket: web.WebSocketResponse
    ) -> None:
        if self.refusals:
            refusal = {"type": "refused", "id": frame["id"], "detail": "No."}
            await socket.send_json(refusal | self.refusals.pop(0))
            return
        known = next((e for e in person.events if e.get("id") == frame["id"]), None)
        if not known:
            known = self._event(frame)
            if self.deaf:
                self._positions += 2
                person.events.append(known | {"position": self._positions})
                return
            await self._add(known, person)
        accepted = {"type": "accepted", "id": frame["id"], "position": known["position"]}
        await socket.send_json(accepted)

    def _event(self, frame: dict[str, Any]) -> dict[str, Any]:
        name = frame["media_id"]
        file = name and {
            "url": f"{self.running.origin}/media/{name}",
            "name": frame["file_name"],
            "size": len(self.files[name][0]),
            "content_type": "application/pdf",
        }
        taken = {member: frame[member] for member in ("type", "id", "at", "text", "reply_to")}
        nobody = {"from": "visitor", "name": None, "avatar_url": None}
        kind = {"kind": "file" if name else "text", "file": file or None}
        return taken | nobody | kind | {"location": None, "contact": None, "buttons": []}

    async def _tell_history(
        self, frame: dict[str, Any], person: Person, socket: web.WebSocketResponse
    ) -> None:
        before = [e for e in person.events if e["position"] < frame["before"]]
        answer = {"events": before[-AT_ONCE:], "more": len(before) > AT_ONCE}
        await socket.send_json({"type": "history"} | answer)


class PlainSite:
    """Somebody's site on another origin, with a strict policy and styles that would spoil what they reach."""

    STYLES = """
        * { color: rgb(255, 0, 0) !important; font-size: 40px !important; }
        div, section, button, p { display: inline !important; --accent: red; --text: red; }
    """

    def __init__(self, bridge: str) -> None:
        self._bridge = bridge
        self.attributes = {"data-messenger": "shop"}
        self.language = "de"
        self.script_policy = f"script-src {bridge}"
        self.running = Running(self._app())

    @property
    def policy(self) -> str:
        """As little as docs/howto/website-chat.md asks for."""
        socket = self._bridge.replace("http", "ws")
        return (
            f"default-src 'none'; style-src 'self'; {self.script_policy}; "
            f"connect-src {self._bridge} {socket}; img-src {self._bridge}; media-src {self._bridge}"
        )

    def _app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/styles.css", self._styles),
                web.get("/favicon.ico", no_icon),
                web.get("/{page:.*}", self._page),
            ]
        )
        return app

    async def _styles(self, _: web.Request) -> web.Response:
        return web.Response(text=self.STYLES, content_type="text/css")

    async def _page(self, request: web.Request) -> web.Response:
        given = " ".join(f'{name}="{html.escape(text)}"' for name, text in self.attributes.items())
        styles = '<link rel="stylesheet" href="/styles.css">' if "styled" in request.path else ""
        page = f"""<!doctype html>
            <html lang="{self.language}"><head><title>Boots</title>{styles}
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <script async src="{self._bridge}/chat.js" {given}></script></head>
            <body><h1>Boots</h1><p>Made to be walked in.</p></body></html>"""
        headers = {"Content-Security-Policy": self.policy}
        return web.Response(text=page, content_type="text/html", headers=headers)
