"""What amoCRM's server tells an integration's server: each once, with a deadline, whatever is answered."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlencode

import aiohttp

from chatbridge.sandbox.records import Json
from chatbridge.sandbox.state import Publish
from chatbridge.sandbox.switches import Switches

ROWS = 500
Kind = Literal["install", "secrets", "disconnect"]


class Notices:
    """Sends them and remembers the newest ones."""

    def __init__(self, switches: Switches, publish: Publish, now: Callable[[], float]) -> None:
        self._http: aiohttp.ClientSession
        self._switches = switches
        self._publish = publish
        self._now = now
        self._rows: deque[Json] = deque(maxlen=ROWS)
        self._count = 0
        self._tasks: set[asyncio.Task[Json]] = set()

    def open(self, http: aiohttp.ClientSession) -> None:
        """Take the client to send with."""
        self._http = http

    async def close(self) -> None:
        """End what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def rows(self) -> list[Json]:
        """Return what was sent, oldest first."""
        return list(self._rows)

    def clear(self) -> None:
        """Forget what was sent; numbers go on."""
        self._rows.clear()

    def begin_get(
        self, kind: Kind, url: str, query: Json, *, delay_s: float = 0
    ) -> asyncio.Task[Json]:
        """Ask an address with a query, beside whatever else goes on."""
        address = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
        task = asyncio.create_task(self._send(kind, "GET", address, None, delay_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def post(self, kind: Kind, url: str, body: Json) -> Json:
        """Post JSON; return the row when it is answered or has failed."""
        return await self._send(kind, "POST", url, body, 0)

    async def _send(
        self, kind: Kind, method: str, url: str, body: Json | None, delay_s: float
    ) -> Json:
        await asyncio.sleep(delay_s)
        at, deadline = self._now(), self._switches.number("install_hook_deadline_s")
        status, error = None, None
        try:
            async with (
                asyncio.timeout(deadline),
                self._http.request(method, url, json=body, allow_redirects=False) as response,
            ):
                status = response.status
        except TimeoutError:
            error = f"no answer within {deadline:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            error = f"not delivered: {str(problem) or type(problem).__name__}"
        self._count += 1
        row: Json = {
            "n": self._count,
            "at": at,
            "kind": kind,
            "method": method,
            "url": url,
            "body": body,
            "status": status,
            "error": error,
        }
        self._rows.append(row)
        self._publish("notice", lambda: row)
        return row
