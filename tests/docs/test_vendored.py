"""What others wrote is kept as they published it, and each file is known by its hash."""

import hashlib
import json
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "chatbridge"
FOLDERS = [path.parent for path in PACKAGE.rglob("vendor.json")]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_vendored_files_are_the_published_ones(folder: Path) -> None:
    listed = {
        f"{one['name']}@{one['version']}/{name}": digest
        for one in json.loads((folder / "vendor.json").read_text())
        for name, digest in one["files"].items()
    }
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "vendor.json"
    }
    assert found == listed


def test_both_places_are_looked_at() -> None:
    assert {folder.parent.name for folder in FOLDERS} == {"sandbox", "static"}
