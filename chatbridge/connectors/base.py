"""The port of a connector: what it is given, and what it gives back."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from chatbridge.model import Link, Message, Messenger


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An operator's message on its way to a messenger."""

    id: str
    """The same over all attempts: the receiver's key against repeats."""
    messenger: Messenger
    link: Link
    message: Message
    now: int
    """The time of this attempt, microseconds."""
    allowed: Callable[[], bool]
    """To be asked right before anything leaves: whether this server may still deliver it (another node may have taken over)."""


class Connector(Protocol):
    """Delivers operators' messages to messengers of one kind."""

    @property
    def kind(self) -> str:
        """Return the word by which a messenger asks for this connector."""

    async def send(self, delivery: Delivery) -> str | None:
        """Deliver one message; return the messenger's id of it where it gives one.

        Raises:
            DeliveryError: it did not arrive, or may not have.

        """
