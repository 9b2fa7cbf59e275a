"""The bridge of an afternoon: aiohttp in, aiohttp out, answered after amoCRM's answer. Nothing is stored.

A message that amoCRM does not take is refused, and the messenger has to send it again.
"""

from collections.abc import AsyncIterator

import uvloop
from aiohttp import ClientSession, ClientTimeout, web
from pydantic import ValidationError

from bench.contestants.amojo import (
    AUTHORIZATION,
    CRM_URL,
    PORT,
    Message,
    new_message,
    signed_headers,
)

HTTP = web.AppKey("HTTP", ClientSession)


async def take(request: web.Request) -> web.Response:
    """Forward one message."""
    if request.headers.get("Authorization") != AUTHORIZATION:
        raise web.HTTPUnauthorized
    try:
        message = Message.model_validate_json(await request.read())
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=error.json()) from error
    body = new_message(message)
    http = request.app[HTTP]
    async with http.post(CRM_URL, data=body, headers=signed_headers(body)) as answer:
        if answer.status != 200:
            raise web.HTTPBadGateway
        taken = await answer.json()
    return web.json_response({"id": message.id, "amojo_id": taken["new_message"]["msgid"]})


async def session(app: web.Application) -> AsyncIterator[None]:
    """Keep one client session while the server runs."""
    async with ClientSession(timeout=ClientTimeout(total=15)) as app[HTTP]:
        yield


def main() -> None:
    """Serve."""
    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_post("/v1/messages", take)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=PORT, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main()
