"""`POST /location/{scope_id}`: amoCRM's callbacks, both versions."""

from aiohttp import web

from chatbridge.errors import UnreadablePayload
from chatbridge.web.endpoint import read_body
from chatbridge.web.problems import problem
from chatbridge.web.services import SERVICES


async def take_callback(request: web.Request) -> web.Response:
    """Answer 200 once the callback is on disk. amoCRM sends each one once and waits 5 seconds."""
    services = request.app[SERVICES]
    body = await read_body(request, services)
    signatures = request.headers.getall("X-Signature", [])
    signature = signatures[0] if len(signatures) == 1 else None
    try:
        await services.intake.callback(request.match_info["scope_id"], body, signature)
    except UnreadablePayload as error:
        return problem(
            400, error.code, "The callback cannot be read", f"{error}. Its bytes are kept."
        )
    return web.Response()
