"""A bridge with a queue: aiohttp takes messages, procrastinate keeps them in PostgreSQL, a worker process delivers them.

A lock for each conversation keeps its messages in order. Without an argument this is the front, with `worker` the worker.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvloop
from aiohttp import ClientSession, ClientTimeout, web
from procrastinate import App, PsycopgConnector, RetryStrategy
from pydantic import ValidationError

from bench.contestants.amojo import (
    AUTHORIZATION,
    CRM_URL,
    PORT,
    Message,
    new_message,
    signed_headers,
)

jobs = App(connector=PsycopgConnector(conninfo=os.environ["BENCH_STORE"], min_size=4, max_size=16))
HTTP = web.AppKey("HTTP", ClientSession)
AT_ONCE = 64


class NotTaken(Exception):
    """amoCRM did not take a message."""


async def take(request: web.Request) -> web.Response:
    """Queue one message."""
    if request.headers.get("Authorization") != AUTHORIZATION:
        raise web.HTTPUnauthorized
    try:
        message = Message.model_validate_json(await request.read())
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=error.json()) from error
    await deliver.configure(lock=message.conversation_id).defer_async(members=message.model_dump())
    return web.json_response({"id": message.id}, status=202)


@jobs.task(name="deliver", retry=RetryStrategy(max_attempts=10, wait=5), pass_context=True)
async def deliver(context: Any, members: dict[str, Any]) -> None:
    """Send one message to amoCRM, later again if it does not take it."""
    body = new_message(Message.model_validate(members))
    http: ClientSession = context.additional_context["http"]
    async with http.post(CRM_URL, data=body, headers=signed_headers(body)) as answer:
        if answer.status != 200:
            raise NotTaken


async def queue(_: web.Application) -> AsyncIterator[None]:
    """Keep the connections to PostgreSQL while the server runs."""
    async with jobs.open_async():
        yield


def serve() -> None:
    """Take messages."""
    app = web.Application()
    app.cleanup_ctx.append(queue)
    app.router.add_post("/v1/messages", take)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=PORT, access_log=None, print=None, loop=loop)


async def work() -> None:
    """Deliver messages."""
    async with jobs.open_async(), ClientSession(timeout=ClientTimeout(total=15)) as http:
        await jobs.run_worker_async(
            concurrency=AT_ONCE, delete_jobs="successful", additional_context={"http": http}
        )


async def prepare() -> None:
    """Make procrastinate's tables."""
    async with jobs.open_async():
        await jobs.schema_manager.apply_schema_async()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare"]:
            asyncio.run(prepare())
        case ["worker"]:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(work())
        case _:
            serve()
