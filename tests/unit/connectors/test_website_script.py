"""`/chat.js` as it is joined, and the rules that its sources keep."""

import gzip
import re
from pathlib import Path

import pytest

from chatbridge.connectors.website import script
from chatbridge.connectors.website.script import MODULES, join_script, load_script

STATIC = Path(script.__file__).with_name("static")
TOKENS = Path(script.__file__).parents[2] / "look/tokens.css"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in (STATIC / "chat").glob("*.js")}
TOP_LEVEL = re.compile(
    r"^(?:export )?(?:async )?(?:const|let|function) (?:\[([^\]]+)\]|\{([^}]+)\}|(\w+))",
    re.MULTILINE,
)
LARGEST = 30_000
"""Bytes on the wire, where it is compressed."""


def names(source: str) -> list[str]:
    found = TOP_LEVEL.findall(source)
    return [name for groups in found for name in re.findall(r"\w+", "".join(groups))]


def test_joining() -> None:
    modules = {
        "one": 'import { two } from "./two.js";\n\n/** Said\n * of it. */\nexport const one = "/* 1 */";\n',
        "two": "import {\n  one,\n} from './one.js';\n// Aside.\nasync function main() {\n  // Why.\n  one(); // what\n}\n",
    }
    assert join_script(modules, "/* Of it. */\n.chat { color: red; }\n") == (
        '(() => {\n"use strict";\nconst css = `\n.chat { color: red; }\n`;\n'
        'const one = "/* 1 */";\nasync function main() {\n  one(); // what\n}\n})();\n'
    )


def test_every_module_is_in_it_and_behind_what_it_imports() -> None:
    assert sorted(MODULES) == sorted(SOURCES)
    for place, name in enumerate(MODULES):
        imported = re.findall(r'from "\./(\w+)\.js"', SOURCES[name])
        assert set(imported) <= set(MODULES[:place]), name


def test_modules_share_one_scope_in_peace() -> None:
    everything = [name for source in SOURCES.values() for name in names(source)]
    assert len(everything) == len(set(everything))
    used_of_the_page = {"location", "history", "navigator", "document", "name", "open", "close"}
    assert not used_of_the_page & set(everything)


def test_what_is_imported_is_exported_and_used() -> None:
    for name, source in SOURCES.items():
        for wanted, module in re.findall(r'import \{([^}]+)\} from "\./(\w+)\.js"', source):
            for one in re.findall(r"\w+", wanted):
                assert re.search(
                    rf"^export (?:async )?(?:const|function) {one}\b", SOURCES[module], re.MULTILINE
                )
                assert len(re.findall(rf"\b{one}\b", source)) > 1, f"{name} does not use {one}"


@pytest.mark.parametrize(
    "word",
    [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        ".style.",
        "cookie",
    ],
)
def test_words_that_have_no_place_in_it(word: str) -> None:
    assert [name for name, source in SOURCES.items() if word in source] == []


def test_it_is_small_as_it_travels() -> None:
    assert len(gzip.compress(load_script().encode())) < LARGEST


def test_it_names_no_host_but_the_map() -> None:
    hosts = set(re.findall(r"https?://([\w.-]+)", load_script()))
    assert hosts == {"www.w3.org", "www.openstreetmap.org"}


def test_its_tokens_are_those_of_the_family() -> None:
    def schemes(css: str) -> list[dict[str, str]]:
        return [
            dict(re.findall(r"--([\w-]+): ([^;]+);", part))
            for part in css.split("@media (prefers-color", 1)
        ]

    family = schemes(TOKENS.read_text(encoding="utf-8"))
    chat = schemes((STATIC / "chat/chat.css").read_text(encoding="utf-8").split(":host")[0])
    for ours, theirs in zip(chat, family, strict=True):
        assert ours.items() <= theirs.items()
        assert ours


def test_every_token_that_is_used_exists() -> None:
    css = (STATIC / "chat/chat.css").read_text(encoding="utf-8")
    defined = set(re.findall(r"--([\w-]+):", css + SOURCES["view"]))
    assert set(re.findall(r"var\(--([\w-]+)", css)) == defined


def test_every_class_that_is_drawn_is_styled_and_the_other_way_round() -> None:
    css = (STATIC / "chat/chat.css").read_text(encoding="utf-8")
    styled = set(re.findall(r"\.([a-z]\w*)", css))
    code = "".join(SOURCES.values())
    assert {name for name in styled if not re.search(rf"\b{name}\b", code)} == set()
