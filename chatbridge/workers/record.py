"""When a worker that ended is started again. Pure."""

from dataclasses import dataclass
from typing import Final

_DELAYS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before a worker is started again, by how often in a row it ended soon."""
_SOON: Final = 60.0
"""A worker that served for fewer seconds ended soon."""
_HOPELESS: Final = 3
"""How many in a row that never served are enough to expect no better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How the workers of one number fared."""

    soon: int = 0
    """How many in a row ended soon."""
    stillborn: int = 0
    """How many in a row never served."""

    def after(self, served: float | None) -> "Record":
        """Return the record after one more end, `served` seconds after it began to serve, None if it never did."""
        if served is None:
            return Record(soon=self.soon + 1, stillborn=self.stillborn + 1)
        return Record(soon=self.soon + 1 if served < _SOON else 1)

    @property
    def delay(self) -> float:
        """Return the seconds before the next start."""
        return _DELAYS[min(self.soon, len(_DELAYS)) - 1]

    @property
    def hopeless(self) -> bool:
        """Return whether one more start is not worth it."""
        return self.stillborn >= _HOPELESS
