"""Files of the spool. Each belongs to one process, which holds a lock on it; what a dead one left is adopted by the next.

Everything here blocks: it is called in threads.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from chatbridge.spool.records import Spooled, decode

SUFFIX: Final = ".spool"
KEPT: Final = ".kept"
"""Behind the name of a file with something that could not be read or taken."""
_READ: Final = 1 << 20


class SpoolFile:
    """One file, open and locked."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over a file that is locked."""
        self.path, self._descriptor = path, descriptor
        self.size = os.fstat(descriptor).st_size
        """Bytes that are on disk."""

    @classmethod
    def make(cls, folder: Path, name: str) -> Self:
        """Make a file that only its owner can read, in a folder that is made if it is not there.

        Raises:
            OSError: there is no room, or it is forbidden.

        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, unlocked = folder / (name + SUFFIX), folder / name
        descriptor = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            # It gets its name when it is locked: nobody takes it for an orphan meanwhile.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unlocked.rename(path)
            _sync_folder(folder)
        except OSError:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Return a file whose process is gone, None if another process has it."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if os.fstat(descriptor).st_nlink == 0:
            # Whoever had the lock a moment ago was done with it.
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    def append(self, data: bytes) -> None:
        """Write at the end; when this returns it is on disk.

        Raises:
            OSError: there is no room, or the disk is at fault; nothing of it stays.

        """
        try:
            done = 0
            while done < len(data):
                done += os.pwrite(self._descriptor, data[done:], self.size + done)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(data)

    def chunks(self, begin: int = 0) -> Iterator[tuple[list[Spooled], int]]:
        """Give the records from a place on, some at a time, and where each time the next one begins."""
        length = _READ
        while begin < self.size:
            data = os.pread(self._descriptor, min(length, self.size - begin), begin)
            records, size = decode(data)
            if records:
                begin += size
                yield records, begin
            elif len(data) == self.size - begin or not data:
                return
            else:
                length *= 2

    def release(self, *, keep: bool) -> None:
        """Take the file away, or only out of the way, and let go of it."""
        if keep:
            self.path.rename(self.path.with_name(self.path.name + KEPT))
        else:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def close(self) -> None:
        """Leave the file to whoever adopts it."""
        os.close(self._descriptor)


def adopt_orphans(folder: Path) -> list[SpoolFile]:
    """Return the files in a folder whose processes are gone, the oldest first."""
    found = (SpoolFile.adopt(path) for path in sorted(folder.glob("*" + SUFFIX)))
    return [file for file in found if file is not None]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
