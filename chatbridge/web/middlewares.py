"""Around every request: an id, one line in the log, a measured time, and errors turned into answers."""

import re
import secrets
import time
from http import HTTPStatus
from itertools import count
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from chatbridge.errors import MethodNotAllowed, NotFound
from chatbridge.observability.logging import REQUEST_ID, is_debugging
from chatbridge.web.answers import HEADERS
from chatbridge.web.problems import problem, problem_of
from chatbridge.web.services import SERVICES, Services

log = structlog.get_logger()

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROCESS: Final = secrets.token_hex(8)
_NUMBERS: Final = count()
"""Numbers the requests of this process: fresh random bytes for each would be a system call."""

_METHODS: Final = frozenset({"GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"})


def name_request(given: str | None) -> str:
    """Return the request's id, the caller's own if it is a usable one, and note it for the log."""
    if given is None or not _REQUEST_ID.fullmatch(given):
        given = f"{_PROCESS}{next(_NUMBERS):016x}"
    REQUEST_ID.set(given)
    return given


def note_answer(services: Services, method: str, route: str, status: int, begun: float) -> None:
    """Log and measure an answer; `begun` is `time.perf_counter` at its request."""
    seconds = time.perf_counter() - begun
    services.metrics.answered(route, method if method in _METHODS else "other", status, seconds)
    if is_debugging():
        log.debug("request", method=method, route=route, status=status, seconds=round(seconds, 6))


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, then log and measure it once."""
    begun = time.perf_counter()
    request_id = name_request(request.headers.get("X-Request-Id"))
    response = await handler(request)
    note_answer(request.app[SERVICES], request.method, _route(request), response.status, begun)
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into problem+json."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        detail = "There is nothing under this address."
        return problem(404, NotFound.code, NotFound.title, detail).response()
    except web.HTTPMethodNotAllowed as error:
        detail = f"This address takes {', '.join(sorted(error.allowed_methods))}."
        refused = problem(405, MethodNotAllowed.code, MethodNotAllowed.title, detail).response()
        refused.headers["Allow"] = error.headers["Allow"]
        return refused
    except web.HTTPException as error:
        title = HTTPStatus(error.status).phrase
        return problem(error.status, title.lower().replace(" ", "_"), title, title).response()
    except Exception as error:  # noqa: BLE001 - the last line of defence; it is logged there
        return problem_of(error, _route(request)).response()


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"
