"""Settings in, a running server out. `parts` wires it together; here it is started, kept and stopped."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import web

from chatbridge.clock import Clock, SystemClock
from chatbridge.config import Http, Settings
from chatbridge.parts import Parts, assemble, services_of
from chatbridge.store import migrations
from chatbridge.store.dialect import Topic
from chatbridge.web import listening
from chatbridge.web.draining import attend
from chatbridge.web.health import memory_shown
from chatbridge.web.listening import Entrance, listen
from chatbridge.web.middlewares import answer_errors, observe
from chatbridge.web.openapi import build_openapi
from chatbridge.web.routes import ENDPOINTS, add_routes
from chatbridge.web.services import OPENAPI, SERVICES
from chatbridge.web.sockets import open_sockets

log = structlog.get_logger()

_CUT_OFF: Final = 0.1
"""Seconds for requests that are still being answered when their grace is over."""


@dataclass(slots=True)
class _News:
    """What other nodes say, passed on to whom it concerns."""

    parts: Parts
    reloading: set[asyncio.Task[None]] = field(default_factory=set)

    def heard(self, topic: Topic, words: str) -> None:
        """Pass a notification on."""
        if topic is Topic.LEASES:
            self.parts.ownership.hurry()
        elif topic is Topic.DIRECTORY:
            self.reload()
        elif topic is Topic.FEEDS:
            self.parts.feeds.heard(words)
        elif topic is Topic.WEBHOOKS:
            self.parts.webhooks.hear()
        else:
            lanes = [int(number) for number in words.split(",")]
            self.parts.courier.look_up(lanes, again=topic is Topic.LANES_AGAIN)

    def missed(self) -> None:
        """Find out what may have been said while nobody listened."""
        self.parts.courier.read_again()
        self.parts.ownership.hurry()
        self.parts.feeds.missed()
        self.parts.webhooks.hear()
        self.reload()

    def reload(self) -> None:
        """Read the directory again."""
        task = asyncio.create_task(self.parts.directory.catch_up(), name="directory")
        self.reloading.add(task)
        task.add_done_callback(self.reloading.discard)


def create_app(
    settings: Settings, clock: Clock | None = None, *, worker: int | None = None
) -> web.Application:
    """Return the server as an aiohttp application; starting it opens the database, stopping it closes it in order.

    Raises:
        ConfigurationError: a setting is wrong.

    """
    clock = clock or SystemClock()
    parts = assemble(settings, clock, worker=worker)
    app = web.Application(
        middlewares=(attend, observe, answer_errors),
        client_max_size=settings.http.body_limit,
    )
    listening.prepare(app)
    app[SERVICES] = services_of(parts)
    app[OPENAPI] = build_openapi(ENDPOINTS)
    add_routes(app, parts.connectors.values())

    async def hang_up(_: web.Application) -> None:
        parts.stopping.set()

    async def running(_: web.Application) -> AsyncIterator[None]:
        async with _started(parts, clock, grace=settings.http.shutdown_grace):
            yield

    app.on_shutdown.append(hang_up)
    app.cleanup_ctx.append(running)
    if parts.ground.metrics.shared:
        app.cleanup_ctx.append(memory_shown)
    return app


@asynccontextmanager
async def _started(parts: Parts, clock: Clock, *, grace: float) -> AsyncIterator[None]:
    """Start the parts from the bottom up, stop them from the top down."""
    try:
        await parts.store.start()
        await parts.store.write(migrations.bring_up_to_date)
        await parts.directory.load()
        await parts.ground.transport.start()
        await parts.ground.http.start()
        await parts.media.open(clock.now())
        await parts.webhooks.start()
        parts.store.listen(_News(parts))
        parts.feeds.start()
        await parts.caretaker.start(parts.messages.inbound)
        await parts.courier.start()
        parts.media.start(parts.courier)
        parts.messages.marks.start()
        await parts.replies.start()
        parts.importing.start()
        for chore in parts.chores:
            chore.start()
        parts.caretaker.look()
        yield
        await parts.caretaker.withdraw()
        for chore in parts.chores:
            await chore.stop()
        await parts.crm.stop()
        await parts.importing.stop()
        await parts.replies.stop()
        await parts.messages.typing.stop()
        await parts.messages.marks.stop()
        await parts.messages.acceptor.drained()
        await parts.media.stop()
        await parts.courier.stop(grace=grace)
        await parts.webhooks.stop()
        await parts.caretaker.stop()
        await parts.feeds.stop()
        await parts.ground.http.close()
        await parts.ground.transport.close()
    finally:
        await parts.store.close()


def _settle_memory() -> None:
    """Keep the garbage collector away from what lives as long as the process, and let it come less often.

    At its defaults it takes a tenth of the processor under load. Messages form no cycles: counting references frees them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(
        app,
        shutdown_timeout=_CUT_OFF,
        handler_cancellation=False,
    )


async def serve(
    settings: Settings,
    *,
    sockets: Sequence[socket.socket] = (),
    worker: int | None = None,
    extend: Callable[[web.Application], None] | None = None,
    ready: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run the server until the task is cancelled; then stop it without refusing anybody.

    Args:
        settings: checked with `config.problems` before.
        sockets: listening ones, if somebody else opened them; the settings' host and port mean nothing then.
        worker: the number of this process among those that serve together, None if it is alone.
        extend: may add to the application before it starts, as the demo does.
        ready: called when requests are being answered.

    Raises:
        ConfigurationError: a setting is wrong or the port is taken.
        StoreUnavailable: the database cannot be reached.

    """
    app = create_app(settings, worker=worker)
    if extend is not None:
        extend(app)
    runner, http = _runner(app), settings.http
    with ExitStack() as stack:
        # Before anything is delivered: another server may have the port, and delivers.
        listening = sockets or open_sockets(http.host, http.port)
        for one in listening:
            stack.enter_context(one)
        await runner.setup()
        try:
            entrance = await listen(runner, listening, shared=worker is not None)
            await _attend(entrance, http, ready)
        finally:
            await runner.cleanup()
            log.info("stopped")


async def _attend(
    entrance: Entrance, http: Http, ready: Callable[[], Awaitable[None]] | None
) -> None:
    """Answer until the task is cancelled, then see everybody off."""
    try:
        _settle_memory()
        log.info("serving", **entrance.address)
        if ready is not None:
            await ready()
        await asyncio.Event().wait()
    finally:
        log.info("stopping")
        # What comes later may find the door closed: whoever serves next looks into it.
        await entrance.express.services.heartbeat.stop()
        await entrance.close(delay=http.drain_delay, grace=http.shutdown_grace)
