"""What all parts stand on: the settings, the clock, the database, the directory, and the way out."""

from dataclasses import dataclass
from typing import Final

from chatbridge import __version__
from chatbridge.bridge.directory import Directory
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.guarded import GuardedClient
from chatbridge.clients.outgoing import Proxy
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
    http: GuardedClient
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
    limits = _limits(settings.network)
    proxy = settings.network.proxy.get_secret_value()
    return Ground(
        settings=settings,
        clock=clock,
        metrics=Metrics(worker),
        guard=guard,
        store=store,
        transport=transport_of(settings.network),
        http=GuardedClient(guard, limits, user_agent=USER_AGENT, proxy=Proxy.at(proxy)),
        directory=Directory(store, Sealer(settings.secret_keys), clock),
    )


def transport_of(network: Network) -> ThinTransport | SessionTransport:
    """Make the way out that the settings name; it is to be started."""
    return open_transport(
        network.transport,
        AddressGuard.allowing(network.allow),
        _limits(network),
        user_agent=USER_AGENT,
        proxy=network.proxy.get_secret_value(),
    )


def _limits(network: Network) -> TransportLimits:
    return TransportLimits(
        connect_timeout=network.connect_timeout,
        total_timeout=network.total_timeout,
        connections=network.connections,
        connections_per_host=network.connections_per_host,
    )
