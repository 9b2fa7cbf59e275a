"""Which addresses no request may go to, unless the operator of the server allowed them. Pure."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import urlsplit

from chatbridge.errors import ConfigurationError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PRIVATE: Final[tuple[Network, ...]] = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
"""Private, local, documentation, multicast and reserved blocks (IANA special-purpose registries). The local NAT64
prefix 64:ff9b:1::/48 is refused as a whole: where in it the IPv4 address stands is a local matter (RFC 8215)."""

_NAT64: Final = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressGuard:
    """Decides about addresses. `networks` and `hosts` are allowed although private."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> "AddressGuard":
        """Return a guard that allows these networks (`10.0.0.0/8`), addresses and host names.

        Raises:
            ConfigurationError: an entry is none of these.

        """
        networks, hosts = [], set()
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                hosts.add(_host_entry(entry))
        return cls(networks=tuple(networks), hosts=frozenset(hosts))

    def allows_host(self, host: str) -> bool:
        """Return whether this name may stand for any address."""
        return host.rstrip(".").lower() in self.hosts

    def refusal(self, address: str) -> str | None:
        """Return why this address may not be dialled, None if it may."""
        parsed = ip_address(address.partition("%")[0])
        if any(parsed in network for network in self.networks):
            return None
        hidden = next((inner for inner in _embedded(parsed) if _is_private(inner)), None)
        if hidden is None and not _is_private(parsed):
            return None
        return (
            f"{address} is a private or local address. If this server may call it, add it or its network to"
            " CHATBRIDGE_NETWORK__ALLOW."
        )

    def refusal_of_url(self, url: str) -> str | None:
        """Return why an address written in a link may not be called, as far as the link itself tells.

        Host names are not looked up here; what they stand for is checked when the connection is made.
        """
        try:
            host = urlsplit(url).hostname or ""
            return None if self.allows_host(host) else self.refusal(host)
        except ValueError:
            return None

    def refusal_of_literal(self, host: str) -> str | None:
        """Return why a proxy may not be asked for this host, as far as the host itself tells.

        It need not be a well-formed address: `2130706433`, `0x7f.1` and `localhost` are 127.0.0.1 to whoever dials them.
        """
        if self.allows_host(host):
            return None
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):
            name = "127.0.0.1"
        with suppress(OSError):  # a name, or an IPv6 address
            name = socket.inet_ntoa(socket.inet_aton(name))
        try:
            return self.refusal(name)
        except ValueError:
            return None


def _host_entry(entry: str) -> str:
    if not entry or any(character in entry for character in "/ :@"):
        raise ConfigurationError(
            f"CHATBRIDGE_NETWORK__ALLOW: {entry!r} is neither a network such as 10.0.0.0/8 nor a host name"
        )
    return entry.rstrip(".").lower()


def _is_private(address: Address) -> bool:
    return any(address in network for network in _PRIVATE)


def _embedded(address: Address) -> list[IPv4Address]:
    """Return the IPv4 addresses hidden in an IPv6 one: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [inner for inner in found if inner is not None]
