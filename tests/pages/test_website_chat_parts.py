"""The parts of the website chat's script that decide: tables and pure functions, in the browser that runs them."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.pages.conftest import session_loop
from tests.pages.serving import PACKAGE
from tests.pages.stub_website import StubWebsite

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCES = PACKAGE / "connectors/website/static/chat"
EVENTS = ("wanted", "opened", "ready", "lost", "due")


@session_loop(scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page with the modules at hand; their functions keep nothing, so one does for all tests."""
    website = StubWebsite()
    await website.running.start()
    page = await browser.new_page()
    await page.goto(f"{website.running.origin}/parts/words.js")
    yield page
    await page.close()
    await website.running.stop()


@pytest.fixture
def call(page: Page) -> Callable[..., Any]:
    """Call a function of a module, or read its constant."""

    async def run(module: str, name: str, *values: Any) -> Any:
        return await page.evaluate(
            """async ([module, name, values]) => {
                Array.prototype.has ??= Array.prototype.includes; // a Set does not travel into the page
                const part = (await import(`/parts/${module}.js`))[name];
                return typeof part === "function" ? part(...values) : part;
            }""",
            [module, name, list(values)],
        )

    return run


async def test_every_state_of_the_connection_can_be_left_and_reached(call: Any) -> None:
    table = await call("connection", "NEXT")
    assert {event for row in table.values() for event in row} == set(EVENTS)
    assert all(row for row in table.values())
    assert {state for row in table.values() for state in row.values()} | {"idle"} == set(table)
    for state in ("connecting", "greeting", "ready"):
        assert table[state]["lost"] == "waiting"


@pytest.mark.parametrize(
    ("code", "attempt", "random", "wait_ms"),
    [
        (1012, 7, 0, 0),
        (1012, 7, 0.5, 1000),
        (4400, 0, 0.5, 60_000),
        (4429, 0, 0.5, 30_000),
        (4408, 0, 1, 500),
        (0, 0, 0, 250),
        (0, 0, 1, 500),
        (1006, 1, 1, 1000),
        (1006, 5, 1, 16_000),
        (1006, 6, 1, 30_000),
        (1006, 2000, 1, 30_000),
    ],
)
async def test_waits(code: int, attempt: int, random: float, wait_ms: float, *, call: Any) -> None:
    assert await call("connection", "waitAfter", code, attempt, random) == wait_ms


def event(position: int, message_id: str | None = None) -> dict[str, Any]:
    return {"type": "message", "position": position, "id": message_id or f"m{position}"}


def item(message_id: str, at: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": message_id, "at": at} | more


NOTHING: dict[str, Any] = {"visitor": "v", "position": 0, "read": 0, "events": [], "outbox": []}


async def test_events_come_once_in_their_order_and_empty_the_outbox(call: Any) -> None:
    state = NOTHING | {"events": [event(4)], "position": 4, "outbox": [item("mine"), item("other")]}
    after = await call("store", "withEvents", state, [event(6, "mine"), event(2), event(4)])
    assert [one["position"] for one in after["events"]] == [2, 4, 6]
    assert [one["id"] for one in after["outbox"]] == ["other"]
    assert after["position"] == 6
    assert (await call("store", "withEvents", state, [], 9))["position"] == 9
    assert (await call("store", "withEvents", state, [event(1)], 0))["position"] == 4


@pytest.mark.parametrize(
    ("mine", "stored", "merged"),
    [
        # Neither page loses what it has seen.
        (
            {"events": [event(1), event(2)], "position": 2, "read": 2},
            {"events": [event(1), event(3)], "position": 3, "read": 1},
            {"events": [event(1), event(2), event(3)], "position": 3, "read": 2},
        ),
        # What this page wrote is there even if another one overwrote it; what others wrote is theirs to keep.
        (
            {"outbox": [item("own", "2"), item("theirs", "1")]},
            {"outbox": [item("new", "3")]},
            {"outbox": [item("own", "2"), item("new", "3")]},
        ),
        # What is stored is newer.
        (
            {"outbox": [item("own")], "muted": False},
            {"outbox": [item("own", position=7)], "muted": True},
            {"outbox": [item("own", position=7)], "muted": True},
        ),
        # What has come back is not sent again.
        ({"outbox": [item("own")]}, {"events": [event(5, "own")], "position": 5}, {"outbox": []}),
        # The server began anew: the stored conversation is the one that counts.
        (
            {"visitor": "old", "events": [event(9)], "position": 9, "outbox": [item("own")]},
            {"visitor": "new", "events": [], "position": 0},
            {"visitor": "new", "events": [], "position": 0, "outbox": [item("own")]},
        ),
    ],
)
async def test_what_two_pages_know_together(
    mine: dict[str, Any], stored: dict[str, Any], merged: dict[str, Any], call: Any
) -> None:
    found = await call("store", "merge", NOTHING | mine, NOTHING | stored, ["own"])
    assert found.items() >= merged.items()


@pytest.mark.parametrize(
    ("items", "following"),
    [
        ([], None),
        ([item("a"), item("b")], "a"),
        ([item("a", position=1), item("b", failed=True), item("c")], "c"),
        ([item("a", position=1)], None),
    ],
)
async def test_what_is_sent_next(
    items: list[dict[str, Any]], following: str | None, call: Any
) -> None:
    assert ((await call("outbox", "nextOf", items)) or {}).get("id") == following


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("name", "", "missing"),
        ("name", "Ян", None),
        ("phone", "+7 (915) 111-22-33", None),
        ("phone", "123456", "bad_phone"),
        ("phone", "1234567890123456", "bad_phone"),
        ("phone", "call me", "bad_phone"),
        ("email", "anna@example.org", None),
        ("email", "anna@example", "bad_email"),
        ("email", "an na@example.org", "bad_email"),
    ],
)
async def test_mistakes_in_the_form(name: str, text: str, wrong: str | None, call: Any) -> None:
    assert await call("form", "mistake", name, text, True) == wrong  # noqa: FBT003
    expected = None if wrong == "missing" else wrong
    assert await call("form", "mistake", name, text, False) == expected  # noqa: FBT003


OFF = {"name": "off", "phone": "off", "email": "off"}


@pytest.mark.parametrize(
    ("form", "state", "asked"),
    [
        (OFF, {"asked": False, "profile": None}, False),
        (OFF | {"name": "optional"}, {"asked": False, "profile": None}, True),
        (OFF | {"name": "optional"}, {"asked": True, "profile": None}, False),
        (OFF | {"name": "required"}, {"asked": True, "profile": None}, True),
        (OFF | {"name": "required"}, {"asked": True, "profile": {"name": "Anna"}}, False),
    ],
)
async def test_when_the_form_is_asked(
    *, form: dict[str, str], state: dict[str, Any], asked: bool, call: Any
) -> None:
    assert await call("form", "isAsked", form, state) is asked


@pytest.mark.parametrize(
    "colour", ["#2a66d9", "#ffcc00", "#ffffff", "#000000", "#0f9d58", "#FF0000", "#7f7f7f", "red"]
)
async def test_any_colour_of_a_site_can_be_read(colour: str, call: Any) -> None:
    found = await call("colour", "palette", colour)
    assert await call("colour", "contrast", found["on"], found["accent"]) >= 4.5
    assert await call("colour", "contrast", found["light"], "#e9edf3") >= 4.5
    for ground in ("#212832", "#161a21"):
        assert await call("colour", "contrast", found["dark"], ground) >= 4.5


PAIRS = [("text", "surface"), ("text", "bubble"), ("text-soft", "surface"), ("text-soft", "bubble"), ("text-soft", "chat"), ("text-soft", "surface-sunk"), ("text-soft", "surface-hover"), ("bad", "surface"), ("bad", "bad-soft"), ("surface", "bad")]  # fmt: skip


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(("front", "back"), PAIRS)
async def test_colours_are_readable_on_each_other(
    scheme: int, front: str, back: str, call: Any
) -> None:
    parts = (SOURCES / "chat.css").read_text(encoding="utf-8").split(":host")[0].split("@media")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", "".join(parts[: scheme + 1])))
    assert await call("colour", "contrast", colours[front], colours[back]) >= 4.5


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        ([None, "ru-RU"], "ru"),
        (["de", "ru"], "ru"),
        (["EN-us", "ru"], "en"),
        (["de", None, ""], "en"),
        ([], "en"),
    ],
)
async def test_the_language(tags: list[str | None], language: str, call: Any) -> None:
    assert await call("words", "chooseLanguage", tags) == language


async def test_both_languages_say_the_same_things(call: Any) -> None:
    words = await call("words", "WORDS")
    assert list(words) == sorted(words)
    for key, (en, ru) in words.items():
        assert en != ru
        assert set(re.findall(r"\{\w+\}", en)) == set(re.findall(r"\{\w+\}", ru)), key
        assert (en.count("|"), ru.count("|")) in {(0, 0), (1, 2)}, key


async def test_every_word_is_used(call: Any) -> None:
    words = await call("words", "WORDS")
    scripts = [path.read_text() for path in SOURCES.glob("*.js") if path.name != "words.js"]
    code = "".join(scripts)
    said = {key for key in words if re.search(rf'["`]{key}["`]', code)}
    # Named by what the server says, and by what is asked for.
    kinds = {"file", "picture", "sticker", "video", "voice", "audio", "location", "contact"}
    assert set(words) - said <= kinds | {"bad_phone", "bad_email"}
    assert set(re.findall(r'\bt\("(\w+)"', code)) <= set(words)


@pytest.mark.parametrize(
    ("language", "n", "words"),
    [
        ("en", 1, "1 unread message"),
        ("en", 2, "2 unread messages"),
        ("ru", 1, "1 непрочитанное сообщение"),
        ("ru", 3, "3 непрочитанных сообщения"),
        ("ru", 11, "11 непрочитанных сообщений"),
        ("ru", 21, "21 непрочитанное сообщение"),
    ],
)
async def test_plurals(language: str, n: int, words: str, page: Page) -> None:
    said = await page.evaluate(
        "async ([language, n]) => (await import('/parts/words.js')).createWords(language)('unread', { n })",
        [language, n],
    )
    assert said == words


@pytest.mark.parametrize(
    ("size", "language", "words"),
    [(0, "en", "0 byte"), (1023, "en", "1,023 byte"), (90112, "ru", "88 кБ"), (1 << 21, "en", "2 MB"), (5 << 30, "en", "5,120 MB")],
)  # fmt: skip
async def test_sizes(size: int, language: str, words: str, call: Any) -> None:
    assert await call("bodies", "fileSize", size, language) == words


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("https://shop.example/a?b=1", "https://shop.example/a?b=1"),
        ("HTTP://shop.example", "http://shop.example/"),
        ("javascript:alert(1)", None),
        (" javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//shop.example", None),
        ("/a", None),
        (None, None),
        (7, None),
    ],
)
async def test_addresses_that_a_link_may_have(address: Any, whole: str | None, call: Any) -> None:
    assert await call("dom", "webAddress", address) == whole
