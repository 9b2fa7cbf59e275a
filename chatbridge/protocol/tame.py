"""Typed access to JSON that somebody else wrote: what has the wrong type counts as missing."""

import math
from typing import Any


def members(value: object, *path: str) -> dict[str, Any]:
    """Return the object at this path, an empty one if there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: object) -> str | None:
    """Return a string that says something, None for anything else, `""` included."""
    return value if isinstance(value, str) and value else None


def identifier(value: object) -> str | None:
    """Return a string that can be an id: printable, at most 255 characters. None for anything else."""
    return (
        value if isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable() else None
    )


def whole(value: object, *, below: int = 2**53) -> int | None:
    """Return a whole number that is not negative and below a bound, None for anything else."""
    return value if type(value) is int and 0 <= value < below else None


def number(value: object) -> float | None:
    """Return a finite number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def is_shallow(value: object, levels: int) -> bool:
    """Return whether a value is nested at most so many levels."""
    if not isinstance(value, (dict, list)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(is_shallow(item, levels - 1) for item in inner)
