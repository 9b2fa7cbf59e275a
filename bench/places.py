"""Where things are. Everything that the benchmarks make lies under `var/bench`, which git does not see."""

from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
CACHE: Final = ROOT / "var" / "bench"
BINARIES: Final = CACHE / "bin"
RUNS: Final = CACHE / "runs"
"""Databases, templates and logs of the run that is under way."""
