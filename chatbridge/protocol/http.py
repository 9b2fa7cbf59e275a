"""HTTP requests and responses as plain values, and the one method that exchanges them."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request, complete to the byte: signed bodies must not be written again by an HTTP library."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    def __repr__(self) -> str:
        """Show neither headers nor body: one has signatures, the other what people write."""
        return f"Request({self.method} {self.url})"


class Response(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer. Header names are in lower case; a body beyond the transport's limit is cut off."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    def __repr__(self) -> str:
        """Show the status alone: the rest are somebody's words."""
        return f"Response({self.status})"


class Transport(Protocol):
    """Whatever can carry a request to the far side."""

    async def send(
        self, request: Request, *, allowed: Callable[[], bool] | None = None
    ) -> Response:
        """Return the answer, whatever its status.

        Args:
            request: what to send.
            allowed: asked when a connection is there, right before the first byte is written. If it says no, nothing
                is written.

        Raises:
            NotSent: no connection, or no longer allowed; nothing left.
            OutcomeUnknown: the request left and no whole answer came. It is never repeated by itself.
            Misconfigured: the address is malformed, or forbidden (see the setting `network.allow`), or a header cannot
                be sent as it is. Nothing left.

        """
