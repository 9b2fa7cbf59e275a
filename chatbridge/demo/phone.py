"""What the client's phone shows, and who is watching it."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

_KEPT: Final = 500
_UNREAD: Final = 200
"""Events a page may be behind; a slower page is cut off and fetches everything again."""

Shown = dict[str, Any]
"""A message as the page draws it."""


class Phone:
    """The messages of the demo's one client."""

    def __init__(self, *, conversation_id: str, client: dict[str, str]) -> None:
        """Begin with an empty conversation."""
        self.conversation_id = conversation_id
        self.blocked = False
        self.client = client
        self._messages: OrderedDict[str, Shown] = OrderedDict()
        self._watchers: set[asyncio.Queue[tuple[str, Any] | None]] = set()

    def messages(self) -> list[Shown]:
        """Return what the phone shows, oldest first."""
        return list(self._messages.values())

    def find(self, message_id: object) -> Shown | None:
        """Return a shown message."""
        return self._messages.get(message_id) if isinstance(message_id, str) else None

    def knows(self, message_id: str) -> bool:
        """Return whether the phone shows this message."""
        return message_id in self._messages

    def show(self, message: Shown) -> None:
        """Show a new message, or a changed one at its place."""
        self._messages[message["id"]] = message
        while len(self._messages) > _KEPT:
            self._messages.popitem(last=False)
        self.tell("message", message)

    def change(self, message_id: str, **members: Any) -> None:
        """Change members of a shown message."""
        message = self._messages.get(message_id)
        if message is not None and message != message | members:
            self.show(message | members)

    def block(self, *, blocked: bool) -> None:
        """Let no operator's message through any more, or let them through again."""
        self.blocked = blocked
        self.tell("blocked", {"blocked": blocked})

    def react(self, message_id: str, user: str, emoji: str | None) -> None:
        """Show somebody's reaction to a message, or none any more: each has one at most."""
        message = self._messages.get(message_id)
        if message is not None:
            others = [one for one in message["reactions"] if one["user"] != user]
            own = [] if emoji is None else [{"user": user, "emoji": emoji}]
            self.show(message | {"reactions": others + own})

    def unread(self) -> list[str]:
        """Return the ids of operators' messages that have arrived and that the client has not seen."""
        return [
            message["id"]
            for message in self._messages.values()
            if message["direction"] == "out" and message["state"] == "delivered"
        ]

    def tell(self, event: str, data: Any) -> None:
        """Tell every watching page."""
        for watcher in list(self._watchers):
            if watcher.full():
                self._watchers.discard(watcher)
                watcher.get_nowait()
                watcher.put_nowait(None)
            else:
                watcher.put_nowait((event, data))

    def close(self) -> None:
        """Let every watching page go."""
        for watcher in self._watchers:
            if not watcher.full():
                watcher.put_nowait(None)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["asyncio.Queue[tuple[str, Any] | None]"]:
        """Give events to a page; None tells it that it was too slow."""
        watcher: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue(_UNREAD)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
