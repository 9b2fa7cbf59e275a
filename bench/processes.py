"""Processes that are measured: started on CPUs of their own, their time and memory read from /proc, children included."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.places import ROOT

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0

CPUS: Final = sorted(os.sched_getaffinity(0))
SERVER_CPUS: Final = frozenset({CPUS[0]})
"""The server with its threads, children and database."""
LOAD_CPUS: Final = frozenset({CPUS[1 % len(CPUS)]})
"""The load generator and the far side; the same CPU where there is only one."""
ALL_CPUS: Final = frozenset(CPUS)
"""For both, where several processes are what is measured."""


class Failed(Exception):
    """A program of the benchmark did not do what it should; the sentence says which and why."""


@contextlib.contextmanager
def pinned(cpus: Collection[int]) -> Iterator[None]:
    """Start whatever is started here on these CPUs: children inherit where they may run."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """Return a port nobody listens on, below those that the system gives to outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(condition: Callable[[], object], wanted: str, *, seconds: float) -> None:
    """Return as soon as the condition holds.

    Raises:
        Failed: it does not in time.

    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds:g} s: {wanted}")
        time.sleep(0.02)


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command with all that it needs to run."""

    name: str
    command: Sequence[str | Path]
    folder: Path
    """Where its log goes."""
    environment: Mapping[str, str]
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM


def _is_foreign(name: str) -> bool:
    """Return whether a variable of this shell would change what is measured: settings of the server, or that Python compiles anew at each start."""
    return name.startswith("CHATBRIDGE_") or name == "PYTHONDONTWRITEBYTECODE"


class Process:
    """A running program with its children."""

    def __init__(self, program: Program, *, cpus: Collection[int] = SERVER_CPUS) -> None:
        """Start it."""
        self.program = program
        self.log_file = program.folder / f"{program.name}.log"
        kept = {name: value for name, value in os.environ.items() if not _is_foreign(name)}
        with pinned(cpus), self.log_file.open("ab") as log:
            self._popen = subprocess.Popen(
                program.command,
                env={**kept, **program.environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=program.user,
            )

    def wait_for_port(self, port: int) -> None:
        """Return when it takes connections.

        Raises:
            Failed: it ended, or takes none in time.

        """

        def taken() -> bool:
            if self._popen.poll() is not None:
                raise Failed(f"{self.program.name} ended at its start:\n{self.log_end()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        until(taken, f"{self.program.name} listens on port {port}", seconds=_START_SECONDS)

    def log_end(self) -> str:
        """Return the last lines it wrote."""
        text = self.log_file.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-15:])

    def cpu_seconds(self) -> float:
        """Return the processor time that it and its children have used."""
        stats = [_stat(pid) for pid in self._tree()]
        # Fields 14 to 17 of proc_pid_stat(5), counted from the third: user, system, and both of ended children.
        return sum(int(field) for stat in stats for field in stat[11:15]) / _TICKS

    def pss_mb(self) -> float:
        """Return its memory, shared pages counted in parts."""
        return sum(_memory(pid, "smaps_rollup", "Pss:") for pid in self._tree())

    def rss_mb(self) -> float:
        """Return its resident memory."""
        return sum(_memory(pid, "status", "VmRSS:") for pid in self._tree())

    def peak_rss_mb(self) -> float:
        """Return the most resident memory it ever had."""
        return sum(_memory(pid, "status", "VmHWM:") for pid in self._tree())

    def stop(self) -> None:
        """End it and its children."""
        if self._popen.poll() is None:
            self._popen.send_signal(self.program.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)  # what is left of its session
        self._popen.wait(_STOP_SECONDS)

    def _tree(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (stat := _stat(int(entry.name))):
                children.setdefault(int(stat[1]), []).append(int(entry.name))
        found, unseen = [], [self._popen.pid]
        while unseen:
            found.append(unseen.pop())
            unseen += children.get(found[-1], [])
        return found


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat behind the name, which may contain spaces; none for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _memory(pid: int, file: str, field: str) -> float:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    line = next((line for line in text.splitlines() if line.startswith(field)), "0 0")
    return int(line.split()[1]) / 1024
