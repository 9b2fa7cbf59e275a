"""The same afternoon's way back: amoCRM's callback in, a signed webhook out, answered after the messenger's answer.

A messenger that hangs costs the callback: amoCRM waits five seconds and sends each one once.
"""

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import orjson
import uvloop
from aiohttp import ClientSession, ClientTimeout, web
from standardwebhooks import Webhook

from bench.contestants.amojo import PORT, SECRET

WEBHOOK_URL = os.environ["BENCH_FAR_SIDE"] + "/webhook"
WEBHOOK = Webhook(os.environ["BENCH_WEBHOOK_SECRET"])
HTTP = web.AppKey("HTTP", ClientSession)


async def take(request: web.Request) -> web.Response:
    """Forward one callback."""
    body = await request.read()
    expected = hmac.new(SECRET, body, hashlib.sha1).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-Signature", "")):
        raise web.HTTPUnauthorized
    event, headers = webhook_of(orjson.loads(body)["message"])
    http = request.app[HTTP]
    async with http.post(WEBHOOK_URL, data=event, headers=headers) as answer:
        if answer.status // 100 != 2:
            raise web.HTTPBadGateway
    return web.Response()


def webhook_of(outer: dict[str, dict[str, str]]) -> tuple[bytes, dict[str, str]]:
    """Return the event for the messenger, and its headers."""
    now = datetime.now(UTC)
    message = outer["message"]
    event = {
        "type": "message.created",
        "timestamp": now.isoformat(),
        "data": {
            "id": message["id"],
            "conversation_id": outer["conversation"]["client_id"],
            "receiver": {"id": outer["receiver"]["client_id"]},
            "message": {"type": message["type"], "text": message["text"]},
        },
    }
    body = orjson.dumps(event)
    webhook_id = f"msg_{message['id']}"
    return body, {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": WEBHOOK.sign(webhook_id, now, body.decode()),
    }


async def session(app: web.Application) -> AsyncIterator[None]:
    """Keep one client session while the server runs."""
    async with ClientSession(timeout=ClientTimeout(total=15)) as app[HTTP]:
        yield


def main() -> None:
    """Serve."""
    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_post("/location/{scope_id}", take)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=PORT, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main()
