"""What `python -m tests.torture` says before it begins, and where histories go."""

from pathlib import Path

import pytest

from tests.torture.__main__ import main
from tests.torture.runs import new_folder


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--faults", "kill,full_dsk"], "no such fault: full_dsk; there are answer_429"),
        (["--nodes", "0"], "--nodes must be 1 or more"),
        (["--nodes", "2", "--database", "sqlite"], "SQLite serves one node"),
        (["--faults", "full_disk", "--database", "postgresql"], "None of these faults"),
        (["--faults", "long_pause"], "None of these faults"),
    ],
)
def test_what_cannot_be_run_is_said(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main([*options, "--kills", "0", "--runs", "0"])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    said = capsys.readouterr()
    assert words in said.out + said.err


def test_a_history_is_never_replaced_by_that_of_another_run(tmp_path: Path) -> None:
    place = tmp_path / "var"
    assert new_folder(place, "7-mixed-1") == place / "7-mixed-1"
    (place / "7-mixed-1" / "history.ndjson").touch()
    assert new_folder(place, "7-mixed-1") == place / "7-mixed-1.2"
    assert new_folder(place, "7-mixed-1") == place / "7-mixed-1.3"
    assert (place / "7-mixed-1" / "history.ndjson").exists()
