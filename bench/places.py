"""Where things are. Everything that the benchmarks make lies under `var/bench`, which git does not see."""

import os
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
CACHE: Final = ROOT / "var" / "bench"
BINARIES: Final = CACHE / "bin"
RUNS: Final = CACHE / "runs" / str(os.getpid())
"""Databases and logs of this run."""
