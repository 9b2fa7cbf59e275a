"""The `Retry-After` header."""

import re
from typing import Final

_SECONDS: Final = re.compile(r"\s*(\d{1,9})\s*")


def read_retry_after(value: str | None) -> float | None:
    """Return the seconds it asks to wait, None where it is missing or not a number of seconds.

    The date form is left to the schedule: it needs the far side's clock, and no chat service was seen to use it.
    """
    match = _SECONDS.fullmatch(value) if value else None
    return float(match.group(1)) if match else None
