"""The port of a connector: what it is asked, and what it gives back. docs/howto/add-a-connector.md shows how to write one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import ClassVar

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from chatbridge.connectors.capabilities import EVERYTHING, Capabilities
from chatbridge.connectors.host import Download, Host, Inbound
from chatbridge.errors import InvalidFields, MediaGone
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

    message_ids: tuple[str, ...] = ()
    """Its own ids of a message, where it gives any: several if it was sent as several, the main one first. No other message of this
    messenger has them, and clients may name this one by each (see `Connector.names_messages`)."""
    conversation_id: str | None = None
    """Its own id of a conversation that an operator began."""
    waiting: bool = False
    """Nobody has it yet: it waits in the messenger's feed."""


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


class MessengerSettings(BaseModel):
    """What is set up about a messenger of one kind. Members of type `SecretStr` are sealed in the database, and never shown again."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Connector(ABC):
    """The connector for messengers of one kind: one object serves all of them.

    `start` is called before anything else that does I/O, but for `check`; `stop` after everything.
    """

    kind: ClassVar[str]
    """The word by which a messenger asks for this connector."""
    settings: ClassVar[type[MessengerSettings]] = MessengerSettings
    """What a messenger of this kind may be told."""
    names_messages: ClassVar[bool] = False
    """Whether messengers give messages ids of their own (`Taken.message_ids`): what operators quote and react to is named by these."""

    def __init__(self, host: Host) -> None:
        """Prepare; no I/O yet."""
        self.host = host

    def capabilities(self, messenger: Messenger) -> Capabilities:  # noqa: ARG002 - others look at it
        """Return what this messenger can take. It is asked for every message: no I/O."""
        return EVERYTHING

    def wants(self, messenger: Messenger, notice: Notice) -> bool:  # noqa: ARG002
        """Return whether this messenger has asked for a notice; others are never sent to it. No I/O."""
        return False

    async def check(self, messenger: Messenger) -> None:
        """See to it that a messenger that is about to be made or changed will work, asking the far side if need be.

        Raises:
            InvalidFields: it will not; the pointers say which member, such as `/settings/token`.
            FarSideUnreachable: nobody can say at the moment.

        """
        if messenger.webhook_url is not None:
            raise InvalidFields(
                fields={"/webhook_url": f"messengers of kind {self.kind} have no webhook"}
            )

    async def test(self, messenger: Messenger) -> Tested:  # noqa: ARG002
        """Try now whether the messenger can be reached. Nothing of it is kept, and clients notice nothing."""
        return Tested(ok=False, detail=f"There is no test for messengers of kind {self.kind}.")

    @abstractmethod
    async def send(self, delivery: Delivery) -> Taken:
        """Deliver one event. Within a conversation one is sent after the other, each until it is taken or given up.

        Raises:
            DeliveryError: it did not arrive, or may not have. Its kind decides what follows: see `errors`.

        """

    def fetch(self, messenger: Messenger, ref: str) -> AbstractAsyncContextManager[Download]:  # noqa: ARG002
        """Give the file that a client's message names with `media_ref`; the block may raise MediaError, or what `Host.http` raises.

        What the messenger itself says is too large is refused before any of it is fetched. The sentence of an error stands in
        timelines: it names no secret.

        Raises:
            MediaGone: there is none.

        """
        raise MediaGone(f"messengers of kind {self.kind} keep no files")

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return the addresses at which the far side calls; all of them below `/connectors/{kind}/`."""
        return ()

    async def start(self, inbound: Inbound) -> None:  # noqa: B027
        """Begin; clients' messages go to `inbound`. Return soon: what takes long is done in tasks."""

    async def look_after(self, messengers: Sequence[Messenger]) -> None:  # noqa: B027
        """Look after these messengers, and after no others any more, until told anew.

        Of several nodes each is told other ones, so that what must not be done twice (polling, watching) is done once. Called whenever
        that changes, or one of the messengers; with none before the server stops. A fault of one must not keep from the others.
        """

    async def stop(self) -> None:  # noqa: B027
        """End everything."""
