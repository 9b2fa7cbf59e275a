"""The far side as a process: see `sink.c` for what it plays and counts."""

import json
import subprocess
import time
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Final, Self

from bench import native
from bench.processes import LOAD_CPUS, Failed, pinned

_QUIET_SECONDS: Final = 20.0
"""Without a delivery for so long, nothing more is expected."""


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """What arrived in a run."""

    distinct: int
    duplicates: int
    inversions: int
    gaps: int
    unsigned: int
    strays: int
    """Of other runs than the one that is counted."""
    refused: int
    first_ns: int
    last_ns: int
    p50_ms: float
    p99_ms: float


class Sink:
    """amoCRM's chat service and the messenger's webhook in one, on a port of its own."""

    def __init__(self, *, cpus: Collection[int] = LOAD_CPUS) -> None:
        """Start it."""
        with pinned(cpus):
            self._popen = subprocess.Popen(
                [native.sink()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self.port = int(self._line().split()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        with self._popen:  # waits, and closes the pipes
            self._popen.terminate()

    def begin(self, run: int) -> None:
        """Forget everything and count the messages of this run."""
        self._order(f"run {run}")

    def answer(self, status: int) -> None:
        """Answer like this: 200, 503, or 0 for never."""
        self._order(f"answer {status}")

    def block(self, conversation: int) -> None:
        """Answer 503 to one conversation; -1 for none."""
        self._order(f"block {conversation}")

    def hang(self, run: int) -> None:
        """Never answer the messages of one run, which are not counted either; -1 for none."""
        self._order(f"hang {run}")

    def arrivals(self) -> Arrivals:
        """Return what arrived so far."""
        members = json.loads(self._order("stats"))
        return Arrivals(**{field.name: members[field.name] for field in fields(Arrivals)})

    def wait_for(self, distinct: int, *, seconds: float) -> Arrivals:
        """Return when so many messages have arrived, or when it is clear that they will not."""
        deadline = time.monotonic() + seconds
        seen, heard = 0, time.monotonic()
        while True:
            arrivals = self.arrivals()
            now = time.monotonic()
            if arrivals.distinct > seen:
                seen, heard = arrivals.distinct, now
            if arrivals.distinct >= distinct or now > min(deadline, heard + _QUIET_SECONDS):
                return arrivals
            time.sleep(0.02)

    def _order(self, line: str) -> str:
        if self._popen.stdin is None:
            raise Failed("the sink has no standard input")
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()
        return self._line()

    def _line(self) -> str:
        line = self._popen.stdout.readline() if self._popen.stdout else ""
        if not line:
            raise Failed("the sink ended")
        return line
