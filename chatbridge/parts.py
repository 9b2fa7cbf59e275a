"""The parts of a server, each handed its collaborators: the only place where they are wired together."""

import os
import random
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from chatbridge import __version__, ids
from chatbridge.bridge.accepting import Acceptor
from chatbridge.bridge.afterthoughts import Afterthoughts
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.heartbeat import Heartbeat
from chatbridge.bridge.histories import Histories
from chatbridge.bridge.intake import Intake
from chatbridge.bridge.linking import Linking
from chatbridge.bridge.marks import Marks
from chatbridge.bridge.parking import Parking
from chatbridge.bridge.recovery import Recovery
from chatbridge.bridge.replies import Replies
from chatbridge.bridge.sending import Sending
from chatbridge.bridge.spooling import Spool
from chatbridge.bridge.typing import TypingRelay
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.session import SessionTransport
from chatbridge.clients.thin import ThinTransport
from chatbridge.clients.transport import TransportLimits, open_transport
from chatbridge.clock import Clock, uptime
from chatbridge.config import Delivery, Network, Settings, StoreSettings
from chatbridge.connectors.backend.connector import BackendConnector
from chatbridge.connectors.base import Connector
from chatbridge.delivery.courier import Courier, Limits
from chatbridge.delivery.loader import Window
from chatbridge.delivery.ownership import Alone, Leased, Ownership
from chatbridge.model import Direction, Messenger
from chatbridge.observability.metrics import Metrics
from chatbridge.protocol.http import Transport
from chatbridge.store.engine import Store, open_store
from chatbridge.store.sealing import Sealer
from chatbridge.web.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that a server is made of, but for its web side."""

    metrics: Metrics
    store: Store
    guard: AddressGuard
    transport: ThinTransport | SessionTransport
    directory: Directory
    connectors: Mapping[str, Connector]
    ownership: Ownership
    courier: Courier
    acceptor: Acceptor
    marks: Marks
    typing: TypingRelay
    replies: Replies


def assemble(settings: Settings, clock: Clock, *, worker: int | None) -> Parts:
    """Make every part. Nothing is opened yet.

    Args:
        settings: what the parts are told.
        clock: theirs.
        worker: see `Metrics`.

    Raises:
        ConfigurationError: a setting is wrong.

    """
    metrics, guard = Metrics(worker), AddressGuard.allowing(settings.network.allow)
    store = _store(settings.store)
    transport = _transport(settings.network, guard)
    directory = Directory(store, Sealer(settings.secret_keys), clock)
    connectors: dict[str, Connector] = {
        connector.kind: connector for connector in (BackendConnector(transport),)
    }
    sending = Sending(directory=directory, transport=transport, connectors=connectors, clock=clock)
    ownership = _ownership(store, clock)
    courier = _courier(
        settings.delivery,
        store=store,
        clock=clock,
        sending=sending,
        metrics=metrics,
        ownership=ownership,
    )
    acceptor = Acceptor(store=store, clock=clock, metrics=metrics, queue=courier)
    typing = _typing(connectors, directory=directory, transport=transport, clock=clock)
    return Parts(
        metrics=metrics,
        store=store,
        guard=guard,
        transport=transport,
        directory=directory,
        connectors=connectors,
        ownership=ownership,
        courier=courier,
        acceptor=acceptor,
        typing=typing,
        marks=_marks(
            connectors, courier, store=store, clock=clock, directory=directory, acceptor=acceptor
        ),
        replies=_replies(
            settings,
            store=store,
            clock=clock,
            directory=directory,
            transport=transport,
            acceptor=acceptor,
            typing=typing,
            metrics=metrics,
            courier=courier,
        ),
    )


def _store(settings: StoreSettings) -> Store:
    return open_store(
        settings.url, synchronous=settings.synchronous, connections=settings.connections
    )


def _typing(
    connectors: Mapping[str, Connector], *, directory: Directory, transport: Transport, clock: Clock
) -> TypingRelay:
    return TypingRelay(
        directory=directory,
        transport=transport,
        connectors=connectors,
        clock=clock,
        new_id=ids.new_uuid,
    )


def _replies(
    settings: Settings,
    *,
    store: Store,
    clock: Clock,
    directory: Directory,
    transport: Transport,
    acceptor: Acceptor,
    typing: TypingRelay,
    metrics: Metrics,
    courier: Courier,
) -> Replies:
    """Return what takes callbacks; what stands against their loss hears of gaps from the heartbeat."""
    heartbeat = Heartbeat(store=store, clock=clock, tolerance=settings.recovery.tolerance)
    spool = Spool(
        folder=settings.spool.folder,
        limit=settings.spool.max_bytes,
        clock=clock,
        metrics=metrics,
        new_id=ids.new_uuid,
        refused=heartbeat.refused,
    )
    intake = Intake(
        store=store,
        clock=clock,
        directory=directory,
        metrics=metrics,
        acceptor=acceptor,
        typists=typing,
        spool=spool,
        new_id=ids.new_uuid,
    )
    rate = settings.recovery.calls_per_second
    recovery = Recovery(
        store=store,
        clock=clock,
        directory=directory,
        histories=Histories(directory=directory, transport=transport, clock=clock, rate=rate),
        intake=intake,
        partitions=lambda: courier.partitions,
        days=settings.recovery.days,
    )
    heartbeat.tell(recovery.wake)
    return Replies(
        acceptor=acceptor, intake=intake, spool=spool, heartbeat=heartbeat, recovery=recovery
    )


def _courier(
    delivery: Delivery,
    *,
    store: Store,
    clock: Clock,
    sending: Sending,
    metrics: Metrics,
    ownership: Ownership,
) -> Courier:
    return Courier(
        store=store,
        clock=clock,
        senders={
            Direction.TO_AMOJO: sending.to_amojo,
            Direction.TO_MESSENGER: sending.to_messenger,
        },
        watcher=metrics,
        jitter=lambda: random.uniform(-1, 1),  # noqa: S311 - spreads retries, guards nothing
        limits=_limits(delivery),
        ownership=ownership,
    )


def _marks(
    connectors: Mapping[str, Connector],
    courier: Courier,
    *,
    store: Store,
    clock: Clock,
    directory: Directory,
    acceptor: Acceptor,
) -> Marks:
    """Return what tells amoCRM how far replies have come; it hears of them from the courier."""

    def reports(messenger: Messenger) -> bool:
        connector = connectors.get(messenger.kind)
        return connector is None or connector.capabilities(messenger).reports

    marks = Marks(
        store=store,
        clock=clock,
        directory=directory,
        acceptor=acceptor,
        partitions=lambda: courier.partitions,
        reports=reports,
    )
    courier.tell(marks.ended)
    return marks


def services_of(parts: Parts, settings: Settings, clock: Clock) -> Services:
    """Return what the web side works with."""
    directory, transport, store, courier = (
        parts.directory,
        parts.transport,
        parts.store,
        parts.courier,
    )
    return Services(
        public_url=settings.public_url,
        admin_token=settings.admin_token.get_secret_value(),
        default_base_url=settings.amojo.base_url,
        body_limit=settings.http.body_limit,
        body_timeout=settings.http.body_timeout,
        kinds=frozenset(parts.connectors),
        refusal_of_url=parts.guard.refusal_of_url,
        clock=clock,
        store=store,
        directory=directory,
        intake=parts.replies.intake,
        linking=Linking(directory=directory, transport=transport, clock=clock),
        parking=Parking(store=store, clock=clock, look_up=partial(courier.look_up, again=True)),
        marks=parts.marks,
        afterthoughts=Afterthoughts(
            store=store,
            clock=clock,
            directory=directory,
            acceptor=parts.acceptor,
            new_id=ids.new_uuid,
        ),
        typing=parts.typing,
        recovery=parts.replies.recovery,
        heartbeat=parts.replies.heartbeat,
        courier=courier,
        metrics=parts.metrics,
    )


def _transport(network: Network, guard: AddressGuard) -> ThinTransport | SessionTransport:
    limits = TransportLimits(
        connect_timeout=network.connect_timeout,
        total_timeout=network.total_timeout,
        connections=network.connections,
        connections_per_host=network.connections_per_host,
    )
    return open_transport(
        network.transport,
        guard,
        limits,
        user_agent=f"chatbridge/{__version__}",
        proxy=network.proxy.get_secret_value(),
    )


def _limits(delivery: Delivery) -> Limits:
    return Limits(
        window=Window(entries=delivery.window, bytes=delivery.window_bytes),
        at_once=delivery.at_once,
        at_once_each=delivery.at_once_each,
    )


def _ownership(store: Store, clock: Clock) -> Ownership:
    """Return how this process knows what it delivers."""
    if not store.shared:
        return Alone()
    node = f"{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
    return Leased(store=store, clock=clock, node=node, uptime=uptime)
