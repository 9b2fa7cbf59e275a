"""The composition root: settings in, a running server out. The only place where the parts are wired together."""

import asyncio
import gc
import os
import random
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog
from aiohttp import web

from chatbridge import __version__, ids
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.intake import Intake
from chatbridge.bridge.linking import Linking
from chatbridge.bridge.parking import Parking
from chatbridge.bridge.sending import Sending
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.session import SessionTransport
from chatbridge.clients.thin import ThinTransport
from chatbridge.clients.transport import TransportLimits, open_transport
from chatbridge.clock import Clock, SystemClock, uptime
from chatbridge.config import Settings
from chatbridge.connectors.backend.connector import BackendConnector
from chatbridge.delivery.courier import Courier, Limits
from chatbridge.delivery.loader import Window
from chatbridge.delivery.ownership import Alone, Leased, Ownership
from chatbridge.model import Direction
from chatbridge.observability.metrics import FOLDER, Metrics
from chatbridge.store import migrations
from chatbridge.store.dialect import Topic
from chatbridge.store.engine import Store, open_store
from chatbridge.store.sealing import Sealer
from chatbridge.web import listening
from chatbridge.web.draining import attend
from chatbridge.web.health import memory_shown
from chatbridge.web.listening import listen
from chatbridge.web.middlewares import answer_errors, observe
from chatbridge.web.openapi import build_openapi
from chatbridge.web.routes import ENDPOINTS, add_routes
from chatbridge.web.services import OPENAPI, SERVICES, Services
from chatbridge.web.sockets import open_sockets

log = structlog.get_logger()

_CUT_OFF: Final = 0.1
"""Seconds for requests that are still being answered when their grace is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    store: Store
    transport: ThinTransport | SessionTransport
    directory: Directory
    intake: Intake
    courier: Courier
    ownership: Ownership
    services: Services


def _assemble(settings: Settings, clock: Clock) -> _Parts:
    """Make every part and hand each its collaborators. Nothing is opened yet."""
    metrics = Metrics(os.environ.get(FOLDER))
    store = open_store(
        settings.store.url,
        synchronous=settings.store.synchronous,
        connections=settings.store.connections,
    )
    guard = AddressGuard.allowing(settings.network.allow)
    limits = TransportLimits(
        connect_timeout=settings.network.connect_timeout,
        total_timeout=settings.network.total_timeout,
        connections=settings.network.connections,
        connections_per_host=settings.network.connections_per_host,
    )
    transport = open_transport(
        settings.network.transport,
        guard,
        limits,
        user_agent=f"chatbridge/{__version__}",
        proxy=settings.network.proxy.get_secret_value(),
    )
    directory = Directory(store, Sealer(settings.secret_keys), clock)
    connectors = {connector.kind: connector for connector in (BackendConnector(transport),)}
    sending = Sending(directory=directory, transport=transport, connectors=connectors, clock=clock)
    ownership = _ownership(store, clock)
    courier = Courier(
        store=store,
        clock=clock,
        senders={
            Direction.TO_AMOJO: sending.to_amojo,
            Direction.TO_MESSENGER: sending.to_messenger,
        },
        watcher=metrics,
        jitter=lambda: random.uniform(-1, 1),  # noqa: S311 - spreads retries, guards nothing
        limits=Limits(
            window=Window(entries=settings.delivery.window, bytes=settings.delivery.window_bytes),
            at_once=settings.delivery.at_once,
            at_once_each=settings.delivery.at_once_each,
        ),
        ownership=ownership,
    )
    intake = Intake(
        store=store,
        clock=clock,
        directory=directory,
        metrics=metrics,
        queue=courier,
        new_id=ids.new_uuid,
    )
    services = Services(
        public_url=settings.public_url,
        admin_token=settings.admin_token.get_secret_value(),
        default_base_url=settings.amojo.base_url,
        body_limit=settings.http.body_limit,
        body_timeout=settings.http.body_timeout,
        kinds=frozenset(connectors),
        refusal_of_url=guard.refusal_of_url,
        clock=clock,
        store=store,
        directory=directory,
        intake=intake,
        linking=Linking(directory=directory, transport=transport, clock=clock),
        parking=Parking(store=store, clock=clock, look_up=partial(courier.look_up, again=True)),
        courier=courier,
        metrics=metrics,
    )
    return _Parts(
        store=store,
        transport=transport,
        directory=directory,
        intake=intake,
        courier=courier,
        ownership=ownership,
        services=services,
    )


def _ownership(store: Store, clock: Clock) -> Ownership:
    """Return how this process knows what it delivers."""
    if not store.shared:
        return Alone()
    node = f"{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
    return Leased(store=store, clock=clock, node=node, uptime=uptime)


@dataclass(slots=True)
class _News:
    """What other nodes say, passed on to whom it concerns."""

    parts: _Parts
    reloading: set[asyncio.Task[None]] = field(default_factory=set)

    def heard(self, topic: Topic, words: str) -> None:
        """Pass a notification on."""
        if topic is Topic.LEASES:
            self.parts.ownership.hurry()
        elif topic is Topic.DIRECTORY:
            self.reload()
        else:
            lanes = [int(number) for number in words.split(",")]
            self.parts.courier.look_up(lanes, again=topic is Topic.LANES_AGAIN)

    def missed(self) -> None:
        """Find out what may have been said while nobody listened."""
        self.parts.courier.read_again()
        self.parts.ownership.hurry()
        self.reload()

    def reload(self) -> None:
        """Read the directory again."""
        task = asyncio.create_task(self.parts.directory.catch_up(), name="directory")
        self.reloading.add(task)
        task.add_done_callback(self.reloading.discard)


def create_app(settings: Settings, clock: Clock | None = None) -> web.Application:
    """Return the server as an aiohttp application; starting it opens the database, stopping it closes it in order.

    Raises:
        ConfigurationError: a setting is wrong.

    """
    parts = _assemble(settings, clock or SystemClock())
    app = web.Application(
        middlewares=(attend, observe, answer_errors),
        client_max_size=settings.http.body_limit,
    )
    listening.prepare(app)
    app[SERVICES] = parts.services
    app[OPENAPI] = build_openapi(ENDPOINTS)
    add_routes(app)

    async def running(_: web.Application) -> AsyncIterator[None]:
        async with _started(parts, grace=settings.http.shutdown_grace):
            yield

    app.cleanup_ctx.append(running)
    if parts.services.metrics.shared:
        app.cleanup_ctx.append(memory_shown)
    return app


@asynccontextmanager
async def _started(parts: _Parts, *, grace: float) -> AsyncIterator[None]:
    """Start the parts from the bottom up, stop them from the top down."""
    try:
        await parts.store.start()
        await parts.store.write(migrations.bring_up_to_date)
        await parts.directory.load()
        await parts.transport.start()
        parts.store.listen(_News(parts))
        await parts.courier.start()
        yield
        await parts.intake.drained()
        await parts.courier.stop(grace=grace)
        await parts.transport.close()
    finally:
        await parts.store.close()


def _settle_memory() -> None:
    """Keep the garbage collector away from what lives as long as the process, and let it come less often.

    At its defaults it takes a tenth of the processor under load. Messages form no cycles: counting references frees them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


async def serve(
    settings: Settings,
    *,
    sockets: Sequence[socket.socket] = (),
    extend: Callable[[web.Application], None] | None = None,
    ready: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run the server until the task is cancelled; then stop it without refusing anybody.

    Args:
        settings: checked with `config.problems` before.
        sockets: listening ones, if somebody else opened them; the settings' host and port mean nothing then.
        extend: may add to the application before it starts, as the demo does.
        ready: called when requests are being answered.

    Raises:
        ConfigurationError: a setting is wrong or the port is taken.
        StoreUnavailable: the database cannot be reached.

    """
    http = settings.http
    app = create_app(settings)
    if extend is not None:
        extend(app)
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,
        keepalive_timeout=75,
        shutdown_timeout=_CUT_OFF,
        handler_cancellation=False,
    )
    await runner.setup()
    try:
        entrance = await listen(runner, sockets or open_sockets(http.host, http.port))
        try:
            _settle_memory()
            log.info("serving", host=http.host, port=http.port)
            if ready is not None:
                await ready()
            await asyncio.Event().wait()
        finally:
            log.info("stopping")
            await entrance.close(delay=http.drain_delay, grace=http.shutdown_grace)
    finally:
        await runner.cleanup()
        log.info("stopped")
