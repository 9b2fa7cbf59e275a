"""What the figures were measured on."""

import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench import servers
from bench.places import ROOT
from bench.processes import LOAD_CPUS, SERVER_CPUS


def describe() -> dict[str, str]:
    """Return the facts that belong to every figure."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        "CPU": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} in all; server on {_listed(SERVER_CPUS)},"
        f" load on {_listed(LOAD_CPUS)}; `workers`: both on all",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": sys.version.split()[0],
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": _postgres(),
        "libraries": ", ".join(
            f"{name} {metadata.version(name)}" for name in ("aiohttp", "uvloop", "SQLAlchemy")
        ),
    }


def _listed(cpus: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(cpus)))


def _postgres() -> str:
    binaries = servers.postgres_binaries()
    return _output(str(binaries / "postgres"), "--version") if binaries else "none"


def _field(file: str, name: str) -> str:
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "unknown")


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
