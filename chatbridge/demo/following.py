"""Follows messages on their way, so that the page sees each step at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from chatbridge.demo.bridge_client import BridgeRefused
from chatbridge.demo.phone import Phone

log = structlog.get_logger()

_LOOKS: Final = (0.03, 0.05, 0.1, 0.2, 0.5)
"""Seconds between looks at a message under way; the last one repeats."""
_FOLLOWED: Final = 20


class Follower:
    """Tells the phone's pages how messages come along."""

    def __init__(self, phone: Phone, timeline: Callable[[str], Awaitable[dict[str, Any]]]) -> None:
        """Look at messages with `timeline`, which raises BridgeRefused for those that the bridge does not know."""
        self._phone, self._timeline = phone, timeline
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Stop following."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def follow(
        self, message_id: str, *, first: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Tell the page about each step of a message until it has arrived or failed; do `first` before."""
        if len(self._tasks) >= _FOLLOWED or message_id in self._tasks:
            return
        task = asyncio.create_task(self._follow(message_id, first), name=f"follow-{message_id}")
        self._tasks[message_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(message_id, None))

    async def _follow(self, message_id: str, first: Callable[[], Awaitable[None]] | None) -> None:
        try:
            if first is not None:
                await first()
            await self._look(message_id)
        except (BridgeRefused, OSError) as error:
            log.warning("message_not_followed", message_id=message_id, reason=type(error).__name__)

    async def _look(self, message_id: str) -> None:
        seen, looks = 0, 0
        while True:
            await asyncio.sleep(_LOOKS[min(looks, len(_LOOKS) - 1)])
            looks += 1
            found = await self._timeline(message_id)
            if len(found["steps"]) > seen:
                seen = len(found["steps"])
                self._phone.tell("timeline", {"id": message_id})
                self._phone.change(message_id, state=found["state"])
            if found["state"] != "queued":
                return


def way_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return a message's way as the page draws it, of what the bridge tells about the message. Pure."""
    steps = [
        {
            "at": step["at"],
            "step": step["step"],
            "attempt": step["attempt"],
            "detail": step["detail"] if step["code"] is None else None,
            "error": step["code"] and {"code": step["code"], "detail": step["detail"]},
        }
        for step in found["timeline"]
    ]
    return {
        "id": found["id"],
        "direction": "in" if found["direction"] == "to_amojo" else "out",
        "state": found["state"],
        "type": found["type"],
        "steps": steps,
    }
