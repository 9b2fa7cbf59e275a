"""One walk through the histories of conversations: who was asked, who has to be asked again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final

import structlog

from chatbridge.bridge.callbacks import Callbacks
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.histories import Histories
from chatbridge.errors import DeliveryError, Disposition, StoreUnavailable
from chatbridge.model import HookVersion, Link, LinkState
from chatbridge.store.recoveries import Active, Recovery

log = structlog.get_logger()

MARGIN: Final = 300 * 1_000_000
"""Microseconds by which a stretch is looked into beyond its ends: amoCRM's clock is another, and its callbacks may be late."""

_AT_ONCE: Final = 4
"""Conversations that are asked at the same time."""
_TELLING: Final = 4
"""Failures in a row after which the other conversations of a link are left for later."""
_LONGEST: Final = 900.0
"""Seconds that amoCRM is left alone at most, however long it asks for."""
_FINAL: Final = frozenset({Disposition.MISUSE, Disposition.REJECT, Disposition.ARRIVED})


class Walk:
    """The walk of one recovery."""

    def __init__(
        self,
        recovery: Recovery,
        *,
        directory: Directory,
        histories: Histories,
        callbacks: Callbacks,
    ) -> None:
        """Begin with nobody asked."""
        self.recovery = recovery
        self.read = 0
        """Conversations whose history was read."""
        self.refused = 0
        """Conversations whose history amoCRM will not give."""
        self.wait = 0.0
        """Seconds for which amoCRM asked to be left alone."""
        self._directory, self._histories, self._callbacks = directory, histories, callbacks
        self._ended: set[Active] = set()
        self._under_way: dict[Active, asyncio.Task[bool]] = {}

    async def go(self, pages: AsyncIterator[Sequence[Active]]) -> list[Active]:
        """Ask each of these conversations once; return those that have to be asked again."""
        left: dict[Active, None] = {}
        failures: Counter[int] = Counter()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask(conversation: Active) -> None:
            async with gate:
                link_id = conversation.link_id
                if not self.is_unasked(conversation):
                    return
                if failures[link_id] < _TELLING and await self.ask(conversation):
                    failures[link_id] = 0
                else:
                    failures[link_id] += 1
                    left[conversation] = None

        self.wait = 0.0
        async for page in pages:
            await asyncio.gather(*(ask(one) for one in page if one not in left))
        return list(left)

    def ask(self, conversation: Active) -> asyncio.Task[bool]:
        """Begin to take what is missing of a conversation, or go on with it; it returns False if it has to be asked again."""
        task = self._under_way.get(conversation)
        if task is None:
            task = asyncio.create_task(self._ask(conversation), name="history")
            self._under_way[conversation] = task
            task.add_done_callback(lambda _: self._under_way.pop(conversation))
        return task

    def is_unasked(self, conversation: Active) -> bool:
        """Return whether a conversation belongs to this walk, and was not asked to the end."""
        link = self._directory.find_link_by_id(conversation.link_id)
        known = link is not None and is_asked_for(link, self.recovery)
        return known and conversation not in self._ended

    async def _ask(self, conversation: Active) -> bool:
        link = self._directory.link_by_id(conversation.link_id)
        row = self.recovery
        try:
            # What was said before the link was made here was somebody else's to deliver.
            replies = await self._histories.replies(
                conversation,
                since=max(row.from_at - MARGIN, link.created_at),
                until=row.to_at + MARGIN,
            )
            for message in replies:
                await self._callbacks.take_recovered(link, message, row.id)
        except StoreUnavailable:
            return False
        except DeliveryError as error:
            log.warning("history_not_read", scope_id=link.scope_id, code=error.code)
            if error.disposition not in _FINAL:
                self.wait = min(max(self.wait, error.retry_after or 0), _LONGEST)
                return False
            self.refused += 1
        else:
            self.read += 1
        self._ended.add(conversation)
        return True


def is_asked_for(link: Link, recovery: Recovery) -> bool:
    """Return whether the conversations of a link are to be asked.

    Callbacks v1 have no ids: what is found could not be told from what was delivered.
    """
    return (
        link.state is LinkState.CONNECTED
        and link.hook_version is HookVersion.V2
        and recovery.scope_id in {None, link.scope_id}
    )
