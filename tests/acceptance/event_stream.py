"""A reader of server-sent events, written from the specification and apart from the server's own code."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.acceptance.bridge import Bridge
from tests.fakes import SECONDS


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event."""

    id: str | None
    type: str
    data: Any

    @property
    def text(self) -> str:
        """What the operator said."""
        return str(self.data["data"]["message"]["text"])


@dataclass
class Stream:
    """A stream that was opened."""

    answer: aiohttp.ClientResponse
    last_id: str | None = None
    seen: list[Told] = field(default_factory=list)

    @property
    def worker(self) -> str:
        """Tells one process of a server from another."""
        return self.answer.headers["X-Request-Id"][:16]

    async def begun(self) -> None:
        """Return when the server is listening for what is new."""
        async with asyncio.timeout(SECONDS):
            assert await self.answer.content.readuntil(b"\n\n") == b"retry: 2000\n\n"

    async def next(self) -> Told:
        """The next event that is no comment. The end of the stream is an EOFError."""
        event_id, event_type, data = None, "message", list[str]()
        async with asyncio.timeout(SECONDS):
            while line := await self.answer.content.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    event_id = self.last_id = value
                elif name == "event":
                    event_type = value
                elif name == "data":
                    data.append(value)
                elif not name and data:
                    told = Told(id=event_id, type=event_type, data=json.loads("\n".join(data)))
                    self.seen.append(told)
                    return told
        raise EOFError

    async def take(self, count: int) -> list[Told]:
        """So many events."""
        return [await self.next() for _ in range(count)]

    async def is_over(self) -> bool:
        """Wait for the end; whether it was an orderly one."""
        async with asyncio.timeout(SECONDS):
            try:
                while await self.answer.content.readany():
                    pass
            except aiohttp.ClientError:
                return False
        return True


@asynccontextmanager
async def reading(
    bridge: Bridge, key: str, *, after: str | None = None, last_id: str | None = None
) -> AsyncIterator[Stream]:
    """A stream with this cursor, in the address or in the header."""
    headers = {"Authorization": f"Bearer {key}"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    query = {} if after is None else {"after": after}
    timeout = aiohttp.ClientTimeout(total=None)
    url = f"{bridge.url}/v1/events"
    async with bridge.http.get(url, headers=headers, params=query, timeout=timeout) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield Stream(answer)
