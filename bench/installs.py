"""Installs what is not ours, pinned, into the cache: a Python environment for the peers, and Node-RED."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.places import CACHE, HERE

_REQUIREMENTS: Final = HERE / "contestants" / "requirements.txt"
_NODE_RED: Final = HERE / "contestants" / "node_red"
_SECONDS: Final = 900


class NotInstalled(Exception):
    """Something of the peers could not be installed; the sentence says what the installer said."""


def peers_python() -> Path:
    """Return the Python that has the peers' libraries.

    Raises:
        NotInstalled: pip failed.

    """
    folder = CACHE / "peers"
    binaries = folder / "bin"
    if _is_new(folder / "installed.txt", _REQUIREMENTS):
        print("  installing the Python peers", flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(binaries / "pip"), "install", "--quiet", "-r", str(_REQUIREMENTS)])
        shutil.copy(_REQUIREMENTS, folder / "installed.txt")
    return binaries / "python"


def node_red() -> Path:
    """Return Node-RED's entry.

    Raises:
        NotInstalled: npm failed.

    """
    folder = CACHE / "node_red"
    manifest = _NODE_RED / "package.json"
    if _is_new(folder / "installed.json", manifest):
        print("  installing Node-RED", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(manifest, folder)
        quiet = ("--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
        _run(["npm", "install", "--prefix", str(folder), *quiet])
        shutil.copy(manifest, folder / "installed.json")
    return folder / "node_modules" / "node-red" / "red.js"


def _is_new(installed: Path, wanted: Path) -> bool:
    return not installed.exists() or installed.read_bytes() != wanted.read_bytes()


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no explanation"]
        raise NotInstalled(f"{Path(command[0]).name}: {lines[-1]}")
