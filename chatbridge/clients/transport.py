"""The one door through which requests leave. Two transports fit it; they behave the same and cost differently."""

from typing import Final, Literal

from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.outgoing import Proxy
from chatbridge.clients.pools import TransportLimits
from chatbridge.clients.session import SessionTransport
from chatbridge.clients.thin import ThinTransport

__all__ = ["TransportLimits", "open_transport"]

_KINDS: Final[dict[str, type[ThinTransport | SessionTransport]]] = {
    "thin": ThinTransport,
    "session": SessionTransport,
}


def open_transport(
    kind: Literal["thin", "session"],
    guard: AddressGuard,
    limits: TransportLimits,
    *,
    user_agent: str,
    proxy: str = "",
) -> ThinTransport | SessionTransport:
    """Return the transport of this kind; it still has to be started.

    Args:
        kind: "thin", or "session" should a release of aiohttp break that one.
        guard: decides where connections may go.
        limits: of connections and time.
        user_agent: the header of that name.
        proxy: the `http://` address of an HTTP proxy, with user and password where it wants them; empty for none. The
            guard then sees the proxy's address; targets that are themselves written as private addresses, or as
            `localhost`, are still refused, but where a name leads is the proxy's business.

    """
    return _KINDS[kind](guard, limits, user_agent=user_agent, proxy=Proxy.at(proxy))
