"""Metrics of several processes, as workers keep them one after another."""

import signal
import subprocess
import sys
from pathlib import Path

from chatbridge.observability.metrics import FOLDER
from tests.processes import ROOT, environment

WORKER = """
import os, signal, sys
from chatbridge.model import Direction
from chatbridge.observability.metrics import Metrics
metrics = Metrics(int(sys.argv[1]))
metrics.taken(Direction.TO_AMOJO, "new")
metrics.answered("/healthz", "GET", 200, 0.03)
metrics.in_memory.set(5)
sys.stdout.buffer.write(metrics.render())
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
"""A worker that counts one of each, shows the metrics of all, and is killed."""


def run(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment({FOLDER: str(folder)}),
        cwd=ROOT,
        capture_output=True,
        check=False,
    )


def shown_by(number: int, folder: Path) -> dict[str, float]:
    done = run(WORKER, folder, str(number))
    assert done.returncode == -signal.SIGKILL, done
    lines = [line for line in done.stdout.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_a_worker_goes_on_with_what_others_of_its_number_counted(tmp_path: Path) -> None:
    for times, number in enumerate((1, 2, 1, 2, 2), start=1):
        shown = shown_by(number, tmp_path)
        assert shown['chatbridge_accepted_total{direction="to_amojo",verdict="new"}'] == times
        route = 'method="GET",route="/healthz",status="200"'
        assert shown[f"chatbridge_http_request_seconds_count{{{route}}}"] == times
        assert shown[f'chatbridge_http_request_seconds_bucket{{le="0.025",{route}}}'] == 0
        assert shown[f'chatbridge_http_request_seconds_bucket{{le="0.05",{route}}}'] == times
    kinds = {file.name.rpartition("_")[0] for file in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 2 * len(kinds)


def test_a_single_server_keeps_its_values_to_itself(tmp_path: Path) -> None:
    alone = "from chatbridge.observability.metrics import Metrics; print(Metrics().render())"
    done = run(alone, tmp_path / "nowhere")
    assert done.returncode == 0, done
    assert b"chatbridge_pending_in_memory 0.0" in done.stdout
