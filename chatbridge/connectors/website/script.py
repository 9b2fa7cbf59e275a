"""`/chat.js`, joined from the modules in `static/chat`: one request for a page, and no build step for us."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MODULES: Final = (
    "words",
    "dom",
    "colour",
    "timeline",
    "connection",
    "store",
    "outbox",
    "uploads",
    "visit",
    "sound",
    "bodies",
    "bubbles",
    "list",
    "composer",
    "form",
    "view",
    "conversation",
    "main",
)
"""In an order in which each stands behind what it imports. They share one scope, so no two may have a name in common."""

_STATIC: Final = Path(__file__).with_name("static")
_IMPORT: Final = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)
_COMMENT: Final = re.compile(r"^ *(?:/\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_BLANK: Final = re.compile(r"\n{2,}")


def load_script() -> str:
    """Read the modules and return the script."""
    modules = {name: (_STATIC / f"chat/{name}.js").read_text(encoding="utf-8") for name in MODULES}
    return join_script(modules, (_STATIC / "chat/chat.css").read_text(encoding="utf-8"))


def join_script(modules: Mapping[str, str], css: str) -> str:
    """Return one script that runs the modules in their order, none of whose names reach the page.

    Comments stay in the sources: a visitor's telephone has no use for them.
    """
    parts = [f"const css = `\n{css}`;\n", *modules.values()]
    code = "".join(_EXPORT.sub("", _IMPORT.sub("", part)) for part in parts)
    lean = _BLANK.sub("\n", _COMMENT.sub("", code))
    return f'(() => {{\n"use strict";\n{lean}}})();\n'
