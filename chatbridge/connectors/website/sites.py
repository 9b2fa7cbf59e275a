"""Which sites a chat may stand on: their origins, as browsers name them. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from yarl import URL

ANY: Final = "*"
"""Every site."""

_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)
"""How browsers write an origin: in small letters, names in ASCII, a port only if it is not the scheme's own (RFC 6454, 6.2).

Nothing else is one: no path, no user name, and not `null`, which stands for pages of which nobody knows whose they are.
"""
_BELOW: Final = "*."
_WRITTEN: Final = re.compile(r"(https?)://(\*\.)?([^/?#@*\s]+)/?", re.IGNORECASE)


class Sites:
    """The sites of a messenger."""

    def __init__(self, written: Iterable[str]) -> None:
        """Take them as they stand in the settings.

        Raises:
            ValueError: one of them is no origin.

        """
        sites = [canonical(site) for site in written]
        self._any = ANY in sites
        self._exact = {site for site in sites if _BELOW not in site}
        self._below = [tuple(site.split(ANY)) for site in sites if _BELOW in site]

    def allow(self, origin: str | None) -> bool:
        """Return whether a page of this origin may call."""
        if origin is None or _ORIGIN.fullmatch(origin) is None:
            return False
        return (
            self._any
            or origin in self._exact
            or any(
                origin.startswith(scheme) and origin.endswith(domain)
                for scheme, domain in self._below
            )
        )


def canonical(site: str) -> str:
    """Return an origin as browsers write it. `*` is every site, `https://*.example.com` is what lies below example.com.

    Raises:
        ValueError: it is none.

    """
    if site == ANY:
        return site
    written = _WRITTEN.fullmatch(site.strip())
    if written is not None:
        scheme, below, rest = written.groups(default="")
        origin = _origin_of(f"{scheme}://{rest}")
        if origin is not None and (not below or "." in rest):
            return origin.replace("://", f"://{below}")
    raise ValueError(
        f"{site!r} is no site: write its origin, such as https://shop.example or https://*.shop.example"
    )


def _origin_of(address: str) -> str | None:
    """Return the origin of an address: in small letters, names in ASCII, without a port that is the scheme's own."""
    try:
        origin = str(URL(address).origin())
    except ValueError:
        return None
    return origin if _ORIGIN.fullmatch(origin) else None
