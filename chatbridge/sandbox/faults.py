"""What goes wrong on purpose, counted and perhaps for one conversation, or one call, only."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from chatbridge.sandbox.refusals import bad_signature
from chatbridge.sandbox.state import Publish
from chatbridge.sandbox.switches import Switches

AFTER_COMMIT = frozenset({"slow", "lost_answer", "truncated"})


class Faults:
    """Decides per accepted request which fault, if any, hits it.

    `name` is the switch that says what goes wrong, with `…_requests` beside it; `only` the one that aims it.
    """

    def __init__(self, switches: Switches, publish: Publish, name: str, only: str) -> None:
        self._switches = switches
        self._publish = publish
        self._name, self._requests, self._only = name, f"{name}_requests", only

    def take(self, aim: Callable[[], str | None]) -> str:
        """Return the fault for this request ("none" mostly) and count it."""
        fault, only = self._switches.text(self._name), self._switches.text(self._only)
        if fault == "none" or (only and only != aim()):
            return "none"
        left = int(self._switches.number(self._requests))
        if left == 1:
            self._switches.change({self._name: "none", self._requests: 0})
            self._publish("switches", self._switches.values)
        elif left > 1:
            self._switches.change({self._requests: left - 1})
        return fault

    def instead(self, fault: str) -> web.Response | None:
        """Return the answer given instead of doing the call; None: do it."""
        if fault == "none" or fault in AFTER_COMMIT:
            return None
        if fault == "forbidden":
            return bad_signature("").response()
        retry_after = f"{self._switches.number('fault_retry_after_s'):g}"
        headers = {"Retry-After": retry_after} if fault == "429" else {}
        return web.Response(status=int(fault), headers=headers)

    async def afterwards(
        self, fault: str, request: web.Request, response: web.Response
    ) -> web.Response:
        """Spoil the answer of a call that is done."""
        if fault == "slow":
            await asyncio.sleep(self._switches.number("fault_delay_s"))
        if fault == "lost_answer" and request.transport is not None:
            request.transport.abort()
        if fault == "truncated" and isinstance(response.body, bytes):
            half = response.body[: len(response.body) // 2]
            return web.Response(status=response.status, body=half, content_type="application/json")
        return response
