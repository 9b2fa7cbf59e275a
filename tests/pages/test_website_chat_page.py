"""What the website chat shows and asks for, on pages of every kind."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.pages.samples import FILES, HOSTILE
from tests.pages.website_chat import CHAT, connected, loaded, opened, say

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDE = "document.querySelector('chatbridge-chat').shadowRoot.querySelectorAll('*')"
SOUNDS = """
    window.sounds = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) { window.sounds += 1; return start.apply(this, when); };
"""


def file(website: Any, name: str, **more: Any) -> dict[str, Any]:
    url = f"{website.running.origin}/media/{name}"
    return {"url": url, "name": name, "size": 90112, "content_type": "a/b"} | more


async def test_every_kind_of_message(website: Any, site: Any, visit: Any) -> None:
    website.files = dict(FILES)
    page = await connected(site, visit)
    for kind, name in (
        ("picture", "p.png"),
        ("sticker", "p.png"),
        ("file", "d.pdf"),
        ("video", "v.mp4"),
        ("voice", "s.wav"),
        ("audio", "s.wav"),
    ):
        await website.write(kind=kind, file=file(website, name))
    await website.write(kind="location", location={"lat": 55.75, "lon": 37.61})
    await website.write(kind="contact", contact={"name": "Boris", "phone": "+7 (916) 000-00-00"})
    await website.write("a kind of the future", kind="poll")
    kinds = {
        kind: page.locator(f"[data-kind={kind}]")
        for kind in ("picture", "sticker", "file", "video", "voice", "audio", "location", "contact")
    }
    await expect(kinds["picture"].locator("img[alt='p.png']")).to_be_visible()
    await expect(kinds["sticker"].locator("img")).to_be_visible()
    await expect(kinds["file"].locator("a")).to_contain_text("d.pdf")
    await expect(kinds["file"]).to_contain_text("88 kB")
    await expect(kinds["video"].locator("video[controls]")).to_have_count(1)
    await expect(kinds["voice"].locator("audio[controls]")).to_have_count(1)
    await expect(kinds["audio"].locator("audio[controls]")).to_have_count(1)
    await expect(kinds["location"].locator("a")).to_have_attribute("href", "https://www.openstreetmap.org/?mlat=55.75&mlon=37.61#map=16/55.75/37.61")  # fmt: skip
    await expect(kinds["contact"].locator("a")).to_have_attribute("href", "tel:+79160000000")
    await expect(page.locator("[data-kind=poll]")).to_contain_text("a kind of the future")


async def test_a_picture_that_is_gone_is_a_file(website: Any, site: Any, visit: Any) -> None:
    visit.failures_expected = True
    page = await connected(site, visit)
    website.files = {"gone.png": (b"no picture", "image/png")}
    await website.write(kind="picture", file=file(website, "gone.png"))
    await expect(page.locator("[data-kind=picture] .card")).to_contain_text("gone.png")


async def test_quotes_reactions_and_times(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    await say(page, "Is it in stock?")
    await expect(page.locator(".own[data-state=sent]")).to_have_count(1)
    asked = website.person.events[-1]["id"]
    await website.write("It is.", reply_to=asked, at="2025-01-14T09:30:00.123Z")
    await website.react(asked, "👍")
    await website.react(asked, "🔥")
    await website.react(asked, "🔥", removed=True)
    await expect(page.locator("blockquote")).to_have_text("YouIs it in stock?")
    await expect(page.locator(".reactions")).to_have_text("👍")
    time = page.locator("time").last
    await expect(time).to_have_attribute("datetime", "2025-01-14T09:30:00.123Z")
    assert "January 14, 2025" in (await time.get_attribute("title") or "")
    assert len(await time.inner_text()) == len("12:04")
    await expect(page.locator(".day")).to_have_text(["Today", "January 14, 2025"])


async def test_buttons_are_links_or_answers(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    rows = [
        [{"text": "Yes", "url": None}, {"text": "Terms", "url": "https://shop.example/terms"}],
        [{"text": "Trap", "url": "javascript:alert(1)"}],
    ]
    await website.write("Shall I keep it?", buttons=rows)
    terms = page.get_by_role("link", name="Terms")
    await expect(terms).to_have_attribute("href", "https://shop.example/terms")
    await expect(terms).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(page.get_by_text("Trap")).to_be_visible()
    await expect(page.get_by_role("link", name="Trap")).to_have_count(0)
    await page.get_by_role("button", name="Yes").click()
    await website.until(lambda: website.said("message"))
    assert website.last("message")["text"] == website.last("message")["button"] == "Yes"


async def test_hostile_texts_stay_text(website: Any, site: Any, visit: Any) -> None:
    website.settings |= {
        "title": HOSTILE,
        "greeting": HOSTILE,
        "consent_url": "javascript:alert(1)",
    }
    page = await connected(site, visit)
    await say(page, HOSTILE)
    await website.write(HOSTILE, name=HOSTILE, avatar_url="javascript:alert(1)")
    trap = file(website, HOSTILE, url="javascript:alert(1)")
    for kind in ("picture", "file", "video", "voice"):
        await website.write(HOSTILE, kind=kind, file=trap)
    await website.write(kind="contact", contact={"name": HOSTILE, "phone": HOSTILE})
    await website.write(kind="location", location={"lat": HOSTILE, "lon": HOSTILE})
    await website.write(kind=HOSTILE, text="javascript:alert(1) https://shop.example/a?b=1.")
    await website.react(website.person.events[-1]["id"], HOSTILE)
    await website.tell({"type": "typing", "name": HOSTILE, "milliseconds": 60_000})
    await expect(page.locator(".typing")).to_contain_text("<img")
    await expect(page.locator(".message[data-id]")).to_have_count(9)
    await expect(page.locator(f"{CHAT} :is(img, script)")).to_have_count(0)
    links = await page.locator(f"{CHAT} a").evaluate_all("all => all.map((one) => one.href)")
    assert {link.split(":")[0] for link in links} <= {"https", "tel"}
    await expect(page.locator(".text a")).to_have_attribute("href", "https://shop.example/a?b=1")
    await expect(page).to_have_title("Boots")


async def test_nothing_is_loaded_from_elsewhere(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    away = "https://elsewhere.example/p.png"
    for kind in ("picture", "video", "voice"):
        await website.write(kind=kind, file=file(website, "p.png", url=away), avatar_url=away)
    await expect(page.locator(f".card[href='{away}']")).to_have_count(3)


async def test_the_operator_types(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    await website.tell({"type": "typing", "name": "Olga", "milliseconds": 60_000})
    await expect(page.locator(".typing")).to_have_text("Olga is typing")
    await website.write("Here I am")
    await expect(page.locator(".typing")).to_be_hidden()
    await website.tell({"type": "typing", "name": None, "milliseconds": 10})
    await expect(page.locator(".typing")).to_be_hidden()


async def test_the_visitor_types(website: Any, site: Any, visit: Any) -> None:
    page = await loaded(site, visit)
    await page.clock.install()
    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.locator(".chat")).to_have_attribute("data-state", "ready")
    await page.locator("textarea").press_sequentially("Hello")
    await website.until(lambda: len(website.said("typing")) == 1)
    await page.clock.fast_forward(3_000)
    await page.locator("textarea").press_sequentially("!")
    await website.until(lambda: len(website.said("typing")) == 2)


async def test_a_sound_for_who_does_not_look(website: Any, site: Any, visit: Any) -> None:
    page = await loaded(site, visit)
    await page.add_init_script(SOUNDS)
    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.locator(".chat")).to_have_attribute("data-state", "ready")

    async def sounds_after(text: str) -> int:
        await website.write(text)
        await expect(page.locator(".message").last).to_contain_text(text)
        return await page.evaluate("window.sounds")

    assert await sounds_after("looked at") == 0
    await page.get_by_role("button", name="Close the chat").click()
    assert await sounds_after("overlooked") == 2
    website.may_greet = asyncio.Event()
    await website.cut(1012)
    await website.until(lambda: website.greetings_held == 1)
    await website.write("missed")
    await website.write("missed as well")
    website.may_greet.set()
    await expect(page.locator(".message[data-id]")).to_have_count(4)
    assert await page.evaluate("window.sounds") == 4
    await page.get_by_role("button", name="Open the chat").click()
    await page.get_by_role("button", name="Sound").click()
    await page.keyboard.press("Escape")
    assert await sounds_after("in silence") == 4
    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.get_by_role("button", name="Sound", pressed=False)).to_be_visible()


async def test_the_form_comes_first_and_is_remembered(website: Any, site: Any, visit: Any) -> None:
    website.settings["form"] = {"name": "optional", "phone": "required", "email": "required"}
    website.settings["consent_url"] = "https://shop.example/consent"
    page = await opened(site, visit)
    consent = page.get_by_role("link", name="processing of your personal data")
    await expect(consent).to_have_attribute("href", "https://shop.example/consent")
    await expect(page.get_by_role("button", name="Skip")).to_have_count(0)
    await page.get_by_label("E-mail").fill("anna")
    await page.get_by_role("button", name="Start the chat").click()
    phone = page.get_by_role("textbox", name="Phone")
    await expect(phone).to_be_focused()
    await expect(phone).to_have_accessible_description("Please fill this in.")
    email = page.get_by_role("textbox", name="E-mail")
    await expect(email).to_have_accessible_description(
        "An e-mail address looks like name@example.org."
    )
    await phone.fill("+7 915 111-22-33")
    await email.fill("anna@example.org")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Write a message…")).to_be_focused()
    await website.until(lambda: website.said("profile"))
    profile = {"name": None, "phone": "+7 915 111-22-33", "email": "anna@example.org"}
    assert website.last("profile") == {"type": "profile"} | profile
    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.get_by_role("textbox", name="Write a message…")).to_be_visible()
    await website.until(lambda: len(website.said("hello")) == 2)
    assert website.last("hello")["profile"] == profile


async def test_a_form_without_duties_can_be_skipped(website: Any, site: Any, visit: Any) -> None:
    website.settings["form"] = {"name": "optional", "phone": "off", "email": "off"}
    page = await opened(site, visit)
    await page.get_by_role("button", name="Skip").click()
    await say(page, "Hello")
    await website.until(lambda: website.said("message"))
    assert website.said("profile") == []


async def test_a_page_may_open_close_and_introduce(website: Any, site: Any, visit: Any) -> None:
    website.settings["form"] = {"name": "required", "phone": "off", "email": "off"}
    page = await loaded(site, visit)
    await page.add_init_script(
        "(window.chatbridge = window.chatbridge || {q: []})"
        ".q.push(['identify', {name: 'Anna', phone: 7, other: 'x'}], ['open'], ['nothing']);"
    )
    await page.reload()
    await expect(page.get_by_role("textbox", name="Write a message…")).to_be_visible()
    await website.until(lambda: website.said("hello"))
    assert website.last("hello")["profile"] == {"name": "Anna", "phone": None, "email": None}
    await page.evaluate("chatbridge.close()")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.evaluate("chatbridge.q.push(['open'])")
    await page.evaluate("chatbridge.identify({email: 'anna@example.org'})")
    await website.until(lambda: website.said("profile"))
    assert website.last("profile")["email"] == "anna@example.org"


async def test_a_script_that_is_named_twice_runs_once(website: Any, site: Any, visit: Any) -> None:
    page = await loaded(site, visit)
    await page.evaluate(
        """() => new Promise((done) => {
            const again = document.querySelector("script").cloneNode();
            const fresh = Object.assign(document.createElement("script"), { src: again.src, onload: done });
            fresh.dataset.messenger = "shop";
            document.head.append(fresh);
        })"""
    )
    await expect(page.locator(CHAT)).to_have_count(1)
    assert website.connections == 0


async def test_where_the_visitor_is_and_came_from(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit, "/boots?utm_source=mail&utm_campaign=autumn")
    told = website.last("hello")["page"]
    assert told == {
        "url": f"{site.running.origin}/boots?utm_source=mail&utm_campaign=autumn",
        "title": "Boots",
        "referrer": None,
        "utm": {"source": "mail", "campaign": "autumn"},
    }
    await page.evaluate("history.pushState({}, '', '/shoes'); document.title = 'Shoes'")
    await website.until(lambda: website.said("page"))
    address = f"{site.running.origin}/shoes"
    assert website.last("page") == {"type": "page", "url": address, "title": "Shoes"}
    await page.reload()
    await website.until(lambda: len(website.said("hello")) == 2)
    assert website.last("hello")["page"]["utm"] == told["utm"]


async def test_files_are_chosen_or_pasted(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Attach a file").click()
    pdf = {"name": "d.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    await (await choosing.value).set_files([pdf, pdf | {"name": "e.pdf"}])
    await website.until(lambda: len(website.uploads) == 2)
    await page.locator("textarea").evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.items.add(new File(["pasted"], "<b>.txt"));
            text.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true, bubbles: true }));
            text.closest("section").dispatchEvent(new DragEvent("dragover", { dataTransfer: data, cancelable: true }));
            text.closest("section").dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
        }"""
    )
    await expect(page.locator(".own[data-state=sent] .card[href]")).to_have_count(4)
    names = ["d.pdf", "e.pdf", "<b>.txt", "<b>.txt"]
    assert [name for name, _ in website.uploads] == names
    assert website.uploads[0][1] == b"%PDF-1.4"
    assert await page.locator(".own b").all_inner_texts() == names


async def test_a_file_that_is_too_big_is_refused_before_it_goes(
    website: Any, site: Any, visit: Any
) -> None:
    website.settings["max_bytes"] = 2048
    page = await connected(site, visit)
    big = {"name": "big.bin", "mimeType": "a/b", "buffer": b"x" * 2049}
    await page.locator("input[type=file]").set_input_files(big)
    await expect(page.get_by_role("alert")).to_have_text("“big.bin” is larger than 2 kB.")
    await say(page, "Then without")
    await expect(page.get_by_role("alert")).to_be_empty()
    assert website.uploads == []


async def test_a_file_that_fails_can_be_tried_again(website: Any, site: Any, visit: Any) -> None:
    visit.failures_expected = True
    page = await connected(site, visit)
    website.upload_status = 503
    pdf = {"name": "d.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    await page.locator("input[type=file]").set_input_files(pdf)
    await expect(page.locator(".own")).to_have_attribute("data-state", "failed")
    website.upload_status = 201
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".own")).to_have_attribute("data-state", "sent")


async def test_a_file_waits_for_the_network(website: Any, site: Any, visit: Any) -> None:
    visit.failures_expected = True
    page = await connected(site, visit)
    await page.context.set_offline(offline=True)
    await expect(page.locator(".chat")).to_have_attribute("data-state", "waiting")
    pdf = {"name": "d.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    await page.locator("input[type=file]").set_input_files(pdf)
    await expect(page.locator(".own")).to_have_attribute("data-state", "waiting")
    await page.context.set_offline(offline=False)
    await expect(page.locator(".own")).to_have_attribute("data-state", "sent")
    assert len(website.uploads) == 1


async def test_the_keyboard_is_enough(website: Any, site: Any, visit: Any) -> None:
    page = await loaded(site, visit)
    await page.evaluate(
        "document.addEventListener('keydown', ({ key }) => (window.pressed = (window.pressed ?? '') + key))"
    )
    launcher = page.get_by_role("button", name="Open the chat")
    await launcher.wait_for()
    await page.keyboard.press("Tab")
    await expect(launcher).to_be_focused()
    await page.keyboard.press("Enter")
    text = page.get_by_role("textbox", name="Write a message…")
    await expect(text).to_be_focused()
    await page.keyboard.type("two")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("lines")
    await page.keyboard.press("Enter")
    await website.until(lambda: website.texts() == ["two\nlines"])
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Attach a file")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(launcher).to_be_focused()
    assert await page.evaluate("window.pressed") == "Tab"


async def test_what_a_screen_reader_finds(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    await expect(page.get_by_role("dialog", name="Ask us")).to_be_visible()
    await expect(page.get_by_role("log", name="Messages")).to_have_attribute("aria-live", "polite")
    nameless = await page.evaluate(
        f"""() => [...{WIDE}].filter((one) => one.matches("button, input:not([hidden]), textarea, audio, video"))
            .filter((one) => !one.getAttribute("aria-label") && !one.textContent.trim() && !one.labels?.length).length"""
    )
    assert nameless == 0
    await page.keyboard.press("Escape")
    await website.write("news")
    status = page.get_by_role("status").filter(has_text="1 unread message")
    await expect(status).to_have_count(1)


async def test_both_languages_and_who_chooses(website: Any, site: Any, visit: Any) -> None:
    page = await opened(site, visit, locale="ru-RU")
    await expect(page.get_by_role("textbox", name="Напишите сообщение…")).to_be_visible()
    site.language = "ru"
    page = await loaded(site, visit)
    await expect(page.get_by_role("button", name="Открыть чат")).to_be_visible()
    site.attributes["data-language"] = "en"
    page = await loaded(site, visit, locale="ru-RU")
    await expect(page.get_by_role("button", name="Open the chat")).to_be_visible()
    website.settings["language"] = "ru"
    await page.reload()
    await expect(page.get_by_role("button", name="Открыть чат")).to_be_visible()


async def test_styles_stay_on_their_own_side(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit, "/styled")
    await website.write("Good morning!")
    text = page.locator(".text").last
    await expect(text).to_have_css("color", "rgb(26, 31, 41)")
    await expect(text).to_have_css("font-size", "14px")
    await expect(page.locator(".send")).to_have_css("color", "rgb(90, 100, 117)")
    box = await page.locator(".launcher").bounding_box()
    assert (box or {})["width"] >= 56
    await expect(page.get_by_role("heading", name="Boots")).to_have_css("color", "rgb(255, 0, 0)")
    styled = await page.evaluate(f"[...{WIDE}].filter((one) => one.hasAttribute('style')).length")
    assert styled == 0


@pytest.mark.parametrize(
    ("scheme", "colour"), [("light", "rgb(26, 31, 41)"), ("dark", "rgb(231, 235, 241)")]
)
async def test_the_scheme_of_the_system_is_followed(
    scheme: str, colour: str, site: Any, visit: Any
) -> None:
    page = await connected(site, visit, scheme=scheme)
    await expect(page.get_by_role("heading", name="Ask us")).to_have_css("color", colour)


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_nothing_is_wider_than_its_place(
    locale: str, width: int, website: Any, site: Any, visit: Any
) -> None:
    website.files = dict(FILES)
    website.settings["title"] = "x" * 200
    page = await connected(site, visit, locale=locale, width=width)
    website.refusals = [{"code": "too_long", "retry_after": None}]
    await say(page, "Здравствуйте! " * 20 + "x" * 300)
    await website.write("x" * 300, name="x" * 300, kind="file", file=file(website, "x" * 200))
    for kind, name in (("picture", "p.png"), ("voice", "s.wav"), ("video", "v.mp4")):
        await website.write(kind=kind, file=file(website, name))
    await website.write("?", buttons=[[{"text": "x" * 60, "url": None}] * 3])
    await expect(page.locator(".message[data-id]")).to_have_count(6)
    wide = await page.evaluate(
        f"""() => [...{WIDE}].filter((one) => one.scrollWidth > one.clientWidth + 1)
            .filter((one) => one.clientWidth && !/hidden|clip/.test(getComputedStyle(one).overflowX))
            .map((one) => `${{one.tagName}}.${{one.className}}: ${{one.scrollWidth}} > ${{one.clientWidth}}`)"""
    )
    assert wide == []
    panel = await page.get_by_role("dialog").bounding_box() or {}
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= width


async def test_a_phone_gives_it_the_whole_screen(site: Any, visit: Any) -> None:
    phone = {"width": 390, "height": 800, "has_touch": True, "is_mobile": True}
    page = await connected(site, visit, reduced_motion="reduce", **phone)
    box = await page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 800}
    await expect(page.get_by_role("dialog")).to_be_focused()
    await page.get_by_role("button", name="Close the chat").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_page_that_is_nothing_but_the_chat(website: Any, visit: Any) -> None:
    page = await visit(f"{website.running.origin}/chat/shop", ready=".chat[data-state=ready]")
    await expect(page).to_have_title("Ask us")
    box = await page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1280, "height": 800}
    await say(page, "Hello")
    await website.until(lambda: website.texts() == ["Hello"])
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(page.locator(".message[data-id] .text")).to_have_text(["Hello"])
