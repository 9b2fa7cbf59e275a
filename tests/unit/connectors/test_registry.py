"""Connectors are found by their entry points, those of other packages as well."""

import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chatbridge.connectors.registry import GROUP, load_connectors
from chatbridge.errors import ConfigurationError
from tests.hosts import make_host

PIGEON = """
from chatbridge.connectors.base import Connector, Delivery, Taken

class Pigeons(Connector):
    kind = "pigeon"

    async def send(self, delivery: Delivery) -> Taken:
        return Taken()

class Owls:
    def __init__(self, host: object) -> None: ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package `pigeonry`, whose entry points a test writes."""
    (tmp_path / "pigeonry.py").write_text(PIGEON)
    info = tmp_path / "pigeonry-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeonry\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pigeonry", raising=False)
    return info / "entry_points.txt"


def test_a_connector_of_another_package(package: Path) -> None:
    package.write_text(f"[{GROUP}]\npigeon = pigeonry:Pigeons\n")
    connectors = load_connectors(make_host())
    assert connectors["pigeon"].kind == "pigeon"
    assert "backend" in connectors


@pytest.mark.parametrize(
    "line", ["pigeon = pigeonry:Owls", "dove = pigeonry:Pigeons", "pigeon = nowhere:Pigeons"]
)
def test_one_that_cannot_be_loaded_is_missing(package: Path, line: str) -> None:
    package.write_text(f"[{GROUP}]\n{line}\n")
    with capture_logs() as logs:
        connectors = load_connectors(make_host())
    assert line.split(maxsplit=1)[0] not in connectors
    assert "backend" in connectors
    assert [log["event"] for log in logs] == ["connector_not_loaded"]


def test_two_of_a_kind(package: Path) -> None:
    package.write_text(f"[{GROUP}]\nbackend = pigeonry:Pigeons\n")
    with pytest.raises(ConfigurationError, match="'backend'"):
        load_connectors(make_host())
