"""The ordinary way in: aiohttp's connections, with our answers where aiohttp has its own."""

import asyncio
import time
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from chatbridge.errors import MalformedRequest
from chatbridge.web.answers import HEADERS
from chatbridge.web.middlewares import name_request, note_answer
from chatbridge.web.problems import problem_of
from chatbridge.web.services import Services

log = structlog.get_logger()

KEEP_ALIVE: Final = 75.0
"""Seconds for a next request."""

_OPTIONS: Final[dict[str, Any]] = {
    "access_log": None,
    "auto_decompress": False,  # signatures cover the bytes on the wire
    "keepalive_timeout": KEEP_ALIVE,
}
_UNREAD: Final = "unknown"


class OrdinaryConnection(RequestHandler):
    """Answers what is not HTTP as problem+json too, and keeps its bytes out of answer and log."""

    __slots__ = ("_services",)

    def __init__(self, server: web.Server, services: Services) -> None:
        """Serve the application of this server."""
        super().__init__(server, loop=asyncio.get_running_loop(), **_OPTIONS)
        self._services = services

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to what could not be read, or to what no middleware caught."""
        del message  # quotes what was sent
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        begun, request_id = time.perf_counter(), name_request(None)
        error = exc if status >= 500 and isinstance(exc, Exception) else MalformedRequest()
        if isinstance(error, MalformedRequest):
            log.info("request_malformed", fault=type(exc).__name__)
        response = problem_of(error, _UNREAD).response()
        response.headers.update(HEADERS | {"X-Request-Id": request_id})
        response.force_close()
        note_answer(self._services, _UNREAD, _UNREAD, response.status, begun)
        return response
