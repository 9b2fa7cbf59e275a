"""Sending hooks: signed over the body, once, in order per connection, with a deadline."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
import orjson

from chatbridge.sandbox.records import Connection, Json
from chatbridge.sandbox.signatures import sign_body
from chatbridge.sandbox.state import Publish
from chatbridge.sandbox.switches import Switches

ROWS = 500
AGENT = "amoCRM amoJo/1.0"  # as seen in an integration's log

HookKind = Literal["message", "typing", "reaction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One hook ready to go: a repeat sends these very bytes."""

    scope_id: str
    url: str
    version: str
    kind: HookKind
    body: bytes
    signature: str


@dataclass(slots=True)
class Lane:
    """The hooks of one connection go one after another."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    failed: bool = False  # the last one failed: the next one waits (slow queue)


class Hooks:
    """Sends hooks and remembers the newest ones."""

    def __init__(self, switches: Switches, publish: Publish, now: Callable[[], float]) -> None:
        self._http: aiohttp.ClientSession
        self._switches = switches
        self._publish = publish
        self._now = now
        self._lanes: dict[str, Lane] = {}
        self._sent: deque[tuple[Json, Hook]] = deque(maxlen=ROWS)
        self._count = 0

    def open(self, http: aiohttp.ClientSession) -> None:
        """Take the client to send with."""
        self._http = http

    async def send(self, connection: Connection, kind: HookKind, body: Json) -> Json:
        """Send a hook to the connection's address when its turn has come; return its row."""
        version = connection.hook_api_version
        url = connection.channel.hook_urls[version].replace(":scope_id", connection.scope_id)
        signed = sent = orjson.dumps(body)
        if not self._switches.is_("hook_newline", "none"):
            # Seen in practice: the body ends with a newline that the signature does not cover.
            sent += b"\n"
        if self._switches.is_("hook_newline", "signed"):
            signed = sent
        hook = Hook(
            scope_id=connection.scope_id,
            url=url,
            version=version,
            kind=kind,
            body=sent,
            signature=sign_body(connection.channel.secret, signed),
        )
        return await self._deliver(hook)

    async def repeat(self, number: int) -> Json | None:
        """Send hook `number` once more, byte for byte; None when it is not remembered."""
        for row, hook in self._sent:
            if row["n"] == number:
                return await self._deliver(hook, attempt=row["attempt"] + 1)
        return None

    def rows(self) -> list[Json]:
        """Return the hooks sent, oldest first."""
        return [row for row, _ in self._sent]

    def clear(self) -> None:
        """Forget the hooks sent and who was slow; numbers go on."""
        self._sent.clear()
        for lane in self._lanes.values():
            lane.failed = False

    async def _deliver(self, hook: Hook, attempt: int = 1) -> Json:
        lane = self._lanes.setdefault(hook.scope_id, Lane())
        async with lane.turn:
            if lane.failed:
                await asyncio.sleep(self._switches.number("slow_queue_s"))
            row, timed_out = await self._post(hook, attempt)
            if timed_out and self._switches.is_("hook_retry", "once_after_timeout"):
                row, _ = await self._post(hook, attempt + 1)
            lane.failed = row["error"] is not None
        return row

    async def _post(self, hook: Hook, attempt: int) -> tuple[Json, bool]:
        at, clock = self._now(), asyncio.get_running_loop().time
        began = clock()
        status, error, timed_out = await self._outcome(hook)
        self._count += 1
        row: Json = {
            "n": self._count,
            "at": at,
            "url": hook.url,
            "version": hook.version,
            "kind": hook.kind,
            "status": status,
            "error": error,
            "elapsed_ms": round((clock() - began) * 1000),
            "attempt": attempt,
            "scope_id": hook.scope_id,
            "signature": hook.signature,
            "body_text": hook.body.decode(),
        }
        self._sent.append((row, hook))
        self._publish("hook", lambda: row)
        return row, timed_out

    async def _outcome(self, hook: Hook) -> tuple[int | None, str | None, bool]:
        """Post; return the status, what went wrong in a sentence, and whether time ran out."""
        deadline = self._switches.number("hook_deadline_s")
        try:
            async with asyncio.timeout(deadline):
                status = await self._answer(hook)
        except TimeoutError:
            return None, f"no answer within {deadline:g} s", True
        except (aiohttp.ClientError, OSError) as problem:
            return None, f"not delivered: {str(problem) or type(problem).__name__}", False
        taken = 200 <= status < 300
        return status, None if taken else f"answered {status}; amoCRM expects 200", False

    async def _answer(self, hook: Hook) -> int:
        headers = {
            "Content-Type": "application/json",
            "X-Signature": hook.signature,
            "User-Agent": AGENT,
        }
        posting = self._http.post(hook.url, data=hook.body, headers=headers, allow_redirects=False)
        async with posting as response:
            return response.status
