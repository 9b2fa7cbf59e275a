"""A request that passed the checks common to all calls of amojo."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from chatbridge.sandbox.parts import Sandbox
from chatbridge.sandbox.records import Channel, Connection
from chatbridge.sandbox.refusals import AnyWire, not_found, read_body


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Signature and scope are fine; the body is still bytes."""

    sandbox: Sandbox
    channel: Channel
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def connection(self) -> Connection:
        """Connection of a scope's call. Raises Refusal 404: what amojo answers is not published."""
        connection = self.sandbox.state.find_connection(self.path["scope"])
        if connection is None:
            raise not_found("this account is not connected to the channel")
        return connection

    def read(self, model: type[AnyWire]) -> AnyWire:
        """Parse the body. Raises Refusal 400."""
        strict = self.sandbox.switches.is_("strictness", "strict")
        return read_body(model, self.body, strict=strict)

    def empty_success(self) -> web.Response:
        """Success without content."""
        if self.sandbox.switches.is_("empty_success", "object"):
            return web.json_response({})
        return web.Response()
