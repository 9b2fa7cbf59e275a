"""What happened, as the world outside the servers saw it. Times are seconds since the run began."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

TO_AMOJO = "to_amojo"
TO_MESSENGER = "to_messenger"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One attempt to hand a message to a server: a client's POST or a callback of amoCRM."""

    direction: str
    conversation: str
    id: str
    text: str
    node: int
    begun: float
    ended: float
    status: int | None
    """None if no whole answer came."""

    @property
    def accepted(self) -> bool:
        """Whether the server said that it has it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A far side took a message, be it for the first time or again."""

    direction: str
    conversation: str
    id: str
    text: str
    delivery_id: str
    """What the far side may tell repeats by."""
    at: float


@dataclass(frozen=True, kw_only=True)
class TurnedAway:
    """A far side refused an attempt to deliver."""

    direction: str
    id: str
    status: int
    at: float


@dataclass(frozen=True, kw_only=True)
class Disturbed:
    """A fault, from just before it began until everything was in place again."""

    kind: str
    target: str
    begun: float
    ended: float
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """The server gave a message up and said why."""

    direction: str
    id: str
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A server showed a fault of its own: a traceback, an end that nobody asked for."""

    node: int
    words: str
    at: float


Event = Sent | Arrived | TurnedAway | Disturbed | GivenUp | Broken
_NAMES: dict[str, type[Event]] = {
    kind.__name__.lower(): kind for kind in (Sent, Arrived, TurnedAway, Disturbed, GivenUp, Broken)
}


class History:
    """The events of a run in memory and, line by line, in a file."""

    def __init__(self, file: IO[str] | None = None) -> None:
        self.events: list[Event] = []
        self._file = file
        self._beginning = time.monotonic()
        self.accepted: set[str] = set()
        self.arrived: set[str] = set()

    def now(self) -> float:
        """Seconds since the run began."""
        return round(time.monotonic() - self._beginning, 6)

    def add(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Sent) and event.accepted:
            self.accepted.add(event.id)
        if isinstance(event, Arrived):
            self.arrived.add(event.id)
        if self._file is not None:
            line = {"event": type(event).__name__.lower()} | asdict(event)
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(path: Path) -> Iterable[Event]:
    """The events in a file; the first line, which names the run, is left out."""
    for line in path.read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        kind = _NAMES.get(values.pop("event"))
        if kind is not None:
            yield kind(**values)
