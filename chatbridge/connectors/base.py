"""The port of a connector: what it is given, and what it gives back."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec

from chatbridge.connectors.capabilities import Capabilities
from chatbridge.model import (
    Link,
    LinkEvent,
    Message,
    Messenger,
    Reaction,
    Report,
    Started,
    Typing,
)

Deliverable = Message | Reaction | Started | Report | LinkEvent | Typing
"""What may be on its way to a messenger."""


class Notice(StrEnum):
    """What a messenger is told only if it asks for it."""

    MESSAGE_STATUS = "message.status"
    """What became of its clients' messages on their way to amoCRM."""
    LINK_CONNECTED = "link.connected"
    LINK_DISCONNECTED = "link.disconnected"


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something for a messenger on its way."""

    id: str
    """The same over all attempts: the receiver's key against repeats."""
    messenger: Messenger
    link: Link
    event: Deliverable
    """What an operator does, or a notice; a message as far as the messenger's capabilities go."""
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


class Tested(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of trying whether a messenger can be reached."""

    ok: bool
    status: int | None = None
    """Of HTTP, if there was an answer."""
    ms: int = 0
    """How long it took."""
    code: str | None = None
    """Of the error, if it failed with one."""
    detail: str
    """What happened."""
    fix: str | None = None
    """What to do about it."""


class Connector(Protocol):
    """Delivers what operators do to messengers of one kind."""

    @property
    def kind(self) -> str:
        """Return the word by which a messenger asks for this connector."""

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what this messenger can take."""

    def wants(self, messenger: Messenger, notice: Notice) -> bool:
        """Return whether this messenger has asked for a notice. It is asked for every message: no I/O."""

    async def send(self, delivery: Delivery) -> Taken:
        """Deliver one event.

        Raises:
            DeliveryError: it did not arrive, or may not have.

        """

    async def test(self, messenger: Messenger) -> Tested:
        """Try now whether the messenger can be reached. Nothing of it is kept, and clients notice nothing."""
