"""The code of the how-to for connectors is the sample's, which passes the kit (tests/samples)."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/howto/add-a-connector.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "tests/samples/pigeon"


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def test_the_code_is_that_of_the_sample() -> None:
    shown: defaultdict[str, list[str]] = defaultdict(list)
    for name, block in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        shown[name] += lines_of(block)
    files = [*SAMPLE.rglob("*.py"), SAMPLE / "pyproject.toml"]
    written = {file.name: lines_of(file.read_text(encoding="utf-8")) for file in files}
    del written["__init__.py"]
    assert dict(shown) == written
