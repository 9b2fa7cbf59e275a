"""The look: tokens, both schemes, no overflow, words in both languages."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.pages.serving import PACKAGE

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOLDERS = ("look", "sandbox/pages", "demo/pages")
READABLE = 4.5  # contrast asked for by WCAG 2.2 AA
PAIRS = [
    ("text", "surface"),
    ("text", "canvas"),
    ("text", "bubble"),
    ("text", "bubble-own"),
    ("text-soft", "surface"),
    ("text-soft", "surface-sunk"),
    ("text-soft", "surface-hover"),
    ("text-soft", "bubble"),
    ("text-soft", "bubble-own"),
    ("text-soft", "chat"),
    ("accent-text", "surface"),
    ("accent-text", "accent-soft"),
    ("accent-text", "bubble"),
    ("accent-text", "bubble-own"),
    ("on-accent", "accent"),
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("warn", "surface"),
    ("bad", "bad-soft"),
    ("bad", "chat"),
    ("bad", "bubble-own"),
]


def sources(pattern: str) -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (PACKAGE / folder).glob(pattern))


def tokens(scheme: str) -> dict[str, str]:
    light, dark = (PACKAGE / "look/tokens.css").read_text().split("@media")
    colours = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
    return dict(colours.findall(light)) | (dict(colours.findall(dark)) if scheme == "dark" else {})


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
async def test_colours_are_readable_on_each_other(scheme: str, front: str, back: str) -> None:
    chosen = tokens(scheme)
    dark, bright = sorted((luminance(chosen[front]), luminance(chosen[back])))
    assert (bright + 0.05) / (dark + 0.05) >= READABLE


async def test_colours_are_chosen_in_one_file() -> None:
    elsewhere = [path for path in sources("*.css") if path.name != "tokens.css"]
    used = {
        path.name: re.findall(r"#[0-9a-f]{6}\b|rgb\([1-9]", path.read_text()) for path in elsewhere
    }
    assert not {name: colours for name, colours in used.items() if colours}


async def test_every_token_that_is_used_exists() -> None:
    defined = set(re.findall(r"--([\w-]+):", (PACKAGE / "look/tokens.css").read_text()))
    used = {
        name
        for path in sources("*.css")
        for name in re.findall(r"var\(--([\w-]+)", path.read_text())
    }
    assert used <= defined
    assert defined <= used


@pytest.mark.parametrize(
    ("scheme", "colour"), [("light", "rgb(26, 31, 41)"), ("dark", "rgb(231, 235, 241)")]
)
async def test_the_scheme_of_the_system_is_followed(
    scheme: str, colour: str, demo: Any, visit: Any
) -> None:
    page = await visit(demo.running.origin, scheme=scheme)
    await expect(page.locator("body")).to_have_css("color", colour)
    frame = page.frame_locator(".operator__frame")
    await expect(frame.locator("body")).to_have_css("color", colour)


async def overflowing(page: Page) -> list[str]:
    return await page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll("header, nav, main, section, .button, .sign")]
            .filter((one) => one.offsetParent !== null || one === document.documentElement)
            .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "hidden")
            .map((one) => `${one.tagName}.${one.className}: ${one.scrollWidth} > ${one.clientWidth}`)"""
    )


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
@pytest.mark.parametrize("widths", [(320, 390), (768, 1024, 1280, 1600)], ids=["narrow", "wide"])
async def test_nothing_is_wider_than_its_place(
    locale: str, widths: tuple[int, ...], demo: Any, sandbox: Any, visit: Any
) -> None:
    sandbox.add_chat()
    sandbox.add_message(text="Здравствуйте! " * 20 + "x" * 300)
    demo.add_message(text="Здравствуйте! " * 20 + "x" * 300)
    for address in (demo.running.origin, sandbox.running.origin):
        page = await visit(address, locale=locale, width=widths[0])
        await expect(page.locator(".message, .chat-row").first).to_be_visible()
        for width in widths:
            await page.set_viewport_size({"width": width, "height": 800})
            assert await overflowing(page) == [], f"{width} pixels wide"


def literal(path: Path) -> str:
    text = path.read_text()
    return text[text.index("{") : text.rindex("}") + 1]


async def dictionary(page: Page, path: Path) -> dict[str, Any]:
    return await page.evaluate(f"() => ({literal(path)})")


def forms(entry: Any) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


def gaps(entry: Any) -> set[str]:
    return {name for text in forms(entry) for name in re.findall(r"\{(\w+)\}", text)}


@pytest.mark.parametrize("folder", FOLDERS)
async def test_both_languages_say_the_same_things(folder: str, browser: Any) -> None:
    page = await browser.new_page()
    en = await dictionary(page, PACKAGE / folder / "texts.en.js")
    ru = await dictionary(page, PACKAGE / folder / "texts.ru.js")
    await page.close()
    assert list(en) == list(ru) == sorted(en)
    for key in en:
        assert gaps(en[key]) == gaps(ru[key]), key
        if isinstance(en[key], dict):
            assert set(en[key]) == {"one", "other"}
            assert set(ru[key]) == {"one", "few", "many", "other"}


async def test_every_text_is_used_and_every_used_text_exists(browser: Any) -> None:
    page = await browser.new_page()
    paths = sources("texts.en.js")
    known = {key for path in paths for key in await dictionary(page, path)}
    await page.close()
    scripts = [path.read_text() for path in sources("*.js") if not path.name.startswith("texts.")]
    quoted = {word for script in scripts for word in re.findall(r"[\"`]([\w.]+)[\"`]", script)}
    families = {stem for script in scripts for stem in re.findall(r"`([\w.]+\.)\$\{", script)}
    unused = {key for key in known - quoted if not any(key.startswith(stem) for stem in families)}
    assert not unused
    asked = {
        key
        for script in scripts
        for key in re.findall(
            r'(?:\bt\(|"data-t(?:-label|-placeholder)?": |label: |title: )"([\w.]+)"', script
        )
    }
    assert asked <= known
