"""What a request is answered with, whichever way it came in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, a body, and headers beside its type."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """Return it as aiohttp wants it."""
        return web.Response(
            body=self.body or None,
            status=self.status,
            headers=self.headers,
            content_type=self.content_type,
        )


def json_answer(
    model: BaseModel, *, status: int = 200, content_type: str = "application/json"
) -> Answer:
    """Return an answer as JSON."""
    body = model.model_dump_json().encode()
    return Answer(status=status, body=body, content_type=content_type)
