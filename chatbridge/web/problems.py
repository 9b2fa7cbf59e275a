"""Errors as `application/problem+json` (RFC 9457)."""

from http import HTTPStatus

import structlog

from chatbridge.errors import MediaNotKept, RequestRefused, StoreUnavailable
from chatbridge.web.answers import Answer
from chatbridge.web.schemas import FieldFault, Problem

log = structlog.get_logger()

PROBLEM_TYPE = "application/problem+json"

_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "1"},
}


def problem(
    status: int, code: str, title: str, detail: str, *, error: RequestRefused | None = None
) -> Answer:
    """Return a problem as an answer."""
    fields = error.fields if error is not None else {}
    body = Problem(
        type=f"urn:chatbridge:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        errors=[FieldFault(pointer=name, detail=words) for name, words in fields.items()] or None,
        amojo=(error.far or None) if error is not None else None,
    )
    return Answer(
        status=status,
        body=body.model_dump_json(exclude_none=True).encode(),
        content_type=PROBLEM_TYPE,
        headers=_HEADERS.get(HTTPStatus(status), {}),
    )


def problem_of(error: Exception, route: str) -> Answer:
    """Return the answer to an error; what nobody expected becomes a 500 with its traceback in the log."""
    if isinstance(error, RequestRefused):
        return problem(error.http_status, error.code, error.title, str(error), error=error)
    if isinstance(error, StoreUnavailable):
        detail = "Nothing was stored. Send it again in a moment."
        return problem(error.http_status, error.code, error.title, detail)
    if isinstance(error, MediaNotKept):
        detail = f"{error}. Try again in a moment.".capitalize()
        return problem(503, error.code, "The place of files is not available", detail)
    log.error("request_fault", route=route, exc_info=error)
    detail = (
        "A fault of this server. Its log has the details under the X-Request-Id of this answer."
    )
    return problem(500, "internal", "A fault of this server", detail)
