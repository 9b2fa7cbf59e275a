"""The parts that take what clients do, and what is done about it: one way in for messages, files, marks and typing."""

from collections.abc import Mapping
from dataclasses import dataclass

from chatbridge import ids
from chatbridge.bridge.accepting import Acceptor
from chatbridge.bridge.afterthoughts import Afterthoughts
from chatbridge.bridge.inbound import ClientDoor
from chatbridge.bridge.intake import Intake
from chatbridge.bridge.marks import Marks
from chatbridge.bridge.typing import TypingRelay
from chatbridge.bridge.webhooks import Webhooks
from chatbridge.connectors.base import Connector
from chatbridge.delivery.courier import Courier
from chatbridge.parts.delivery import assemble_marks
from chatbridge.parts.ground import Ground
from chatbridge.parts.media import MediaParts


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageParts:
    """What takes messages, and everything that happens to them afterwards."""

    acceptor: Acceptor
    intake: Intake
    afterthoughts: Afterthoughts
    marks: Marks
    typing: TypingRelay
    inbound: ClientDoor
    """All of these, as connectors see them."""


def assemble_messages(
    ground: Ground,
    connectors: Mapping[str, Connector],
    *,
    media: MediaParts,
    courier: Courier,
    webhooks: Webhooks,
) -> MessageParts:
    """Make every part; what they accept is offered to the courier."""
    store, clock, directory = ground.store, ground.clock, ground.directory
    acceptor = Acceptor(
        store=store, clock=clock, metrics=ground.metrics, queue=courier, copier=media.copier
    )
    intake = Intake(store=store, directory=directory, acceptor=acceptor, uploads=media.uploads)
    afterthoughts = Afterthoughts(
        store=store,
        clock=clock,
        directory=directory,
        acceptor=acceptor,
        uploads=media.uploads,
        new_id=ids.new_uuid,
    )
    marks = assemble_marks(ground, connectors, courier, acceptor)
    typing = TypingRelay(
        directory=directory,
        transport=ground.transport,
        connectors=connectors,
        webhooks=webhooks,
        clock=clock,
        new_id=ids.new_uuid,
    )
    inbound = ClientDoor(
        intake=intake,
        afterthoughts=afterthoughts,
        marks=marks,
        typing=typing,
        uploads=media.uploads,
    )
    return MessageParts(
        acceptor=acceptor,
        intake=intake,
        afterthoughts=afterthoughts,
        marks=marks,
        typing=typing,
        inbound=inbound,
    )
