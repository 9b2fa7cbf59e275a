"""The only fakes: a clock that tests advance, and a far side that is a real server on loopback with a script."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

SECONDS = 30
"""How long a test waits for something that must happen."""

BEGINNING = 1_790_000_000_000_000
"""Where fake clocks begin, microseconds."""


class FakeClock:
    """A clock that stands still until it is advanced; whoever sleeps long enough then wakes."""

    def __init__(self, now: int = BEGINNING) -> None:
        self._now = now
        self._sleepers: list[tuple[int, int, asyncio.Event]] = []
        self._count = 0
        self._changed = asyncio.Event()

    def now(self) -> int:
        """Microseconds."""
        return self._now

    def wall(self) -> int:
        """The same: nobody sets it."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was advanced by that much."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._count += 1
        woken = asyncio.Event()
        entry = (self._now + int(seconds * 1_000_000), self._count, woken)
        heapq.heappush(self._sleepers, entry)
        self._changed.set()
        try:
            await woken.wait()
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)
                heapq.heapify(self._sleepers)

    def advance(self, seconds: float) -> None:
        """Let that much time pass."""
        self._now += int(seconds * 1_000_000)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            heapq.heappop(self._sleepers)[2].set()

    async def somebody_sleeps(self, count: int = 1) -> None:
        """Return as soon as so many sleep."""
        async with asyncio.timeout(SECONDS):
            while len(self._sleepers) < count:
                self._changed.clear()
                await self._changed.wait()


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it arrived, byte for byte."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that is there once, None if it is not there."""
        values = [value for key, value in self.headers if key.lower() == name.lower().encode()]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0].decode("ascii") if values else None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the far side says."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after: asyncio.Event | None = None
    """It says nothing before this is set."""
    cut: bool = False
    """It drops the connection instead of answering."""


class FarSide:
    """A server that records what it gets and answers from a script, then always with `otherwise`."""

    def __init__(self, otherwise: Answer | Callable[[Received], Answer] | None = None) -> None:
        self.script: deque[Answer] = deque()
        self.otherwise = Answer() if otherwise is None else otherwise
        self.received: list[Received] = []
        self.url = ""
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, auto_decompress=False
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def wait_for(self, condition: Callable[[], object], wanted: str) -> None:
        """Return as soon as the condition holds; it is looked at after every request."""
        try:
            async with asyncio.timeout(SECONDS), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"not within {SECONDS} s: {wanted}") from None

    async def wait_for_requests(self, count: int) -> list[Received]:
        """The requests, as soon as there are that many."""
        await self.wait_for(lambda: len(self.received) >= count, f"{count} requests")
        return self.received

    async def _take(self, request: web.Request) -> web.Response:
        received = Received(
            method=request.method,
            path=request.raw_path,
            headers=tuple(request.raw_headers),
            body=await request.read(),
        )
        self.received.append(received)
        answer = self._answer_to(received)
        async with self._changed:
            self._changed.notify_all()
        if answer.after is not None:
            await answer.after.wait()
        if answer.cut and request.transport is not None:
            request.transport.abort()
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    def _answer_to(self, received: Received) -> Answer:
        if self.script:
            return self.script.popleft()
        return self.otherwise(received) if callable(self.otherwise) else self.otherwise
