"""Names operators' messages as messengers know them: some give what they take ids of their own."""

from typing import Final, TypeVar

from msgspec.structs import replace

from chatbridge.bridge.accepting import entry_key
from chatbridge.errors import NotSent, StoreUnavailable
from chatbridge.model import Direction, Event, Kind, Message, Messenger, Reaction
from chatbridge.store import far_ids
from chatbridge.store.engine import Store

_REMEMBERED: Final = 10_000
"""Messages remembered that a messenger named a moment ago: their names may not be recorded yet."""

Said = TypeVar("Said", bound=Event)


class FarNames:
    """What messengers call operators' messages."""

    def __init__(self, store: Store) -> None:
        """Look them up in `store`."""
        self._store = store
        self._lately: dict[bytes, str] = {}

    def remember(self, key: bytes, far_id: str) -> None:
        """Take note of what a messenger calls the message that was accepted under this key."""
        if len(self._lately) >= _REMEMBERED:
            self._lately.clear()
        self._lately[key] = far_id

    async def put_into(self, event: Said, messenger: Messenger) -> Said:
        """Return what an operator does with the messenger's own id of the message that it is about.

        Raises:
            NotSent: the database is away, so nobody knows.

        """
        if isinstance(event, Message) and event.reply_to is not None:
            far_id = await self._find(messenger, event.reply_to)
            return event if far_id is None else replace(event, reply_to=far_id)
        if isinstance(event, Reaction) and event.message_id is None and event.amojo_message_id:
            far_id = await self._find(messenger, event.amojo_message_id)
            return event if far_id is None else replace(event, message_id=far_id)
        return event

    async def _find(self, messenger: Messenger, amojo_id: str) -> str | None:
        key = entry_key(messenger, Direction.TO_MESSENGER, Kind.MESSAGE, amojo_id)
        try:
            return self._lately.get(key) or await self._store.read(far_ids.find, key)
        except StoreUnavailable as error:
            raise NotSent(
                "not sent: the database does not say what the messenger calls it"
            ) from error
