"""The port of a connector: what it is given, and what it gives back."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from chatbridge.connectors.capabilities import Capabilities
from chatbridge.errors import MediaGone
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

    message_ids: tuple[str, ...] = ()
    """Its own ids of a message, where it gives any: several if it was sent as several, the main one first. Each is the
    messenger's only message of this id, and a message of it may be named by each from now on."""
    conversation_id: str | None = None
    """Its own id of a conversation that an operator began."""


class Download(Protocol):
    """A file that is coming."""

    @property
    def size(self) -> int | None:
        """Return how many bytes it is said to have."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield its bytes as they come.

        Raises:
            MediaError: they stop coming.

        """


class Connector(Protocol):
    """Delivers what operators do to messengers of one kind."""

    @property
    def kind(self) -> str:
        """Return the word by which a messenger asks for this connector."""

    @property
    def names_messages(self) -> bool:
        """Return whether messengers give messages ids of their own (`Taken.message_ids`): quotes and reactions name them by these."""
        return False

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what this messenger can take."""

    async def send(self, delivery: Delivery) -> Taken:
        """Deliver one event.

        Raises:
            DeliveryError: it did not arrive, or may not have.

        """

    def fetch(self, messenger: Messenger, ref: str) -> AbstractAsyncContextManager[Download]:  # noqa: ARG002 - for those that give out files
        """Give a file that has no link, by the messenger's own name of it (`Content.media_ref`).

        What the messenger itself says is too large is refused before any of it is fetched.

        Raises:
            MediaError: it is not given out. The sentence stands in timelines and names no secret.

        """
        raise MediaGone(f"messengers of kind {self.kind!r} give out no files by name")
