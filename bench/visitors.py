"""Visitors of a website chat, all in one process, and the operator who answers them."""

import asyncio
import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import aiohttp
import orjson

from bench.processes import Failed
from bench.running import ACCOUNT

SITE: Final = "https://shop.example"
_AT_ONCE: Final = 50
"""Visitors who arrive at the same time."""
_PATIENCE: Final = 30.0
"""Seconds for a frame that has to come."""
_NUMBERS: Final = count()


@dataclass(frozen=True, kw_only=True)
class Chat:
    """Where they write, and who answers."""

    url: str
    messenger: str
    scope: str
    secret: str


class Visitor:
    """A page that takes what operators write, and says that it has."""

    def __init__(self, name: str) -> None:
        """Nobody has answered yet."""
        self.name = name
        self.sent: dict[int, float] = {}
        """Replies on their way, and when they were sent."""
        self.took: list[float] = []
        """Seconds from callback to frame."""

    async def read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take what comes."""
        async for message in socket:
            now, frame = time.perf_counter(), orjson.loads(message.data)
            if frame["type"] != "message" or frame["from"] != "operator":
                continue
            number = int(frame["text"])
            if number != next(iter(self.sent), None):
                raise Failed(f"a visitor was told {number} out of its place")
            self.took.append(now - self.sent.pop(number))
            await socket.send_json({"type": "received", "position": frame["position"]})
        if self.sent:
            raise Failed(f"a visitor was hung up on with {socket.close_code}")


class Crowd:
    """All visitors."""

    def __init__(self, chat: Chat, http: aiohttp.ClientSession) -> None:
        """Talk to this chat."""
        self._chat, self._http = chat, http
        self.visitors: list[Visitor] = []
        self._reading: list[asyncio.Task[None]] = []

    async def arrive(self, visitors: int) -> None:
        """Let so many connect, and each write once."""
        for begin in range(0, visitors, _AT_ONCE):
            arriving = (
                self._enter(number) for number in range(begin, min(begin + _AT_ONCE, visitors))
            )
            await asyncio.gather(*arriving)

    async def _enter(self, number: int) -> None:
        # As a proxy would say it: they do not all live at one address.
        address = f"203.0.{number // 250}.{number % 250}"
        socket = await self._http.ws_connect(
            f"{self._chat.url}/chat/{self._chat.messenger}/socket",
            headers={"Origin": SITE, "X-Forwarded-For": address},
            protocols=["chatbridge.v1"],
        )
        await socket.send_json({"type": "hello", "session": None, "after": None})
        session = (await _hear(socket, "welcome"))["session"]
        await _hear(socket, "ready")
        said = {
            "type": "message",
            "id": str(uuid.uuid4()),
            "at": "2026-11-22T10:00:00Z",
            "text": "Hello",
        }
        await socket.send_json(said)
        await _hear(socket, "accepted")
        visitor = Visitor(_visitor_in(session))
        self.visitors.append(visitor)
        self._reading.append(asyncio.create_task(visitor.read(socket)))

    async def be_answered(self, *, rate: float, seconds: float) -> list[float]:
        """Answer one after another, so many a second, whatever the server does; return the seconds that each took."""
        answered = int(rate * seconds)
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as answering:
            for number in range(answered):
                due = begin + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                visitor = self.visitors[number % len(self.visitors)]
                answering.create_task(self._answer(visitor, next(_NUMBERS)))
        deadline = time.perf_counter() + _PATIENCE
        while any(visitor.sent for visitor in self.visitors):
            self._look_for_faults()
            if time.perf_counter() > deadline:
                raise Failed("not every reply reached its visitor")
            await asyncio.sleep(0.02)
        self._look_for_faults()
        took = [seconds for visitor in self.visitors for seconds in visitor.took]
        for visitor in self.visitors:
            visitor.took = []
        return took

    def _look_for_faults(self) -> None:
        for task in self._reading:
            if task.done():
                task.result()
                raise Failed("a visitor was hung up on")

    async def _answer(self, visitor: Visitor, number: int) -> None:
        body = orjson.dumps(_callback(visitor.name, number))
        signature = hmac.new(self._chat.secret.encode(), body, hashlib.sha1).hexdigest()
        headers = {"X-Signature": signature, "Content-Type": "application/json"}
        visitor.sent[number] = time.perf_counter()
        url = f"{self._chat.url}/location/{self._chat.scope}"
        async with self._http.post(url, data=body, headers=headers) as answer:
            if answer.status != 200:
                raise Failed(f"a callback was answered with {answer.status}")

    async def leave(self) -> None:
        """Stop reading."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)


async def _hear(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    while True:
        frame = await socket.receive_json(timeout=_PATIENCE)
        if frame["type"] == kind:
            return frame


def _visitor_in(session: str) -> str:
    """Return the visitor's id, which a session says openly."""
    said = session.partition(".")[0]
    return str(orjson.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))[0])


def _callback(visitor: str, number: int) -> dict[str, Any]:
    now = time.time_ns()
    return {
        "account_id": ACCOUNT,
        "time": now // 1_000_000_000,
        "message": {
            "receiver": {"id": f"r-{visitor}", "client_id": visitor},
            "sender": {"id": "76fc2bea-902f-425c-9a3d-dcdac4766090", "name": "Kate"},
            "conversation": {"id": f"k-{visitor}", "client_id": visitor},
            "timestamp": now // 1_000_000_000,
            "msec_timestamp": now // 1_000_000,
            "message": {"id": f"o-{number:09}", "type": "text", "text": str(number)},
        },
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
