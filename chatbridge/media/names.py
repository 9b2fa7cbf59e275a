"""Names of files: harmless ones, and how they are said in headers. Pure."""

from typing import Final
from urllib.parse import quote, unquote, urlsplit

_LONGEST: Final = 200
NAMELESS: Final = "file"


def harmless_name(name: str | None) -> str | None:
    """Return the last part of a file's name without anything that means more than a name; None if nothing is left."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign for sign in last if sign.isprintable() and sign not in '<>:"|?*').strip(
        " ."
    )
    stem, dot, extension = kept.rpartition(".")
    if len(kept) > _LONGEST and dot and len(extension) <= 10:
        return f"{stem[: _LONGEST - len(extension) - 1]}.{extension}"
    return kept[:_LONGEST] or None


def name_in(url: str) -> str | None:
    """Return the name that a link ends with, harmless."""
    try:
        return harmless_name(unquote(urlsplit(url).path))
    except ValueError:
        return None


def disposition(name: str | None, *, shown: bool) -> str:
    """Return the value of `Content-Disposition` (RFC 6266): shown in place, or kept under this name."""
    name = name or NAMELESS
    plain = "".join(sign if sign.isascii() and sign not in '"\\%' else "_" for sign in name)
    return (
        f'{"inline" if shown else "attachment"}; filename="{plain}";'
        f" filename*=UTF-8''{quote(name, safe='')}"
    )
