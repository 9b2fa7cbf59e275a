"""`POST /location/{scope_id}`: amoCRM's callbacks, both versions."""

from aiohttp import web

from chatbridge.errors import UnreadablePayload
from chatbridge.web.answers import Answer
from chatbridge.web.bodies import read_body
from chatbridge.web.problems import problem
from chatbridge.web.services import SERVICES, Services


async def take_callback(request: web.Request) -> web.Response:
    """Take a callback that aiohttp read."""
    services = request.app[SERVICES]
    body = await read_body(request, services)
    signatures = request.headers.getall("X-Signature", [])
    signature = signatures[0] if len(signatures) == 1 else None
    scope_id = request.match_info["scope_id"]
    return (await answer_callback(services, scope_id, body, signature)).response()


async def answer_callback(
    services: Services, scope_id: str, body: bytes, signature: str | None
) -> Answer:
    """Answer 200 once the callback is on disk. amoCRM sends each one once and waits 5 seconds."""
    try:
        await services.callbacks.take(scope_id, body, signature)
    except UnreadablePayload as error:
        return problem(
            400, error.code, "The callback cannot be read", f"{error}. Its bytes are kept."
        )
    return Answer()
