"""What pages say about themselves and their visitors, made fit to be shown to operators. Pure."""

from typing import Final

_LONGEST: Final = 2048


def line(said: str | None, length: int) -> str | None:
    """Return a text on one line, cut to a length; None if it says nothing."""
    words = " ".join((said or "").split())
    return "".join(filter(str.isprintable, words))[:length].strip() or None


def link_on(site: str, url: str | None) -> str | None:
    """Return the address of a page if it is one of this site, None for everything else: operators will follow it."""
    if url is None or len(url) > _LONGEST or not url.isascii() or not url.isprintable():
        return None
    is_there = url == site or url.startswith((f"{site}/", f"{site}?", f"{site}#"))
    return url if is_there and " " not in url else None
