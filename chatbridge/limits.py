"""How often somebody may do something. Pure: the time is passed in."""

from typing import Final

_SECOND: Final = 1_000_000
_REMEMBERED: Final = 10_000
"""Names after which those are forgotten whose time is over."""


class Limit:
    """So many at once, and then as many in a minute; each name has its own."""

    def __init__(self, per_minute: int, *, at_once: int | None = None) -> None:
        """Allow `at_once` in a moment, `per_minute` of them if nothing is said."""
        self._interval = 60 * _SECOND // per_minute
        self._ahead = self._interval * ((at_once or per_minute) - 1)
        # When all of a name's doings would be over if each took an interval: the "generic cell rate algorithm".
        self._until: dict[str, int] = {}

    def wait(self, name: str, now: int) -> float:
        """Return 0 if it may do it now, which counts; otherwise the seconds to wait."""
        until = max(self._until.get(name, 0), now)
        if until - now > self._ahead:
            return (until - now - self._ahead) / _SECOND
        if len(self._until) >= _REMEMBERED:
            self._until = {name: until for name, until in self._until.items() if until > now}
        self._until[name] = until + self._interval
        return 0.0
