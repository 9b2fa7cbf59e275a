"""The log of SQLite: copied beside the writer, it stays short however long the writing goes on."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chatbridge.store.checkpoints import Checkpoints
from tests.processes import until

PAGE = 4_096


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = opened(tmp_path / "a.db")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB)")
    yield connection
    connection.close()


def opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


def test_the_log_begins_anew_while_writing_never_stops(
    writer: sqlite3.Connection, tmp_path: Path
) -> None:
    checkpoints = Checkpoints(lambda: opened(tmp_path / "a.db"), length=50)
    checkpoints.start()
    log, written = tmp_path / "a.db-wal", 0
    try:

        def many_times_its_length() -> bool:
            nonlocal written
            for _ in range(200):
                writer.execute("INSERT INTO rows (body) VALUES (zeroblob(3000))")
                checkpoints.note_commit(writer)
                written += 1
            return written * PAGE > 5 * log.stat().st_size

        until(many_times_its_length, "the log is a small part of what was written")
    finally:
        checkpoints.stop()
    assert writer.execute("SELECT count(*) FROM rows").fetchall() == [(written,)]


def test_a_copy_that_fails_stops_nobody(writer: sqlite3.Connection, tmp_path: Path) -> None:
    broken = opened(tmp_path / "a.db")
    broken.close()
    checkpoints = Checkpoints(lambda: broken, length=1)
    with capture_logs() as told:
        checkpoints.start()
        writer.execute("INSERT INTO rows (body) VALUES ('a')")
        checkpoints.note_commit(writer)
        until(lambda: told, "the copy has failed")
        checkpoints.stop()
    assert {one["event"] for one in told} == {"log_not_copied"}
    assert writer.execute("SELECT count(*) FROM rows").fetchall() == [(1,)]


def test_what_never_began_can_be_stopped(tmp_path: Path) -> None:
    Checkpoints(lambda: opened(tmp_path / "a.db")).stop()
