"""The port of the feed: where a connector keeps events until their messenger, or its client, fetches them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from chatbridge.model import FeedEvent


class Listening(Protocol):
    """Somebody who waits for what is new in a feed. It holds no events: they are read from the feed, by position."""

    async def wait(self) -> Sequence[bytes]:
        """Return when there may be something new since the last return; whispers heard meanwhile are given back.

        Read what is there before the first call. A listener that is slow loses whispers, the oldest first, and nothing else.
        """


class Feed(Protocol):
    """The feeds of all messengers: what is appended to one has a position, and is kept for `feed.retention_days`."""

    async def append(self, messenger_id: str, topic: str, key: str, body: bytes) -> int:
        """Append an event; it is on disk when this returns. Return its position.

        Args:
            messenger_id: whose feed.
            topic: the messenger's id of a conversation, "" for none; 255 characters at most.
            key: the feed takes each once; a repeat keeps the position and the body of the first; 255 characters at most.
            body: JSON.

        Raises:
            StoreUnavailable: it was not stored.

        """

    async def read(
        self, messenger_id: str, after: int, limit: int, topic: str | None = None
    ) -> list[FeedEvent]:
        """Return what follows a position, of one topic if it is named.

        Raises:
            StoreUnavailable: the database is away.

        """

    async def newest(
        self, messenger_id: str, topic: str, limit: int, *, before: int | None = None
    ) -> list[FeedEvent]:
        """Return the newest events of a topic, or the newest before a position, oldest first.

        Raises:
            StoreUnavailable: the database is away.

        """

    def listen(
        self, messenger_id: str, topic: str | None = None
    ) -> AbstractContextManager[Listening]:
        """Return somebody who waits for what any node appends or whispers, in one topic if it is named."""

    async def whisper(self, messenger_id: str, topic: str, body: bytes) -> None:
        """Tell those who listen at this moment, on all nodes. It is not kept and may get lost; one of over 7,000 bytes is."""

    def fetched(self, messenger_id: str, position: int) -> None:
        """Take note that the messenger has got its events up to a position: replies among them count as delivered."""
