"""What pages with a chat load, joined from the modules in `static/chat`: few requests for a page, and no build step for us.

`/chat.js` is on every page of a site, so it is small; the panel comes when somebody wants to see it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

_SOURCES: Final = Path(__file__).with_name("static") / "chat"
_MODULE: Final = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)
_TEXT: Final = re.compile(r'^import (\w+) from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)
_COMMENT: Final = re.compile(r"^ *(?:/\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_MARGIN: Final = re.compile(r"^\s+", re.MULTILINE)
_CSS_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_SPACE: Final = re.compile(r"\s*([{};])\s*|(?<=[:,]) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripts:
    """What is given out."""

    chat: str
    """`/chat.js`: launcher, connection, and what waits to be sent."""
    panel: str
    """A module with everything that is seen when the chat is open."""
    version: str
    """The panel's, which stands in its address. Only the `/chat.js` that was made with it understands it."""
    whole: str
    """A module with both, for a page whose `/chat.js` asks for a panel of another version."""


def load_scripts() -> Scripts:
    """Read the modules and return the scripts."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in _SOURCES.iterdir()}
    panel = f"{join('panel.js', sources)}export default createPanel;\n"
    version = sha256(panel.encode()).hexdigest()[:16]
    chat = join("main.js", sources | {"panel.version": version})
    return Scripts(
        chat=f'(() => {{\n"use strict";\n{chat}}})();\n',
        panel=panel,
        version=version,
        whole=f"{join('renewal.js', sources)}export default renew;\n",
    )


def join(entry: str, sources: Mapping[str, str]) -> str:
    """Return what a module needs and itself as one script. They share one scope, so no two may have a name in common.

    What is imported and is no module becomes a constant. Comments and margins stay in the sources: a visitor's telephone
    has no use for them.
    """
    names = dict.fromkeys(_each_behind_its_imports(entry, sources))
    return "".join(_lean(sources[name], sources) for name in names)


def _each_behind_its_imports(name: str, sources: Mapping[str, str]) -> Iterator[str]:
    for wanted in _MODULE.findall(sources[name]):
        yield from _each_behind_its_imports(wanted, sources)
    yield name


def _lean(source: str, sources: Mapping[str, str]) -> str:
    def constant(found: re.Match[str]) -> str:
        name, file = found.groups()
        return f"const {name} = `{lean_css(sources[file])}`;\n"

    code = _EXPORT.sub("", _TEXT.sub(constant, _MODULE.sub("", source)))
    return _MARGIN.sub("", _COMMENT.sub("", code))


def lean_css(css: str) -> str:
    """Return the same rules in fewer bytes."""
    return _CSS_SPACE.sub(r"\1", _CSS_COMMENT.sub("", css)).strip()
