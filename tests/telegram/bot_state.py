"""What Telegram knows of one bot: its chats, messages, files, and the updates that wait for it."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.telegram import values
from tests.telegram.values import Json

DEFAULT_UPDATES = frozenset(
    {"message", "edited_message", "callback_query", "my_chat_member", "poll"}
)
"""What a bot gets that does not say what it wants: reactions have to be asked for ("getUpdates", `allowed_updates`)."""

CLOUD_DOWNLOAD = 20 * 1024 * 1024
CLOUD_UPLOAD = 50 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file that a bot may ask for."""

    size: int
    path: str
    content: bytes | None
    """None for one that is only claimed to be as large as `size`."""


@dataclass(kw_only=True)
class Webhook:
    """Where updates go."""

    url: str
    secret_token: str | None = None
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None


@dataclass(kw_only=True)
class BotState:
    """One bot."""

    token: str
    me: Json
    now: Callable[[], int]
    webhook: Webhook | None = None
    allowed_updates: frozenset[str] = DEFAULT_UPDATES
    updates: list[Json] = field(default_factory=list)
    """Not confirmed yet, in their order."""
    delivered: list[int] = field(default_factory=list)
    """Ids of updates that were confirmed."""
    last_update: Json = field(default_factory=dict)
    messages: dict[tuple[int, int], Json] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    chats: dict[int, Json] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    sent: list[Json] = field(default_factory=list)
    """Messages of the bot, in their order."""
    reactions: list[Json] = field(default_factory=list)
    """Parameters of setMessageReaction."""
    actions: list[Json] = field(default_factory=list)
    """Parameters of sendChatAction."""
    answered: list[str] = field(default_factory=list)
    """Callback queries that were answered."""
    calls: list[str] = field(default_factory=list)
    """Methods in the order in which they were called."""
    poller: asyncio.Event | None = None
    """Set when another getUpdates takes over."""

    def __post_init__(self) -> None:
        self._message_ids = itertools.count(1)
        self._update_ids = itertools.count(100_001)
        self.changed = asyncio.Condition()

    def next_message_id(self) -> int:
        return next(self._message_ids)

    async def add_update(self, kind: str, value: Json) -> int | None:
        """Queue an update, if the bot wants such ones; its id."""
        if kind not in self.allowed_updates:
            return None
        self.last_update = {"update_id": next(self._update_ids), kind: value}
        await self.note(self.updates, self.last_update)
        return int(self.last_update["update_id"])

    async def tell_again(self) -> None:
        """Once the last update was taken, tell it once more, as if the answer had been lost."""
        last = self.last_update
        await self.wait_for(lambda: last not in self.updates)
        await self.note(self.updates, last)

    async def confirm(self, *update_ids: int) -> None:
        """Forget updates."""
        async with self.changed:
            self.updates = [each for each in self.updates if each["update_id"] not in update_ids]
            self.delivered.extend(update_ids)
            self.changed.notify_all()

    async def wait_for(self, condition: Callable[[], Any]) -> None:
        """Return as soon as something holds of this bot."""
        async with asyncio.timeout(30), self.changed:
            await self.changed.wait_for(condition)

    async def note(self, where: list[Any], what: Any) -> None:
        """Add to one of the lists."""
        async with self.changed:
            where.append(what)
            self.changed.notify_all()

    def keep_file(
        self, seed: str, content: bytes | None, *, size: int, suffix: str = "bin"
    ) -> Json:
        """Make a file known; its ids."""
        ids = values.file_ids(f"{self.token} {seed}")
        path = f"files/{ids['file_unique_id']}.{suffix}"
        self.files[ids["file_id"]] = StoredFile(size=size, path=path, content=content)
        return ids


def chat_of(update: Json) -> int:
    """The chat an update belongs to: those of one chat are told one after another."""
    kind = next(name for name in update if name != "update_id")
    value = update[kind]
    owner = (
        value["message"]["chat"]
        if kind == "callback_query"
        else value.get("chat", value.get("from"))
    )
    return int(owner["id"]) if owner else 0
