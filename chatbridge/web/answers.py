"""What a request is answered with, whichever way it came in."""

from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import web
from pydantic import BaseModel

HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""Sent with every answer."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A status, a body, and headers beside its type."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)

    def response(self) -> web.Response:
        """Return it as aiohttp wants it."""
        return web.Response(
            body=self.body or None,
            status=self.status,
            headers=self.headers,
            content_type=self.content_type,
        )

    def with_headers(self, headers: Mapping[str, str]) -> "Answer":
        """Return it with these headers, too."""
        return msgspec.structs.replace(self, headers={**self.headers, **headers})


def json_answer(
    model: BaseModel, *, status: int = 200, content_type: str = "application/json"
) -> Answer:
    """Return an answer as JSON."""
    body = model.model_dump_json().encode()
    return Answer(status=status, body=body, content_type=content_type)
