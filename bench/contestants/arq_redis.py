"""A bridge with a queue: aiohttp takes messages, arq keeps them in Redis, a worker process delivers them.

What Redis took is safe (its log is synced at every write). arq knows no order: with more than one job under way,
messages of a conversation overtake each other. `serve` runs the front, `arq …WorkerSettings` the worker.
"""

import os
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import uvloop
from aiohttp import ClientSession, ClientTimeout, web
from arq import ArqRedis, Retry, create_pool
from arq.connections import RedisSettings
from pydantic import ValidationError

from bench.contestants.amojo import (
    AUTHORIZATION,
    CRM_URL,
    PORT,
    Message,
    new_message,
    signed_headers,
)

REDIS = RedisSettings.from_dsn(os.environ["BENCH_STORE"])
QUEUE = web.AppKey("QUEUE", ArqRedis)


async def take(request: web.Request) -> web.Response:
    """Queue one message; its id keeps it from being queued twice."""
    if request.headers.get("Authorization") != AUTHORIZATION:
        raise web.HTTPUnauthorized
    try:
        message = Message.model_validate_json(await request.read())
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=error.json()) from error
    await request.app[QUEUE].enqueue_job("deliver", message.model_dump(), _job_id=message.id)
    return web.json_response({"id": message.id}, status=202)


async def deliver(ctx: dict[str, Any], members: dict[str, Any]) -> None:
    """Send one message to amoCRM, later again if it does not take it."""
    body = new_message(Message.model_validate(members))
    http: ClientSession = ctx["http"]
    async with http.post(CRM_URL, data=body, headers=signed_headers(body)) as answer:
        if answer.status != 200:
            raise Retry(defer=5)


async def open_session(ctx: dict[str, Any]) -> None:
    """Keep one client session while the worker runs."""
    ctx["http"] = ClientSession(timeout=ClientTimeout(total=15))


async def close_session(ctx: dict[str, Any]) -> None:
    """Close it."""
    await ctx["http"].close()


class WorkerSettings:
    """The worker. Its defaults, 10 jobs at a time and two looks a second, would hold it back here."""

    functions: ClassVar = [deliver]
    on_startup = open_session
    on_shutdown = close_session
    redis_settings = REDIS
    max_jobs = 64
    poll_delay = 0.05
    keep_result = 0


async def queue(app: web.Application) -> AsyncIterator[None]:
    """Keep the connections to Redis while the server runs."""
    app[QUEUE] = await create_pool(REDIS)
    yield
    await app[QUEUE].aclose()


def main() -> None:
    """Serve."""
    app = web.Application()
    app.cleanup_ctx.append(queue)
    app.router.add_post("/v1/messages", take)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=PORT, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main()
