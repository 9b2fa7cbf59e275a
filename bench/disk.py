"""How long the disk takes: `python -m bench.disk FOLDER` prints the milliseconds of a sync after a page was appended."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Final

from bench import native
from bench.places import ROOT, RUNS
from bench.processes import SERVER_CPUS, Failed, pinned

_PAGE: Final = bytes(4096)
_TIMES: Final = 100


def slow_sync_ms() -> float:
    """Return how long a sync takes with the library that makes it slower, where the databases of this run are.

    Raises:
        Failed: it could not be measured.

    """
    RUNS.mkdir(parents=True, exist_ok=True)
    with pinned(SERVER_CPUS):
        done = subprocess.run(
            [sys.executable, "-m", "bench.disk", RUNS],
            env=os.environ | {"LD_PRELOAD": os.fspath(native.slow_fsync())},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise Failed(f"the disk was not measured: {done.stderr.strip()}")
    return float(done.stdout)


def _median_ms(folder: str) -> float:
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_TIMES):
            os.write(file.fileno(), _PAGE)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(times)


if __name__ == "__main__":
    print(_median_ms(sys.argv[1]))
