"""The folder in which the workers of a server keep the values of their metrics, so that any of them can show all."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PREFIX: Final = "chatbridge-metrics-"
_UNFINISHED: Final = "chatbridge-new-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesFolder:
    """A folder, and the descriptor through which it is locked; it stays so while any process has that open."""

    path: str
    lock: int


@contextmanager
def values_folder() -> Iterator[ValuesFolder]:
    """Make a folder, and take it away at the end, together with those that killed parents left behind.

    It is locked (flock), for two readers: the next parent, which so finds out what belongs to nobody any more, and those who tidy the
    system's folder for temporary files by age, as systemd-tmpfiles does; they leave a locked folder alone.
    """
    _take_away_left_behind()
    # It gets the name by which it is found, and found unlocked, only after it was locked.
    unfinished = tempfile.mkdtemp(prefix=_UNFINISHED)
    lock = os.open(unfinished, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        path = unfinished.replace(_UNFINISHED, _PREFIX)
        os.rename(unfinished, path)  # noqa: PTH104 - its name is a string everywhere else
        try:
            yield ValuesFolder(path=path, lock=lock)
        finally:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def _take_away_left_behind() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError), _opened(folder) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
