"""Files of the spool: who may read them, whose they are, and what is left of a write that failed."""

import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatbridge.spool.files import SpoolFile, adopt_orphans
from chatbridge.spool.records import Spooled, encode


def record(number: int, size: int = 10) -> Spooled:
    return Spooled("scope", number, bytes(size))


def read(file: SpoolFile) -> list[int]:
    return [one.arrived_at for records, _ in file.chunks() for one in records]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "spool"


def test_nobody_else_may_read_it(folder: Path) -> None:
    before = os.umask(0)
    try:
        file = SpoolFile.make(folder, "mine")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    file.close()


def test_what_was_written_is_read_in_order_however_large_it_is(folder: Path) -> None:
    file = SpoolFile.make(folder, "mine")
    sizes = [10, 3_000_000, 10, 700_000, 700_000, 0]
    for number, size in enumerate(sizes):
        file.append(encode(record(number, size)))
    assert read(file) == list(range(len(sizes)))
    (first, end), *_ = file.chunks()
    rest = [one.arrived_at for records, _ in file.chunks(end) for one in records]
    assert [one.arrived_at for one in first] + rest == list(range(len(sizes)))
    file.close()


def test_a_file_belongs_to_its_process_until_that_is_gone(folder: Path) -> None:
    file = SpoolFile.make(folder, "mine")
    file.append(encode(record(1)))
    assert adopt_orphans(folder) == []
    file.close()
    (adopted,) = adopt_orphans(folder)
    assert read(adopted) == [1]
    assert adopt_orphans(folder) == [], "it is adopted once"
    adopted.release(keep=False)
    assert list(folder.iterdir()) == []


def test_the_oldest_is_adopted_first(folder: Path) -> None:
    for name in ("2-b", "1-c", "3-a"):
        SpoolFile.make(folder, name).close()
    adopted = adopt_orphans(folder)
    assert [file.path.name for file in adopted] == ["1-c.spool", "2-b.spool", "3-a.spool"]
    for file in adopted:
        file.close()


def test_there_need_not_be_a_folder(folder: Path) -> None:
    assert adopt_orphans(folder) == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 1,000 bytes. (Python ignores the signal that comes with it.)"""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
def test_of_a_write_that_fails_nothing_stays(folder: Path) -> None:
    file = SpoolFile.make(folder, "mine")
    file.append(encode(record(1)))
    with pytest.raises(OSError, match="large"):
        file.append(encode(record(2, 2_000)))
    assert file.path.stat().st_size == file.size
    file.append(encode(record(3)))
    assert read(file) == [1, 3]
    file.close()
