"""A visitor's page, as docs/reference/website-chat.md has it, written apart from our script and from the server."""

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import aiohttp

from tests.acceptance.bridge import Bridge, Shop
from tests.processes import SECONDS

SITE = "https://shop.example"
SETTINGS = {"sites": [SITE]}


async def open_chat(bridge: Bridge, amojo: Any, **settings: Any) -> Shop:
    """A website chat that is linked to an account."""
    return await bridge.open_shop(amojo, kind="website", settings=SETTINGS | settings)


def spelled(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Page:
    """What a page keeps, over reloads and lost connections. Nothing is dropped: twice is twice here."""

    def __init__(self, bridge: Bridge, shop: Shop, *, origin: str | None = SITE) -> None:
        self.bridge, self.shop, self.origin = bridge, shop, origin
        self.session: str | None = None
        self.after: int | None = None
        self.events: list[dict[str, Any]] = []
        self.accepted: dict[str, int] = {}
        self.outbox: list[dict[str, Any]] = []
        self.greeting: dict[str, Any] = {}

    @property
    def path(self) -> str:
        return f"/chat/{self.shop.messenger['id']}"

    @property
    def visitor(self) -> str:
        """Its id, which is readable in the session."""
        said = (self.session or "").partition(".")[0]
        return str(json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))[0])

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.events if event["type"] == "message"]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Connection"]:
        """A connection on which everything missed has come."""
        async with self.dialled() as connection:
            await connection.greet()
            yield connection

    @asynccontextmanager
    async def dialled(self) -> AsyncIterator["Connection"]:
        """A connection on which nothing was said."""
        headers = {} if self.origin is None else {"Origin": self.origin}
        async with self.bridge.http.ws_connect(
            f"{self.bridge.url}{self.path}/socket",
            headers=headers,
            protocols=["chatbridge.v1"],
            max_msg_size=0,
        ) as socket:
            yield Connection(self, socket)

    async def upload(self, data: bytes, name: str = "a.txt", **headers: str) -> Any:
        sent = {"Origin": self.origin or "", "Authorization": f"Bearer {self.session}"} | headers
        return await self.bridge.call(
            "POST", f"{self.path}/files?name={name}", key=None, data=data, headers=sent
        )

    def take(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self.after = event["position"]


class Connection:
    """One socket of a page."""

    def __init__(self, page: Page, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.page, self.socket = page, socket
        self.heard: list[dict[str, Any]] = []

    async def say(self, **frame: Any) -> None:
        await self.socket.send_json(frame)

    async def hear(self) -> dict[str, Any]:
        """The next frame; events and answers are noted in the page. The end raises."""
        async with asyncio.timeout(SECONDS):
            message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"closed with {self.socket.close_code}")
        frame: dict[str, Any] = json.loads(message.data)
        self.heard.append(frame)
        if "position" in frame and frame["type"] in ("message", "reaction"):
            self.page.take(frame)
        if frame["type"] == "accepted":
            self.page.accepted[frame["id"]] = frame["position"]
        return frame

    async def until(self, is_wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first wanted frame; what comes before it is noted."""
        while not is_wanted(frame := await self.hear()):
            pass
        return frame

    async def closed(self) -> int | None:
        """The code with which the server closes."""
        with suppress(ConnectionError):
            while True:
                await self.hear()
        return self.socket.close_code

    async def greet(self, **changes: Any) -> dict[str, Any]:
        page = self.page
        hello = {
            "type": "hello",
            "session": page.session,
            "after": page.after,
            "language": "en",
            "now": spelled(datetime.now(UTC)),
        }
        await self.say(**hello | page.greeting | changes)
        welcome = await self.hear()
        assert welcome["type"] == "welcome", welcome
        page.session = welcome["session"]
        if welcome["reset"]:
            page.events, page.after = [], None
        await self.until(lambda frame: frame["type"] == "ready")
        return welcome

    async def write(self, text: str, **members: Any) -> str:
        """Send a message and return its id once it is accepted and shown."""
        message_id = members.pop("id", None) or str(uuid.uuid4())
        await self.say(**message(message_id, text, **members))
        await self.until(lambda _: message_id in self.page.accepted)
        if not any(event.get("id") == message_id for event in self.page.events):
            await self.until(lambda frame: frame.get("id") == message_id)
        return message_id


def message(message_id: str, text: str | None, **members: Any) -> dict[str, Any]:
    """A message as a page says it."""
    whole = {
        "type": "message",
        "id": message_id,
        "at": spelled(datetime.now(UTC)),
        "text": text,
        "media_id": None,
        "file_name": None,
        "reply_to": None,
        "button": None,
    }
    return whole | members
