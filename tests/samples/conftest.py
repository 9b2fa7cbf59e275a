"""Packages of others, installed for the tests that stand beside them as an installer would: by their `*.dist-info` on the path."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="package", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have them on the path of this process, and of the servers that it starts."""
    infos = tmp_path_factory.mktemp("installed")
    packages = [file.parent for file in HERE.glob("*/pyproject.toml")]
    for package in packages:
        install(package, infos)
    with pytest.MonkeyPatch.context() as patch:
        for place in (infos, *packages):
            patch.syspath_prepend(place)
        patch.setenv("PYTHONPATH", ":".join(map(str, (infos, *packages))))
        yield


def install(package: Path, infos: Path) -> None:
    """Write down what a package brings, as its `pyproject.toml` says."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = infos / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata)
    points = (
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("".join(points))
