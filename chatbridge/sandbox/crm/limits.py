"""How often an integration may call an account."""

from collections import deque
from collections.abc import Callable

from chatbridge.sandbox.switches import Switches

WINDOW_S = 1.0
PATIENCE_S = 60.0


class Limits:
    """Seven requests a second; too many refusals within a minute, and all is refused for the next one."""

    def __init__(self, switches: Switches, now: Callable[[], float]) -> None:
        self._switches = switches
        self._now = now
        self.clear()

    def clear(self) -> None:
        """Forget who called."""
        self._taken: dict[tuple[str, str], deque[float]] = {}
        self._refused: dict[tuple[str, str], deque[float]] = {}
        self._banned_until: dict[tuple[str, str], float] = {}

    def refusal(self, caller: tuple[str, str]) -> int | None:
        """Count a request; return 429 or 403 if it is refused."""
        now = self._now()
        if now < self._banned_until.get(caller, 0):
            return 403
        allowed = int(self._switches.number("crm_limit"))
        taken = _recent(self._taken.setdefault(caller, deque()), now - WINDOW_S)
        if not allowed or len(taken) < allowed:
            taken.append(now)
            return None
        refused = _recent(self._refused.setdefault(caller, deque()), now - PATIENCE_S)
        refused.append(now)
        patience = int(self._switches.number("crm_ban_after"))
        if patience and len(refused) >= patience:
            self._banned_until[caller] = now + PATIENCE_S
            refused.clear()
        return 429


def _recent(times: deque[float], since: float) -> deque[float]:
    while times and times[0] <= since:
        times.popleft()
    return times
