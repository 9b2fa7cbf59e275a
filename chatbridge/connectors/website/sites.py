"""Which sites a chat may stand on: their origins, as browsers name them. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from yarl import URL

ANY: Final = "*"
"""Every site."""

_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
"""How browsers write an origin: in small letters, names in ASCII, a port only if it is not the scheme's own (RFC 6454, 6.2).

Nothing else is one: no path, no user name, and not `null`, which stands for pages of which nobody knows whose they are.
"""
_BELOW: Final = "*."
_PORTS: Final = {"http": 80, "https": 443}


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
    scheme, _, rest = site.strip().partition("://")
    below = _BELOW if rest.startswith(_BELOW) else ""
    try:
        url = URL(f"{scheme}://{rest.removeprefix(below)}")
        host, port = url.raw_host or "", url.explicit_port
    except ValueError:
        host, port, url = "", None, URL()
    if url.user is not None or url.password is not None or url.path_qs not in ("", "/"):
        host = ""
    shown = f"[{host}]" if ":" in host else host
    given = "" if port is None or port == _PORTS.get(url.scheme) else f":{port}"
    origin = f"{url.scheme}://{shown}{given}"
    if "#" in site or _ORIGIN.fullmatch(origin) is None or (below and "." not in host):
        raise ValueError(
            f"{site!r} is no site: write its origin, such as https://shop.example or https://*.shop.example"
        )
    return f"{url.scheme}://{below}{shown}{given}"
