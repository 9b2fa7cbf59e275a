"""Real processes: `python -m chatbridge …` with settings of its own, on a free port, with its log kept."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from chatbridge.testing.processes import environment, free_port

SECONDS = 30
"""How long anything may take on a busy machine before a test says that it does not happen."""

__all__ = [
    "ROOT",
    "SECONDS",
    "Process",
    "environment",
    "free_port",
    "run_cli",
    "stopped_afterwards",
    "until",
]

ROOT = Path(__file__).resolve().parent.parent


def until(condition: Callable[[], object], wanted: str, *, seconds: float = SECONDS) -> None:
    """Return as soon as the condition holds, fail with what was wanted if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {wanted}")
        time.sleep(0.01)


class Process:
    """One of our servers as a process. It can be killed and started again on the same port."""

    def __init__(
        self,
        command: str,
        folder: Path,
        settings: Mapping[str, str],
        port: int,
        *,
        options: Sequence[str] = (),
    ) -> None:
        self.command, self.folder, self.settings, self.port = command, folder, dict(settings), port
        self.options = list(options)
        self.url = f"http://127.0.0.1:{port}"
        self.log_file = folder / f"{command}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, ready_path: str = "/healthz") -> None:
        """Start it and return when it answers."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chatbridge", self.command, *self.options],
                env=environment(self.settings),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(lambda: self._answers(ready_path), f"{self.command} answers")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(SECONDS)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> str:
        """All that it wrote."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def events(self) -> list[dict[str, object]]:
        """Its log as events; a line that is not one fails the test."""
        return [json.loads(line) for line in self.log.splitlines()]

    def _answers(self, path: str) -> bool:
        if not self.running:
            raise AssertionError(f"{self.command} ended at its start:\n{self.log}")
        with (
            contextlib.suppress(URLError, ConnectionError, TimeoutError),
            urlopen(self.url + path, timeout=SECONDS) as answer,
        ):
            return bool(answer.status == 200)
        return False


@contextmanager
def stopped_afterwards(process: Process) -> Iterator[Process]:
    """Leave no process behind, whatever happens."""
    try:
        yield process
    finally:
        if process.running:
            process.terminate()


def run_cli(
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    folder: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "chatbridge", *arguments],
        env=environment(settings or {}),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=SECONDS,
        cwd=folder or ROOT,
    )
