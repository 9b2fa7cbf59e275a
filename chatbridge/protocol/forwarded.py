"""From which address somebody calls. Pure."""

from ipaddress import ip_address


def address_of(peer: str | None, forwarded: str | None) -> str:
    """Return the address of a caller, given the connection's other end and what `X-Forwarded-For` says.

    The header is believed only where the connection comes from a private network, which is a proxy of ours then; and only its last
    entry, which that proxy wrote. Everything before it anybody may have written.
    """
    if peer is None:
        return ""
    try:
        is_proxy = ip_address(peer).is_private
    except ValueError:
        return peer
    last = (forwarded or "").rpartition(",")[2].strip()
    return last[:64] if is_proxy and last else peer
