"""HTTP requests and responses as plain values, and the one method that exchanges them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, complete to the byte: signed bodies must not be written again by an HTTP library."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer. Header names are in lower case; a body beyond the transport's limit is cut off."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


class Transport(Protocol):
    """Whatever can carry a request to the far side."""

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status.

        Raises:
            NotSent: no connection; nothing left.
            OutcomeUnknown: the request left and no whole answer came.
            Misconfigured: the address is malformed, or forbidden (see the setting `network.allow`).

        """
