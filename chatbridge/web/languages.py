"""The language in which somebody is answered."""

from typing import Final, Literal

Language = Literal["en", "ru"]

_KNOWN: Final[tuple[Language, ...]] = ("en", "ru")


def language_of(accept_language: str) -> Language:
    """Return the language that the header `Accept-Language` likes best of those we speak: English if it names none."""
    wanted: dict[Language, float] = {}
    for entry in accept_language.split(","):
        tag, _, quality = entry.strip().partition(";")
        for known in _KNOWN:
            if tag.strip().lower().partition("-")[0] == known:
                wanted[known] = max(wanted.get(known, 0.0), _weight(quality))
    # Of equals the first one named.
    return max(wanted, key=lambda known: wanted[known], default="en")


def _weight(quality: str) -> float:
    text = quality.strip().removeprefix("q=")
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
