"""Who waits for news of feeds. A wake is a flag, so however slow somebody is, it takes no memory; whispers are few and bounded."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

_WHISPERS: Final = 32
"""Whispers that a listener has not heard yet at most; then the oldest are lost."""


class Listener:
    """Somebody who waits."""

    def __init__(self) -> None:
        """Begin without news."""
        self._news = asyncio.Event()
        self._whispers: deque[bytes] = deque(maxlen=_WHISPERS)

    async def wait(self) -> list[bytes]:
        """Return when there may be something new since the last return; whispers heard meanwhile are given back."""
        await self._news.wait()
        self._news.clear()
        heard = list(self._whispers)
        self._whispers.clear()
        return heard

    def wake(self, whisper: bytes | None = None) -> None:
        """Say that there may be something new."""
        if whisper is not None:
            self._whispers.append(whisper)
        self._news.set()


class Listeners:
    """All who wait at this node, by messenger and topic; those who listen to all topics of a messenger under None."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: dict[tuple[str, str | None], set[Listener]] = {}

    @contextmanager
    def listening(self, messenger_id: str, topic: str | None) -> Iterator[Listener]:
        """Let somebody listen for a while."""
        listener, place = Listener(), (messenger_id, topic)
        self._waiting.setdefault(place, set()).add(listener)
        try:
            yield listener
        finally:
            self._waiting[place].discard(listener)
            if not self._waiting[place]:
                del self._waiting[place]

    def wake(self, places: Iterable[tuple[str, str]], whisper: bytes | None = None) -> None:
        """Wake those who listen to these topics of messengers, or to all of theirs."""
        for messenger_id, topic in places:
            for place in ((messenger_id, topic), (messenger_id, None)):
                for listener in self._waiting.get(place, ()):
                    listener.wake(whisper)

    def wake_all(self) -> None:
        """Wake everybody."""
        for listeners in self._waiting.values():
            for listener in listeners:
                listener.wake()
