"""Around every request: an id, one line in the log, a measured time, and errors turned into answers."""

import re
import time
import uuid
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from chatbridge.errors import ChatbridgeError, MethodNotAllowed, NotFound
from chatbridge.web.problems import problem, problem_of
from chatbridge.web.services import SERVICES

log = structlog.get_logger()

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, then log and measure it once."""
    given = request.headers.get("X-Request-Id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    begun = time.perf_counter()
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        response = await handler(request)
        seconds = time.perf_counter() - begun
        route = _route(request)
        metrics = request.app[SERVICES].metrics
        metrics.request_seconds.labels(route, _method(request), response.status).observe(seconds)
        log.debug(
            "request",
            method=request.method,
            route=route,
            status=response.status,
            seconds=round(seconds, 6),
        )
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
    return response


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into problem+json; what nobody expected becomes a 500 with its traceback in the log."""
    try:
        return await handler(request)
    except ChatbridgeError as error:
        response = problem_of(error)
        if response is not None:
            return response
        log.exception("request_fault", route=_route(request))
    except web.HTTPNotFound:
        return problem(404, NotFound.code, NotFound.title, "There is nothing under this address.")
    except web.HTTPMethodNotAllowed as error:
        detail = f"This address takes {', '.join(sorted(error.allowed_methods))}."
        refused = problem(405, MethodNotAllowed.code, MethodNotAllowed.title, detail)
        refused.headers["Allow"] = error.headers["Allow"]
        return refused
    except web.HTTPException as error:
        title = HTTPStatus(error.status).phrase
        return problem(error.status, title.lower().replace(" ", "_"), title, title)
    except Exception:  # the last line of defence
        log.exception("request_fault", route=_route(request))
    detail = (
        "A fault of this server. Its log has the details under the X-Request-Id of this answer."
    )
    return problem(500, "internal", "A fault of this server", detail)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _method(request: web.Request) -> str:
    known = {"GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"}
    return request.method if request.method in known else "other"
