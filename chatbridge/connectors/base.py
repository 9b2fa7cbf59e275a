"""The port of a connector: what it is given, and what it gives back."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from chatbridge.connectors.capabilities import Capabilities
from chatbridge.model import Link, Message, Messenger, Reaction, Started, Typing


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something for a messenger on its way."""

    id: str
    """The same over all attempts: the receiver's key against repeats."""
    messenger: Messenger
    link: Link
    event: Message | Reaction | Started | Typing
    """What an operator does; a message as far as the messenger's capabilities go."""
    now: int
    """The time of this attempt, microseconds."""
    allowed: Callable[[], bool]
    """To be asked right before anything leaves: whether this server may still deliver it (another node may have taken over)."""


class Taken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a messenger says of something it took."""

    message_id: str | None = None
    """Its own id of a message, where it gives one."""
    conversation_id: str | None = None
    """Its own id of a conversation that an operator began."""
    waiting: bool = False
    """Nobody has it yet: it waits in the messenger's feed."""


class Connector(Protocol):
    """Delivers what operators do to messengers of one kind."""

    @property
    def kind(self) -> str:
        """Return the word by which a messenger asks for this connector."""

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what this messenger can take."""

    async def send(self, delivery: Delivery) -> Taken:
        """Deliver one event.

        Raises:
            DeliveryError: it did not arrive, or may not have.

        """
