"""Compiles the C programs into the cache, when they are missing or older than their source."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from bench.places import BINARIES, HERE

_FLAGS: Final = ("-O2", "-Wall", "-Wextra")
_SHARED: Final = ("-shared", "-fPIC")


class NoCompiler(Exception):
    """Without a C compiler nothing can be measured: the load generator is written in C."""

    def __init__(self) -> None:
        super().__init__(
            "The benchmarks need a C compiler, and no `cc` was found on PATH. On Debian: apt-get install gcc libc6-dev"
        )


def loadgen() -> Path:
    """Return the load generator."""
    return _built("loadgen.c", "loadgen")


def sink() -> Path:
    """Return the far side."""
    return _built("sink.c", "sink")


def slow_fsync() -> Path:
    """Return the library that makes every sync slower."""
    return _built("slow_fsync.c", "slow_fsync.so", *_SHARED)


def _built(source: str, name: str, *flags: str) -> Path:
    """Return the compiled program.

    Raises:
        NoCompiler: there is no `cc`.

    """
    target = BINARIES / name
    sources = [HERE / source, *HERE.glob("*.h")]
    if target.exists() and all(s.stat().st_mtime <= target.stat().st_mtime for s in sources):
        return target
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler
    BINARIES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BINARIES) as folder:
        made = Path(folder) / name
        subprocess.run([compiler, *_FLAGS, *flags, "-o", made, HERE / source, "-ldl"], check=True)
        made.replace(target)  # at once, so that nobody runs half a program
    return target
