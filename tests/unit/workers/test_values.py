"""Folders of metrics: none is left behind for good, none is taken from under those who use it."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from chatbridge.workers.values import values_folder
from tests.processes import ROOT, environment, until

KILLED_PARENT = """
import os, signal, subprocess
from chatbridge.workers.values import values_folder
with values_folder() as folder:
    subprocess.Popen(["cat"], pass_fds=[folder.lock])
    print(folder.path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""Its worker lives until its standard input ends."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_gone_afterwards_with_what_is_in_it(temporary: Path) -> None:
    with values_folder() as folder:
        (Path(folder.path) / "counter_1.db").touch()
        assert list(temporary.iterdir()) == [Path(folder.path)]
    assert list(temporary.iterdir()) == []


def test_servers_on_one_machine_leave_each_others_folders_alone(temporary: Path) -> None:
    with values_folder() as one, values_folder() as other:
        assert sorted(map(str, temporary.iterdir())) == sorted([one.path, other.path])


def test_what_a_killed_parent_left_is_taken_away_once_its_workers_are_gone(temporary: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED_PARENT],
        cwd=ROOT,
        env=environment({"TMPDIR": str(temporary)}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    left = Path(parent.stdout.readline().decode().strip())
    parent.wait()
    with values_folder():
        assert left.is_dir()

    parent.stdin.close()
    parent.stdout.close()

    def is_taken_away() -> bool:
        with values_folder():
            return not left.exists()

    until(is_taken_away, "the folder is taken away")


def test_where_a_link_leads_nothing_is_taken_away(temporary: Path, tmp_path_factory: pytest.TempPathFactory) -> None:  # fmt: skip
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "file").touch()
    (temporary / "chatbridge-metrics-link").symlink_to(elsewhere)
    with values_folder():
        pass
    assert (elsewhere / "file").exists()
