"""The website chat on somebody else's page: both ways, over reloads and cuts; nothing lost, twice or out of order."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.pages.website_chat import connected, loaded, opened, say, shown

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def expect_states(page: Page, *states: str) -> None:
    own = page.locator(".own")
    await expect(own).to_have_count(len(states))
    for index, state in enumerate(states):
        await expect(own.nth(index)).to_have_attribute("data-state", state)


async def test_a_conversation_both_ways(website: Any, site: Any, visit: Any) -> None:
    page = await opened(site, visit)
    await expect(page.locator(".bubble")).to_have_text("Hello! How can we help?")
    await say(page, "Is it in stock?")
    await expect_states(page, "sent")
    await website.write("Good morning!")
    await expect(page.locator(".message").last).to_contain_text("Good morning!")
    await expect(page.locator(".author")).to_contain_text("Olga")
    assert await shown(page) == ["Is it in stock?", "Good morning!"]


async def test_nothing_is_asked_of_the_server_before_the_chat_is_opened(
    website: Any, site: Any, visit: Any
) -> None:
    page = await loaded(site, visit)
    await expect(page.get_by_role("button", name="Open the chat")).to_be_visible()
    assert website.connections == 0


async def test_a_reload_keeps_the_conversation(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    await say(page, "one", "two")
    await expect_states(page, "sent", "sent")
    await website.write("three")
    await expect(page.locator(".message").last).to_contain_text("three")
    await page.reload()
    await expect(page.locator(".chat")).to_have_attribute("data-state", "ready")
    assert website.last("hello")["after"] == website.person.position
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.locator(".own")).to_have_count(2)
    assert await shown(page) == ["one", "two", "three"]
    assert website.texts() == ["one", "two"]


async def test_what_is_written_without_a_network_goes_later_in_its_order(
    website: Any, site: Any, visit: Any
) -> None:
    visit.failures_expected = True
    page = await connected(site, visit)
    await page.context.set_offline(offline=True)
    await expect(page.get_by_text("No connection. Your messages are kept.")).to_be_visible()
    texts = [f"message {number}" for number in range(5)]
    await say(page, *texts)
    await expect_states(page, *["waiting"] * 5)
    await page.context.set_offline(offline=False)
    await expect_states(page, *["sent"] * 5)
    assert website.texts() == texts
    assert await shown(page) == texts


async def test_what_is_written_while_the_server_is_away_survives_a_reload(
    website: Any, site: Any, visit: Any
) -> None:
    visit.failures_expected = True
    page = await connected(site, visit)
    await say(page, "before")
    await expect_states(page, "sent")
    await website.stop()
    await say(page, "one", "two", "three")
    await expect_states(page, "sent", "waiting", "waiting", "waiting")
    await page.reload()
    await expect(page.get_by_role("heading", name="Boots")).to_be_visible()
    await website.start_again()
    await page.reload()
    await website.until(lambda: website.texts() == ["before", "one", "two", "three"])
    await page.get_by_role("button", name="Open the chat").click()
    await expect_states(page, "sent", "sent", "sent", "sent")
    assert await shown(page) == ["before", "one", "two", "three"]


async def test_an_answer_that_was_lost_makes_no_second_message(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    website.deaf = True
    await say(page, "one", "two")
    await website.until(lambda: website.said("message"))
    await expect_states(page, "sending", "sending")
    website.deaf = False
    await website.cut(1012)
    await expect_states(page, "sent", "sent")
    assert await shown(page) == website.texts() == ["one", "two"]


async def test_a_message_that_was_lost_goes_again_under_its_id(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    website.lossy = True
    await say(page, "one", "two")
    await website.until(lambda: website.said("message"))
    website.lossy = False
    await website.cut(1012)
    await expect_states(page, "sent", "sent")
    lost, again, _ = website.said("message")
    assert lost == again
    assert await shown(page) == website.texts() == ["one", "two"]


async def test_a_page_that_was_away_is_told_what_it_missed(
    website: Any, site: Any, visit: Any
) -> None:
    visit.failures_expected = True
    page = await connected(site, visit)
    await website.write("one")
    await expect(page.locator(".message[data-id]")).to_have_count(1)
    await page.context.set_offline(offline=True)
    await expect(page.locator(".chat")).to_have_attribute("data-state", "waiting")
    for text in ("two", "three"):
        await website.write(text)
    await page.context.set_offline(offline=False)
    await expect(page.locator(".message[data-id]")).to_have_count(3)
    assert await shown(page) == ["one", "two", "three"]


async def test_a_refusal_for_a_while_keeps_the_order(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    website.refusals = [{"code": "too_many", "retry_after": 0.05}]
    await say(page, "one", "two")
    await expect_states(page, "sent", "sent")
    assert website.texts() == ["one", "two"]


async def test_a_refusal_for_ever_is_shown_and_stops_nothing(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    website.refusals = [{"code": "too_long", "retry_after": None}]
    await say(page, "one", "two")
    await website.until(lambda: "two" in website.texts())
    failed = page.locator(".own[data-state=failed]")
    await expect(failed).to_contain_text("Not sent")
    await failed.get_by_role("button", name="Try again").click()
    await website.until(lambda: website.texts() == ["two", "one"])
    refused, _, again = website.said("message")
    assert refused["id"] != again["id"]


async def test_what_failed_can_be_removed(website: Any, site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    website.refusals = [{"code": "too_long", "retry_after": None}]
    await say(page, "one")
    await page.get_by_role("button", name="Remove").click()
    await expect(page.locator(".own")).to_have_count(0)
    await expect(page.get_by_role("dialog")).to_be_focused()


async def test_a_visitor_whom_the_server_forgot_begins_anew(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    await website.write("from another life")
    await expect(page.locator(".message[data-id]")).to_have_count(1)
    website.lossy = True
    await say(page, "still to be sent")
    await website.until(lambda: website.said("message"))
    website.lossy = False
    await website.forget()
    await website.until(lambda: website.people and website.texts() == ["still to be sent"])
    await expect(page.locator(".message[data-id]")).to_have_count(1)
    assert await shown(page) == ["still to be sent"]


async def test_after_a_long_absence_the_newest_are_shown_and_the_others_on_demand(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    await website.write("seen")
    await expect(page.locator(".message[data-id]")).to_have_count(1)
    await page.goto("about:blank")
    for number in range(120):
        await website.write(f"message {number}")
    await page.goto(site.running.origin)
    await expect(
        page.get_by_role("button", name="Open the chat, 50 unread messages")
    ).to_be_visible()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.locator(".message[data-id]")).to_have_count(50)
    for count in (100, 121):
        await page.get_by_role("button", name="Show earlier messages").click()
        await expect(page.locator(".message[data-id]")).to_have_count(count)
    await expect(page.get_by_role("button", name="Show earlier messages")).to_have_count(0)
    assert await shown(page) == ["seen", *(f"message {number}" for number in range(120))]


async def test_two_pages_of_a_visitor_stay_in_step(website: Any, site: Any, visit: Any) -> None:
    one = await connected(site, visit)
    await say(one, "from the first")
    await expect_states(one, "sent")
    two = await visit.watched(one.context)
    await two.goto(site.running.origin)
    await two.get_by_role("button", name="Open the chat").click()
    await say(two, "from the second", "and another")
    await website.write("for both")
    await say(one, "last")
    wanted = ["from the first", "from the second", "and another", "for both", "last"]
    for page in (one, two):
        await expect(page.locator(".message[data-id]")).to_have_count(5)
        await expect(page.locator(".own[data-state=sent]")).to_have_count(4)
        assert sorted(await shown(page)) == sorted(wanted)
    assert await shown(one) == await shown(two)
    assert len(website.people) == 1
    ids = {event["id"] for event in website.person.events}
    assert len(ids) == len(website.person.events) == 5


async def test_what_one_page_wrote_before_it_was_closed_is_sent_by_the_other(
    website: Any, site: Any, visit: Any
) -> None:
    one = await connected(site, visit)
    two = await visit.watched(one.context)
    await two.goto(site.running.origin)
    await two.get_by_role("button", name="Open the chat").click()
    await expect(two.locator(".chat")).to_have_attribute("data-state", "ready")
    website.lossy = True
    await say(one, "orphan")
    await website.until(lambda: website.said("message"))
    await expect(two.locator(".own")).to_have_count(1)
    await one.close()
    website.lossy = False
    await say(two, "mine")
    await website.until(lambda: website.texts() == ["orphan", "mine"])


async def test_what_another_page_overwrote_is_sent_all_the_same(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    website.lossy = True
    before = await page.evaluate("localStorage.getItem('chatbridge:shop')")
    await say(page, "one")
    await website.until(lambda: website.said("message"))
    await page.evaluate("(text) => localStorage.setItem('chatbridge:shop', text)", before)
    await say(page, "two")
    website.lossy = False
    await website.cut(1012)
    await website.until(lambda: website.texts() == ["one", "two"])


async def test_two_pages_that_are_forgotten_become_one_visitor(
    website: Any, site: Any, visit: Any
) -> None:
    one = await connected(site, visit)
    two = await visit.watched(one.context)
    await two.goto(site.running.origin)
    await expect(two.locator(".chat")).to_have_attribute("data-state", "ready")
    website.may_greet = asyncio.Event()
    await website.forget()
    await website.until(lambda: website.greetings_held == 2)
    website.may_greet.set()
    await website.until(lambda: any(len(person.sockets) == 2 for person in website.people.values()))
    await say(one, "here I am")
    await two.get_by_role("button", name="Open the chat").click()
    await expect(two.locator(".own")).to_have_count(1)


async def test_marks_say_what_arrived_and_what_was_seen(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    await page.get_by_role("button", name="Close the chat").click()
    first = await website.write("\n".join(["a long message"] * 60))
    await website.until(
        lambda: (
            website.said("received") and website.last("received")["position"] == first["position"]
        )
    )
    await expect(page.get_by_role("button", name="Open the chat, 1 unread message")).to_be_visible()
    assert website.said("read") == []
    await page.get_by_role("button", name="Open the chat").click()
    await website.until(lambda: website.said("read"))
    assert website.last("read")["position"] == first["position"]
    await page.locator(".scroll").evaluate("(box) => { box.scrollTop = 0; }")
    await expect(page.get_by_role("button", name="To the newest message")).to_be_visible()
    second = await website.write("unseen so far")
    await website.until(lambda: website.last("received")["position"] == second["position"])
    await expect(page.locator(".message[data-id]")).to_have_count(2)
    assert website.last("read")["position"] == first["position"]
    await page.get_by_role("button", name="To the newest message").click()
    await website.until(lambda: website.last("read")["position"] == second["position"])
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Open the chat", exact=True)).to_be_visible()


async def test_a_machine_that_wakes_up_asks_whether_the_server_is_there(
    website: Any, site: Any, visit: Any
) -> None:
    page = await loaded(site, visit)
    await page.clock.install()
    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.locator(".chat")).to_have_attribute("data-state", "ready")
    await page.clock.fast_forward("01:00:00")
    await website.until(lambda: website.said("ping"))
    assert website.connections == 1


async def test_a_server_that_owes_an_answer_is_given_up(
    website: Any, site: Any, visit: Any
) -> None:
    page = await loaded(site, visit)
    await page.clock.install()
    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.locator(".chat")).to_have_attribute("data-state", "ready")
    website.lossy = True
    await say(page, "is anybody there?")
    await website.until(lambda: website.said("message"))
    website.lossy = False
    await page.clock.run_for(16_000)
    await expect_states(page, "sent")
    assert website.connections == 2
    assert website.texts() == ["is anybody there?"]


@pytest.mark.parametrize(
    ("code", "words", "wait_ms"),
    [(4400, "The chat is out of order.", 60_000), (1011, "No connection.", 500)],
)
async def test_why_there_is_no_connection_is_said(
    *, code: int, words: str, wait_ms: int, website: Any, site: Any, visit: Any
) -> None:
    page = await loaded(site, visit)
    await page.clock.install()
    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.locator(".chat")).to_have_attribute("data-state", "ready")
    website.may_greet = asyncio.Event()
    await website.cut(code)
    await expect(page.get_by_text(words)).to_be_visible()
    await page.clock.fast_forward(wait_ms)
    await website.until(lambda: website.greetings_held)
    website.may_greet.set()
    await expect(page.get_by_text(words)).to_have_count(0)


async def test_a_page_goes_on_without_the_server_and_has_the_chat_when_it_is_back(
    website: Any, site: Any, visit: Any
) -> None:
    visit.failures_expected = True
    await website.stop()
    page = await visit(site.running.origin, ready="h1")
    await expect(page.locator("chatbridge-chat")).to_have_count(0)
    await website.start_again()
    await page.reload()
    await expect(page.get_by_role("button", name="Open the chat")).to_be_visible()


async def test_a_page_that_may_not_have_the_chat_shows_nothing(
    website: Any, site: Any, visit: Any
) -> None:
    visit.failures_expected = True
    website.settings_status = 403
    page = await visit(site.running.origin, ready="h1")
    await page.wait_for_load_state("networkidle")
    await expect(page.locator("chatbridge-chat")).to_have_count(0)


async def test_settings_that_fail_are_asked_for_again(website: Any, site: Any, visit: Any) -> None:
    visit.failures_expected = True
    website.settings_status = 503
    page = await visit(site.running.origin, ready="h1")
    await page.wait_for_event("requestfinished", lambda r: r.url.endswith("/settings"))
    website.settings_status = 200
    await expect(page.get_by_role("button", name="Open the chat")).to_be_visible()


async def test_the_chat_works_where_storage_is_forbidden(
    website: Any, site: Any, visit: Any
) -> None:
    page = await loaded(site, visit)
    await page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await say(page, "one", "two")
    await expect_states(page, "sent", "sent")
    assert website.texts() == ["one", "two"]
