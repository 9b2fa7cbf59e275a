"""What all parts stand on: the settings, the clock, the database, the directory, and the way out."""

from dataclasses import dataclass
from typing import Final

from chatbridge import __version__
from chatbridge.bridge.directory import Directory
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.session import SessionTransport
from chatbridge.clients.thin import ThinTransport
from chatbridge.clients.transport import TransportLimits, open_transport
from chatbridge.clock import Clock
from chatbridge.config import Network, Settings
from chatbridge.observability.metrics import Metrics
from chatbridge.store.engine import Store, open_store
from chatbridge.store.sealing import Sealer

USER_AGENT: Final = f"chatbridge/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all parts stand on."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    guard: AddressGuard
    store: Store
    transport: ThinTransport | SessionTransport
    directory: Directory


def lay(settings: Settings, clock: Clock, *, worker: int | None) -> Ground:
    """Make what all parts stand on. Nothing is opened yet.

    Raises:
        ConfigurationError: a setting is wrong.

    """
    guard = AddressGuard.allowing(settings.network.allow)
    store = open_store(
        settings.store.url,
        synchronous=settings.store.synchronous,
        connections=settings.store.connections,
    )
    return Ground(
        settings=settings,
        clock=clock,
        metrics=Metrics(worker),
        guard=guard,
        store=store,
        transport=_transport(settings.network, guard),
        directory=Directory(store, Sealer(settings.secret_keys), clock),
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
        user_agent=USER_AGENT,
        proxy=network.proxy.get_secret_value(),
    )
