"""The parts that deliver, and that tell amoCRM how far replies have come."""

import os
import random
import secrets
import socket
from collections.abc import Mapping
from functools import partial

from chatbridge.bridge.accepting import Acceptor
from chatbridge.bridge.attaching import Attachments
from chatbridge.bridge.marks import Marks
from chatbridge.bridge.naming import FarNames
from chatbridge.bridge.reporting import Reporting
from chatbridge.bridge.sending import Sending
from chatbridge.bridge.webhooks import Webhooks
from chatbridge.clock import uptime
from chatbridge.config import Delivery
from chatbridge.connectors.base import Connector, Notice
from chatbridge.delivery.courier import Courier, Limits
from chatbridge.delivery.loader import Window
from chatbridge.delivery.ownership import Alone, Leased, Ownership
from chatbridge.model import Direction, Messenger
from chatbridge.parts.ground import Ground


def assemble_courier(
    ground: Ground,
    connectors: Mapping[str, Connector],
    *,
    attachments: Attachments,
    webhooks: Webhooks,
    ownership: Ownership,
) -> Courier:
    """Make the engine, with a sender for each direction."""
    sending = Sending(
        directory=ground.directory,
        transport=ground.transport,
        connectors=connectors,
        attachments=attachments,
        names=FarNames(ground.store),
        webhooks=webhooks,
        clock=ground.clock,
    )
    courier = Courier(
        store=ground.store,
        clock=ground.clock,
        senders={
            Direction.TO_AMOJO: sending.to_amojo,
            Direction.TO_MESSENGER: sending.to_messenger,
        },
        watcher=ground.metrics,
        jitter=lambda: random.uniform(-1, 1),  # noqa: S311 - spreads retries, guards nothing
        limits=_limits(ground.settings.delivery),
        ownership=ownership,
        follow_up=Reporting(directory=ground.directory, wants=partial(wants, connectors)).follow_up,
    )
    ground.directory.tell(courier.look_up)
    return courier


def wants(connectors: Mapping[str, Connector], messenger: Messenger, notice: Notice) -> bool:
    """Return whether a messenger has asked for a notice, as its connector says."""
    connector = connectors.get(messenger.kind)
    return connector is not None and connector.wants(messenger, notice)


def assemble_marks(
    ground: Ground, connectors: Mapping[str, Connector], courier: Courier, acceptor: Acceptor
) -> Marks:
    """Make what tells amoCRM how far replies have come; it hears of them from the courier."""

    def reports(messenger: Messenger) -> bool:
        connector = connectors.get(messenger.kind)
        return connector is None or connector.capabilities(messenger).reports

    marks = Marks(
        store=ground.store,
        clock=ground.clock,
        directory=ground.directory,
        acceptor=acceptor,
        partitions=lambda: courier.partitions,
        reports=reports,
    )
    courier.tell(marks.ended)
    return marks


def _limits(delivery: Delivery) -> Limits:
    return Limits(
        window=Window(entries=delivery.window, bytes=delivery.window_bytes),
        at_once=delivery.at_once,
        at_once_each=delivery.at_once_each,
    )


def ownership_of(ground: Ground) -> Ownership:
    """Return how this process knows what it delivers."""
    if not ground.store.shared:
        return Alone()
    node = f"{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
    return Leased(store=ground.store, clock=ground.clock, node=node, uptime=uptime)
