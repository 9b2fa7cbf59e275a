"""docs/reference/ names everything there is, and nothing else."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel
from typer.main import get_command

from chatbridge import config, errors
from chatbridge.cli import app as cli
from chatbridge.connectors.registry import load_connectors
from chatbridge.model import WebhookFormat
from chatbridge.observability.metrics import Metrics
from chatbridge.web.routes import add_routes
from tests.hosts import make_host

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs/reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def first_cells(text: str) -> set[str]:
    """What stands in code in the first column of the tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def kinds(root: type[errors.ChatbridgeError]) -> Iterator[type[errors.ChatbridgeError]]:
    for kind in root.__subclasses__():
        if "code" in vars(kind):
            yield kind
        yield from kinds(kind)


def test_every_error_code_is_explained_and_no_other() -> None:
    assert first_cells(page("errors")) == {kind.code for kind in kinds(errors.ChatbridgeError)}


@pytest.mark.parametrize("kind", [*kinds(errors.RequestRefused)], ids=lambda kind: kind.code)
def test_the_status_of_an_error_is_the_documented_one(kind: type[errors.RequestRefused]) -> None:
    assert f"| `{kind.code}` | {kind.http_status} |" in page("errors")


def test_every_error_stands_in_the_drawing_of_the_tree() -> None:
    for kind in kinds(errors.ChatbridgeError):
        assert re.search(rf"\b{kind.__name__}\b", errors.__doc__ or ""), kind


def names_of(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield from names_of(part, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def test_the_defaults_file_has_every_setting_and_no_other() -> None:
    defaults = tomllib.loads(config.DEFAULTS.read_text(encoding="utf-8"))
    flat = {name for name, value in defaults.items() if not isinstance(value, dict)}
    flat |= {
        f"{part}.{name}" for part, inner in defaults.items() if part not in flat for name in inner
    }
    assert flat == set(names_of(config.Settings))
    for name in defaults:
        assert f"`{name}`" in page("settings")


def test_every_setting_has_a_comment() -> None:
    """Its own, or one above its neighbours."""
    lines = config.DEFAULTS.read_text(encoding="utf-8").splitlines()
    for block in re.split(r"\n\n+", "\n".join(lines)):
        if "=" in block and not block.startswith("[sandbox]") and not block.startswith("[http]"):
            assert "#" in block, block


def test_every_metric_is_explained_and_no_other() -> None:
    names = set()
    for metric in Metrics().registry.collect():
        suffix = "_total" if metric.type == "counter" else ""
        names.add(f"{metric.name}{suffix}")
    ours = {name for name in names if name.startswith("chatbridge_")}
    assert first_cells(page("metrics")) == ours


def test_every_command_is_explained_and_no_other() -> None:
    assert first_cells(page("cli")) == set(paths_of(get_command(cli), "chatbridge"))


def paths_of(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path
    else:
        for name in inner:
            yield from paths_of(inner[name], f"{path} {name}")


def test_every_route_is_explained_and_no_other() -> None:
    app = web.Application()
    add_routes(app, load_connectors(make_host()).values())
    routes = set()
    for route in app.router.routes():
        if route.resource is None or route.method == "HEAD":
            continue
        static = isinstance(route.resource, web.StaticResource)
        routes.add(f"{route.method} {route.resource.canonical}{'/…' if static else ''}")
    shown = {cell for cell in first_cells(page("api")) if " /" in cell}
    assert shown == routes


def test_every_webhook_format_is_explained() -> None:
    assert {one.value for one in WebhookFormat} <= first_cells(page("api"))


def test_links_between_the_pages_lead_somewhere() -> None:
    for file in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", file.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (file.parent / target).exists(), f"{file.name}: {target}"
