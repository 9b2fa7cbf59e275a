"""`/healthz`, `/readyz`, `/metrics`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from chatbridge.errors import StoreUnavailable
from chatbridge.observability import metrics
from chatbridge.store.engine import ping
from chatbridge.web.answers import json_answer
from chatbridge.web.draining import DRAINING
from chatbridge.web.endpoint import Call
from chatbridge.web.schemas import Health, Readiness
from chatbridge.web.services import SERVICES, Services

_SHOWN_EVERY: Final = 1.0
"""Seconds."""


async def get_health(call: Call[None]) -> Health:
    """Say that the process answers."""
    del call
    return Health(status="ok")


async def get_readiness(request: web.Request) -> web.Response:
    """Say whether messages can be taken and are being delivered: 200 or 503."""
    if request.app[DRAINING].announced:
        return json_answer(Readiness(status="stopping", checks={}), status=503).response()
    services = request.app[SERVICES]
    checks = {
        "database": await _database(services),
        "delivery": "ok"
        if services.courier.alive
        else "stopped: restart the server and see its log",
    }
    ready = all(state == "ok" for state in checks.values())
    answer = Readiness(status="ok" if ready else "unavailable", checks=checks)
    return json_answer(answer, status=200 if ready else 503).response()


async def get_metrics(request: web.Request) -> web.Response:
    """Return metrics in Prometheus' text format."""
    services = request.app[SERVICES]
    _show_memory(services)
    return web.Response(
        body=services.metrics.render(), headers={"Content-Type": metrics.CONTENT_TYPE}
    )


async def memory_shown(app: web.Application) -> AsyncIterator[None]:
    """Keep the gauge of one worker up to date, as another one may be asked for the metrics of all."""

    async def keep_showing() -> None:
        while True:
            _show_memory(app[SERVICES])
            await asyncio.sleep(_SHOWN_EVERY)

    task = asyncio.create_task(keep_showing(), name="memory-shown")
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _show_memory(services: Services) -> None:
    services.metrics.in_memory.set(services.courier.in_memory)


async def _database(services: Services) -> str:
    try:
        await services.store.write(ping)
    except StoreUnavailable as error:
        return str(error)
    return "ok"
