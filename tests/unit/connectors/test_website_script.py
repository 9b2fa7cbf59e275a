"""`/chat.js` and the panel as they are joined, and the rules that their sources keep."""

import re
from pathlib import Path

import pytest

from chatbridge.connectors.website import script
from chatbridge.connectors.website.script import join, lean_css, load_scripts

STATIC = Path(script.__file__).with_name("static")
TOKENS = Path(script.__file__).parents[2] / "look/tokens.css"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in (STATIC / "chat").glob("*.js")}
CSS = "".join(
    (STATIC / f"chat/{name}.css").read_text(encoding="utf-8") for name in ("chat", "panel")
)
TOP_LEVEL = re.compile(
    r"^(?:export )?(?:async )?(?:const|let|function) (?:\[([^\]]+)\]|\{([^}]+)\}|(\w+))",
    re.MULTILINE,
)
LARGEST = 30_000
"""Bytes, unpacked."""


def names(source: str) -> list[str]:
    found = TOP_LEVEL.findall(source)
    return [name for groups in found for name in re.findall(r"\w+", "".join(groups))]


def test_joining() -> None:
    sources = {
        "one.js": 'import { two } from "./two.js";\nimport {\n  three,\n} from "./three.js";\nimport css from "./a.css";\n\n'
        "// Aside.\nexport async function one() {\n  // Why.\n  two(three); // what\n}\n",
        "two.js": 'import { three } from "./three.js";\nconst two = `${three}`;\n',
        "three.js": '/** Said\n * of it. */\nexport const three = "/* 3 */";\n',
        "four.js": "const four = 4;\n",
        "a.css": "/* Of it. */\n.chat { color: red; }\n",
    }
    assert join("one.js", sources) == (
        'const three = "/* 3 */";\nconst two = `${three}`;\nconst css = `.chat{color:red;}`;\n'
        "async function one() {\ntwo(three); // what\n}\n"
    )


@pytest.mark.parametrize(
    ("css", "lean"),
    [
        ("a  {\n  color: red;\n}\n\nb { top: 0 }\n", "a{color:red;}b{top:0}"),
        (".a :is(b, c) > d:not(e) { f: g(1, 2) h }", ".a :is(b,c) > d:not(e){f:g(1,2) h}"),
        ("a { /* : { */ b: calc(1px + 2px) }", "a{b:calc(1px + 2px)}"),
        ("@media (a: 1) { b { c: d } }", "@media (a:1){b{c:d}}"),
    ],
)
def test_lean_css(css: str, lean: str) -> None:
    assert lean_css(css) == lean


def test_every_module_is_needed() -> None:
    imported = set(re.findall(r'from "\./(\w+)\.js"', "".join(SOURCES.values())))
    assert imported | {"main", "renewal"} == set(SOURCES)


def test_no_text_goes_over_several_lines_where_it_would_lose_its_margins() -> None:
    lines = load_scripts().whole.splitlines()
    assert [line for line in lines if line.count("`") % 2] == []


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


@pytest.mark.parametrize("name", ["chat", "panel"])
def test_each_is_small(name: str) -> None:
    assert len(getattr(load_scripts(), name).encode()) < LARGEST


def test_the_script_of_a_page_asks_for_the_panel_it_was_made_with() -> None:
    scripts = load_scripts()
    assert f"const version = `{scripts.version}`;" in scripts.chat
    assert "function createPanel" not in scripts.chat


def test_they_name_no_host_but_the_map() -> None:
    hosts = set(re.findall(r"https?://([\w.-]+)", load_scripts().whole))
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
    defined = set(re.findall(r"--([\w-]+):", CSS + SOURCES["view"] + SOURCES["launcher"]))
    assert set(re.findall(r"var\(--([\w-]+)", CSS)) == defined


def test_every_class_that_is_drawn_is_styled_and_the_other_way_round() -> None:
    styled = set(re.findall(r"\.([a-z]\w*)", CSS))
    code = "".join(SOURCES.values())
    assert {name for name in styled if not re.search(rf"\b{name}\b", code)} == set()
