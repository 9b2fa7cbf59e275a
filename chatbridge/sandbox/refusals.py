"""Answers by which amojo refuses, and the strict reading of bodies that may end in one."""

from typing import TypeVar

from aiohttp import web
from pydantic import ValidationError

from chatbridge.sandbox.wire import Wire

AnyWire = TypeVar("AnyWire", bound=Wire)


class Refusal(Exception):
    """Amojo answers with an error; `why` goes to the developer's log when it says more."""

    def __init__(self, status: int, error_type: str, description: str, why: str = "") -> None:
        super().__init__(why or description)
        self.status = status
        self.error_type = error_type
        self.description = description

    def response(self) -> web.Response:
        """As JSON: the shape was captured from the real amojo's 403."""
        body = {
            "status": 0,
            "error_code": self.status,
            "error_type": self.error_type,
            "error_description": self.description,
        }
        return web.json_response(body, status=self.status)


def bad_request(description: str) -> Refusal:
    """Wrong data. The real body of a 400 is not published; its `error_type` is invented."""
    return Refusal(400, "ORIGIN_BAD_REQUEST", description)


def not_found(why: str) -> Refusal:
    """Unknown channel or message."""
    return Refusal(404, "ORIGIN_NOT_REGISTERED", "NOT_FOUND", why)


def bad_signature(why: str) -> Refusal:
    """Whatever is wrong with the signature: amojo never says what."""
    return Refusal(403, "ORIGIN_INVALID_SIGNATURE", "invalid signature", why)


def read_body(model: type[AnyWire], body: bytes, *, strict: bool) -> AnyWire:
    """Parse a body. Raises Refusal 400 that names the first wrong member."""
    try:
        value = model.model_validate_json(body, strict=strict)
    except ValidationError as error:
        raise bad_request(_first_problem(error)) from None
    for path in value.missing() if strict else ():
        raise bad_request(f"{path}: required")
    return value


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in problem["loc"]) or "body"
    if problem["type"] == "missing":
        return f"{path}: required"
    return f"{path}: {problem['msg'].removeprefix('Input ')}"
