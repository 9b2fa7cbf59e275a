"""The machine under a server: its clock and its disk, which can be wrong, slow or full."""

import contextlib
import errno
import mmap
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

_SHIM = Path(__file__).with_name("faults.c")
_SWITCHES = struct.Struct("=qqq")
_SMALL = "size=64m"


def compile_shim(folder: Path) -> Path:
    """The library that lies to a server, compiled from faults.c."""
    library = folder / "faults.so"
    command = ["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, _SHIM, "-ldl"]
    subprocess.run(command, check=True)
    return library


class Machine:
    """The switches of one server's machine. A server under `environment` sees each change at once."""

    def __init__(self, shim: Path, folder: Path) -> None:
        path = folder / "switches"
        path.write_bytes(bytes(_SWITCHES.size))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SWITCHES.size)
        self.environment = {"LD_PRELOAD": str(shim), "TORTURE_SWITCHES": str(path)}
        self._values = {"clock": 0, "fsync": 0, "full": 0}

    def set_clock(self, seconds: float) -> None:
        """Let the clock of the day be wrong by this much."""
        self._switch("clock", int(seconds * 1_000_000))

    def slow_down(self, seconds: float) -> None:
        """Let every fsync take longer by this much."""
        self._switch("fsync", int(seconds * 1_000_000))

    def fill(self, *, full: bool) -> None:
        """Let the disk be full, or let it have room again."""
        self._switch("full", int(full))

    def _switch(self, name: str, value: int) -> None:
        self._values[name] = value
        self._page[:] = _SWITCHES.pack(*self._values.values())


class Disk:
    """A folder for a database whose disk can be full: a small one of its own, or else one that only seems full."""

    def __init__(self, folder: Path, machine: Machine, *, own: bool) -> None:
        self.folder, self._machine, self._own = folder, machine, own
        self.kind = "a small tmpfs" if own else "the shim"
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room."""
        if not self._own:
            self._machine.fill(full=True)
            return
        with self._filler.open("wb", buffering=0) as filler:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(_NoRoomError):
                    while True:
                        _write(filler.fileno(), bytes(size))

    def empty(self) -> None:
        """Give the room back."""
        self._machine.fill(full=False)
        self._filler.unlink(missing_ok=True)


class _NoRoomError(Exception):
    pass


def _write(fd: int, data: bytes) -> None:
    try:
        written = os.write(fd, data)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _NoRoomError from None
    if written < len(data):
        raise _NoRoomError


@contextlib.contextmanager
def small_disk(folder: Path, machine: Machine) -> Iterator[Disk]:
    """A disk that can be filled. Only root may mount one; everybody else gets one that seems full."""
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", _SMALL, "torture", folder]
    own = mount is not None and os.geteuid() == 0 and subprocess.run(
        command, check=False, capture_output=True
    ).returncode == 0  # fmt: skip
    try:
        yield Disk(folder, machine, own=own)
    finally:
        if own:
            subprocess.run(["umount", "--lazy", folder], check=True)
