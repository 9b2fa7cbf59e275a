"""The website chat passes what every connector has to pass."""

import asyncio
import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from chatbridge.model import ContactCard, Location, MessageType
from chatbridge.testing.connector import (
    Abilities,
    Client,
    ConnectorContract,
    FarSide,
    Said,
    Seen,
    Sent,
)

SITE = "https://shop.example"
BETWEEN = 0.05


@dataclass
class Browser:
    """One visitor's page: what it keeps, and what it was shown."""

    client: Client
    session: str | None = None
    after: int | None = None
    outbox: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Of messages in the outbox that are not uploaded yet."""
    seen: list[Seen] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    reactions: dict[str, str] = field(default_factory=dict)
    wanted: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    read: int = 0

    @property
    def visitor(self) -> str:
        """Its id, which a session says openly."""
        said = (self.session or "").partition(".")[0]
        return str(json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))[0])


class Browsers(FarSide):
    """Pages of visitors, which connect again and again until they are stopped."""

    can = Abilities(
        types=frozenset(
            {
                MessageType.TEXT,
                MessageType.PICTURE,
                MessageType.FILE,
                MessageType.VIDEO,
                MessageType.AUDIO,
            }
        ),
        captions=True,
        longest_text=4000,
        replies=True,
        reads=True,
        repeats=True,
        keeps=True,
        knows_repeats=True,
        failures=frozenset(),
    )

    def __init__(self) -> None:
        super().__init__()
        self._browsers: dict[int, Browser] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._last: tuple[Browser, dict[str, Any]] | None = None
        self._trouble = ""

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()

    def draft(self) -> dict[str, Any]:
        return {"kind": "website", "settings": {"sites": [SITE], "messages_per_minute": 1000}}

    def wrong_drafts(self) -> Mapping[str, dict[str, Any]]:
        wrong = {"/settings/sites": {}, "/settings/sites/0": {"sites": ["shop.example"]}}
        return {name: self.draft() | {"settings": settings} for name, settings in wrong.items()}

    async def join(self, url: str, messenger: Mapping[str, Any]) -> None:
        self._url = f"{url}/chat/{messenger['id']}"

    def trouble(self) -> str:
        return self._trouble

    def received(self, client: Client) -> Sequence[Seen]:
        return self._browsers[client.number].seen if client.number in self._browsers else []

    def reactions(self, client: Client) -> Mapping[str, str]:
        return self._browsers[client.number].reactions

    async def client_sends(self, client: Client, said: Said) -> Sent:
        if client.number not in self._browsers:
            browser = self._browsers[client.number] = Browser(client)
            self._tasks.append(asyncio.create_task(self._stay(browser)))
        browser = self._browsers[client.number]
        await browser.entered.wait()
        message_id, at = str(uuid.uuid4()), datetime.now(UTC).isoformat()
        own = f"{browser.visitor}:"
        reply_to = said.reply_to and said.reply_to.removeprefix(own)
        frame = {"type": "message", "id": message_id, "at": at, "text": said.text}
        if said.file is not None:
            browser.files[message_id] = (said.file.name, said.file.data)
        browser.outbox.append(frame | {"reply_to": reply_to})
        self._last = browser, browser.outbox[-1]
        browser.wanted.put_nowait(None)
        return Sent(
            message_id=own + message_id,
            conversation_id=browser.visitor,
            client_id=browser.visitor,
            file_name=said.file and said.file.name,
        )

    async def repeats_last(self) -> None:
        assert self._last is not None
        browser, frame = self._last
        browser.outbox.append(frame)
        browser.wanted.put_nowait(None)

    async def client_reads(self, client: Client, seen: Seen) -> None:
        browser = self._browsers[client.number]
        browser.read = browser.positions[seen.id]
        browser.wanted.put_nowait(None)

    async def _stay(self, browser: Browser) -> None:
        while True:
            try:
                async with self._http.ws_connect(
                    f"{self._url}/socket",
                    headers={"Origin": SITE},
                    protocols=["chatbridge.v1"],
                    max_msg_size=0,
                ) as socket:
                    await self._talk(browser, socket)
            except (aiohttp.ClientError, OSError, TypeError) as error:
                self._trouble = repr(error)
            await asyncio.sleep(BETWEEN)

    async def _talk(self, browser: Browser, socket: aiohttp.ClientWebSocketResponse) -> None:
        client = browser.client
        profile = {"name": client.name, "phone": client.phone, "email": None}
        hello = {"type": "hello", "session": browser.session, "after": browser.after}
        now = datetime.now(UTC).isoformat()
        await socket.send_json(hello | {"language": "en", "profile": profile, "now": now})
        answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        writing = asyncio.create_task(self._write(browser, socket, answers))
        try:
            while True:
                frame = await socket.receive_json()
                if frame["type"] == "welcome":
                    browser.session = frame["session"]
                    browser.entered.set()
                elif frame["type"] in ("message", "reaction"):
                    browser.after = frame["position"]
                    await self._show(browser, frame)
                    await socket.send_json({"type": "received", "position": frame["position"]})
                else:
                    answers.put_nowait(frame)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(
        self,
        browser: Browser,
        socket: aiohttp.ClientWebSocketResponse,
        answers: asyncio.Queue[dict[str, Any]],
    ) -> None:
        """Send what is in the outbox, one message at a time, and what was read."""
        assert (await answers.get())["type"] == "ready"
        while True:
            if browser.read:
                await socket.send_json({"type": "read", "position": browser.read})
            while browser.outbox:
                frame = browser.outbox[0]
                if frame["id"] in browser.files:
                    name, data = browser.files[frame["id"]]
                    frame |= {"media_id": await self._uploaded(browser, name, data)}
                    del browser.files[frame["id"]]
                await socket.send_json(frame)
                answer = await answers.get()
                if answer["type"] == "accepted":
                    del browser.outbox[0]
                else:
                    self._trouble = str(answer)
                    await asyncio.sleep(answer["retry_after"])
            await browser.wanted.get()

    async def _uploaded(self, browser: Browser, name: str, data: bytes) -> str:
        headers = {"Origin": SITE, "Authorization": f"Bearer {browser.session}"}
        url = f"{self._url}/files"
        async with self._http.post(
            url, params={"name": name}, data=data, headers=headers
        ) as answer:
            return str((await answer.json())["media_id"])

    async def _show(self, browser: Browser, event: dict[str, Any]) -> None:
        if event["type"] == "reaction":
            message_id = f"{browser.visitor}:{event['message_id']}"
            if event["removed"]:
                browser.reactions.pop(message_id, None)
            else:
                browser.reactions[message_id] = event["emoji"]
            return
        if event["from"] == "visitor":
            return
        file = None
        if event["file"] is not None:
            async with self._http.get(event["file"]["url"]) as answer:
                file = await answer.read()
        quoted = event["reply_to"]
        known = {one.id for one in browser.seen}
        browser.positions[event["id"]] = event["position"]
        browser.seen.append(
            Seen(
                id=event["id"],
                type=MessageType(event["kind"]),
                text=event["text"],
                file=file,
                location=event["location"] and Location(**event["location"]),
                contact=event["contact"] and ContactCard(**event["contact"]),
                reply_to=quoted
                if quoted is None or quoted in known
                else f"{browser.visitor}:{quoted}",
                buttons=tuple(button["text"] for row in event["buttons"] for button in row),
            )
        )


class TestWebsite(ConnectorContract):
    far_side = Browsers
