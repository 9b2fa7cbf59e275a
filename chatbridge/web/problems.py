"""Errors as `application/problem+json` (RFC 9457)."""

from aiohttp import web

from chatbridge.errors import ChatbridgeError, RequestRefused, StoreUnavailable
from chatbridge.web.schemas import FieldFault, Problem

PROBLEM_TYPE = "application/problem+json"


def problem(
    status: int, code: str, title: str, detail: str, *, error: RequestRefused | None = None
) -> web.Response:
    """Return a problem as a response."""
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
    response = web.Response(
        body=body.model_dump_json(exclude_none=True).encode(),
        status=status,
        content_type=PROBLEM_TYPE,
    )
    if status == web.HTTPUnauthorized.status_code:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == web.HTTPServiceUnavailable.status_code:
        response.headers["Retry-After"] = "1"
    return response


def problem_of(error: ChatbridgeError) -> web.Response | None:
    """Return the answer to an error, None for errors that callers can do nothing about."""
    if isinstance(error, RequestRefused):
        return problem(error.http_status, error.code, error.title, str(error), error=error)
    if isinstance(error, StoreUnavailable):
        detail = "Nothing was stored. Send it again in a moment."
        return problem(error.http_status, error.code, error.title, detail)
    return None
