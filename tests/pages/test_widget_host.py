"""The account's page of widgets, with the real sandbox behind it and a tiny widget in it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.pages.conftest import Visitor, session_loop
from tests.pages.test_looks import overflowing
from tests.pages.tiny_widget import TinyServer, tiny_zip
from tests.sandbox.integrator import CODE, KATE_NUMBER, OLEG_NUMBER, Integrator
from tests.sandbox.messenger import Desk, HookReceiver

pytestmark = pytest.mark.asyncio(loop_scope="session")
CARD = f".card[data-code={CODE}]"
BEGUN = [["render", "settings"], ["bind_actions"], ["init"], ["settings", None]]


@session_loop()
async def server(desk: Desk) -> AsyncIterator[TinyServer]:
    server = TinyServer(desk.url)
    await server.running.start()
    yield server
    await server.running.stop()


@session_loop()
async def integrator(desk: Desk, receiver: HookReceiver, server: TinyServer) -> Integrator:
    """The seeded integration with the tiny widget."""
    integrator = Integrator(desk, receiver.url + "/oauth/redirect")
    answer = await integrator.upload(tiny_zip(server.running.origin))
    assert answer.status == 201, answer.body
    return integrator


def address(desk: Desk, place: str = "widgets") -> str:
    return f"{desk.url}/accounts/demo/settings/widgets#{place}"


async def opened(page: Page) -> Locator:
    await page.locator(CARD).get_by_role("button", name="Settings").click()
    modal = page.locator(f".widget-settings__modal.{CODE}")
    await expect(modal.locator(".tiny__state")).to_be_visible()
    return modal


async def notes(page: Page) -> list[list[Any]]:
    return await page.evaluate("() => [...window.tiny]")


async def forget(page: Page) -> None:
    await page.evaluate("() => { window.tiny.length = 0; }")


async def installed(page: Page) -> Locator:
    modal = await opened(page)
    await modal.get_by_role("button", name="Install").click()
    await expect(modal.get_by_role("button", name="Disable")).to_be_visible()
    return modal


async def test_an_archive_is_uploaded_and_a_wrong_one_is_explained(
    desk: Desk, server: TinyServer, visit: Visitor
) -> None:
    visit.failures_expected = True
    page = await visit(address(desk))
    card = page.locator(CARD)
    await expect(card).to_contain_text("No widget yet")
    archive = {"name": "widget.zip", "mimeType": "application/zip"}
    await card.locator("input[type=file]").set_input_files([archive | {"buffer": b"no zip"}])
    await expect(page.locator(".toast")).to_contain_text("not a zip archive")
    content = tiny_zip(server.running.origin)
    await card.locator("input[type=file]").set_input_files([archive | {"buffer": content}])
    await expect(card).to_contain_text("1.0.0")
    await opened(page)
    await page.keyboard.press("Escape")
    newer = tiny_zip(server.running.origin, version="1.0.1")
    await card.locator("input[type=file]").set_input_files([archive | {"buffer": newer}])
    await expect(card).to_contain_text("1.0.1")
    await opened(page)
    assert await notes(page) == BEGUN


@pytest.mark.usefixtures("integrator")
async def test_the_window_has_the_names_that_widgets_look_for(desk: Desk, visit: Visitor) -> None:
    page = await visit(address(desk))
    modal = await opened(page)
    for selector in (
        f"#widget_settings_block_{CODE}.widget_settings_block",
        ".widget_settings_block__item_field .widget_settings_block__input_field",
        f"input#{CODE}_custom[name=bridge_state]",
        f"#{CODE}_custom_content",
        ".widget_settings_block__controls button.js-widget-install",
    ):
        await expect(modal.locator(selector)).to_have_count(1)
    await expect(modal.locator(".tiny__hello")).to_have_text("Hello")
    await expect(modal.locator(".tiny__twig")).to_have_text("3")
    await expect(modal.locator(".button-input.tiny__choose")).to_be_visible()


@pytest.mark.usefixtures("integrator")
async def test_install_save_and_disable(desk: Desk, receiver: HookReceiver, visit: Visitor) -> None:
    page = await visit(address(desk))
    modal = await installed(page)
    assert await notes(page) == [*BEGUN, ["onSave", "install"], ["onInstall"]]
    await expect(page.locator("[data-from=server]")).to_contain_text("install hook → 200")
    assert receiver.queries[-1][1]["from_widget"] == "1"
    await forget(page)
    save = modal.get_by_role("button", name="Save")
    await expect(save).to_be_disabled()
    await modal.locator(".tiny__choose").click()
    await save.click()
    await expect(page.locator(".toast")).to_contain_text("Saved")
    assert await notes(page) == [["onSave", "installed"]]
    [view] = (await desk.control("GET", "/accounts/demo")).json["integrations"]
    assert view["installation"]["settings"] == {"bridge_state": {"link": "l-1"}}
    assert len(receiver.queries) == 1
    await desk.connect()
    await modal.get_by_role("button", name="Disable").click()
    await expect(page.locator(CARD)).to_contain_text("Not installed")
    assert (await notes(page))[1:] == [["onSave", "installed"], ["destroy"]]
    await expect(page.locator("[data-from=server]").first).to_contain_text("disconnect hook → 200")
    assert (await desk.control("GET", "/state")).json["connections"] == []


@pytest.mark.parametrize(
    ("verdict", "saved"),
    [
        ("() => Promise.resolve()", False),
        ("() => Promise.resolve(false)", False),
        ("() => Promise.reject(new Error('no'))", False),
        ("() => false", False),
        ("() => Promise.resolve(true)", True),
    ],
)
async def test_a_widget_may_refuse_to_be_saved(
    desk: Desk, integrator: Integrator, visit: Visitor, verdict: str, *, saved: bool
) -> None:
    page = await visit(address(desk))
    modal = await opened(page)
    await page.evaluate(f"() => {{ window.tiny.verdict = {verdict}; }}")
    await modal.get_by_role("button", name="Install").click()
    button = modal.get_by_role("button", name="Disable")
    if saved:
        await expect(button).to_be_visible()
    else:
        await expect(modal.get_by_role("alert")).to_contain_text("onSave has to answer true")
        await expect(button).to_have_count(0)
        assert await integrator.notices() == []


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({"install_order": "install_first"}, [["onInstall"], ["onSave", "install"]]),
        ({"install_hook": "clicked"}, [["onSave", "install"], ["onInstall"]]),
    ],
)
async def test_the_order_of_an_install_is_switched(
    desk: Desk, integrator: Integrator, visit: Visitor, switches: Any, expected: Any
) -> None:
    await desk.switch(**switches)
    page = await visit(address(desk))
    await installed(page)
    await expect(page.locator("[data-from=server]")).to_contain_text("install hook → 200")
    assert [row["kind"] for row in await integrator.notices()] == ["install"]
    calls = [row for row in await notes(page) if row[0].startswith("on")]
    assert calls == expected


@pytest.mark.usefixtures("integrator")
async def test_what_a_widget_throws_breaks_nothing(desk: Desk, visit: Visitor) -> None:
    page = await visit(address(desk))
    modal = await opened(page)
    await page.evaluate("() => { window.tiny.faults = { settings: 'throw', onSave: 'throw' }; }")
    await modal.get_by_role("button", name="Install").click()
    await expect(modal.get_by_role("alert")).to_be_visible()
    await expect(page.locator(".call-log__row--bad")).to_contain_text("onSave: onSave broke")
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await page.locator(CARD).get_by_role("button", name="Settings").click()
    await expect(page.locator(".call-log__row--bad").first).to_contain_text("settings broke")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Pipelines").click()
    await expect(page.locator(".pipeline")).to_have_count(2)


async def test_a_script_that_does_not_even_run(
    desk: Desk, integrator: Integrator, visit: Visitor
) -> None:
    await integrator.upload(
        tiny_zip("", script="define([], function () { throw new Error('boo'); });")
    )
    page = await visit(address(desk))
    await page.locator(CARD).get_by_role("button", name="Settings").click()
    await expect(page.get_by_text("The widget's script failed")).to_be_visible()
    await expect(page.locator(".call-log__row--bad").first).to_contain_text("boo")
    await expect(page.locator("button.js-widget-install")).to_be_disabled()


@pytest.mark.usefixtures("integrator")
async def test_the_users_token_goes_with_the_widgets_calls(
    desk: Desk, server: TinyServer, visit: Visitor
) -> None:
    page = await visit(address(desk))
    modal = await opened(page)
    await expect(modal.locator(".tiny__state")).to_have_text(f"user {KATE_NUMBER}")
    await page.keyboard.press("Escape")
    await page.get_by_label("Signed in as").select_option(str(OLEG_NUMBER))
    modal = await opened(page)
    await expect(modal.locator(".tiny__state")).to_have_text(f"user {OLEG_NUMBER}")
    await expect(modal.get_by_role("button", name="Install")).to_be_disabled()
    await expect(modal).to_contain_text("Only an administrator may do this")
    assert [said["is_admin"] for said in server.claims] == [True, False]
    assert ["destroy"] in await notes(page)


@pytest.mark.usefixtures("integrator")
async def test_a_widget_speaks_the_users_language(desk: Desk, visit: Visitor) -> None:
    page = await visit(address(desk), locale="ru-RU")
    await page.locator(CARD).get_by_role("button", name="Настройки").click()
    await expect(page.locator(".tiny__hello")).to_have_text("Привет")
    assert await page.evaluate("() => APP.lang_id") == "ru"
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="English").click()
    modal = await opened(page)
    await expect(modal.locator(".tiny__hello")).to_have_text("Hello")
    assert await page.evaluate("() => AMOCRM.constant('account').amojo_id.length") == 36


async def test_a_widget_becomes_a_source_and_is_opened_from_it(
    desk: Desk, integrator: Integrator, visit: Visitor
) -> None:
    await integrator.widget("install")
    page = await visit(address(desk, "pipelines"))
    second = page.locator("[data-pipeline='702']")
    await second.get_by_role("button", name="Add a source").click()
    await page.get_by_role("dialog").get_by_role("button", name="chatbridge").click()
    source = second.locator(".pipeline__source")
    await expect(source).to_contain_text(CODE)
    assert (await notes(page))[-1] == ["onAddAsSource", 702]
    await source.click()
    await expect(page.locator(".tiny__state")).to_be_visible()
    [one] = (await desk.control("GET", "/accounts/demo")).json["sources"]
    assert (await notes(page))[-1] == ["settings", {"source_id": one["id"], "external_id": CODE}]


async def test_a_widgets_own_page(
    desk: Desk, integrator: Integrator, server: TinyServer, visit: Visitor
) -> None:
    await integrator.widget("install")
    page = await visit(address(desk))
    await page.get_by_role("button", name="Own page").click()
    await expect(page.locator(f"#work_area #work-area-{CODE}")).to_have_text("Rules of demo")
    await expect(page.locator(".content__top__preset")).to_have_text("Rules")
    await page.wait_for_function("() => window.tiny.some(([name]) => name === 'posted')")
    await page.get_by_role("button", name="Widgets").click()
    await expect(page.locator(CARD)).to_be_visible()
    posted = ["posted", {"taken": True}]
    assert [row for row in await notes(page) if row != posted] == [
        ["render", "advanced_settings"],
        ["bind_actions"],
        ["init"],
        ["advancedSettings"],
        ["destroy"],
    ]
    assert server.forms == [{"a": "1"}]


async def test_an_integration_is_registered_and_shows_its_keys(desk: Desk, visit: Visitor) -> None:
    page = await visit(address(desk))
    await page.get_by_role("button", name="New integration").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Name").fill("Mine")
    await form.get_by_label("Redirect address").fill("http://127.0.0.1:1/back")
    await form.get_by_label("Disconnect hook").fill("http://127.0.0.1:1/off")
    await form.get_by_role("button", name="Create").click()
    card = page.locator(".card", has_text="Mine")
    await card.get_by_role("button", name="Keys").click()
    listed = (await desk.control("GET", "/integrations")).json["integrations"]
    keys = page.get_by_role("dialog")
    await expect(keys).to_contain_text(listed[-1]["client_secret"])
    await expect(keys).to_contain_text("def50200")


@pytest.mark.parametrize("mode", ["popup", "post_message"])
async def test_consent_ends_where_the_mode_says(
    desk: Desk, receiver: HookReceiver, visit: Visitor, mode: str
) -> None:
    page = await visit(f"{desk.url}/", ready="body")
    path = f"/oauth?client_id=5a0db0c4-0000-4000-8000-0000000000c1&state=s-1&mode={mode}"
    async with page.context.expect_page() as opening:
        await page.evaluate("(path) => { window.open(path, 'consent', 'popup'); }", path)
    popup = await opening.value
    await popup.get_by_label("Signed in as").select_option("Oleg")
    await expect(popup.get_by_role("button", name="Allow")).to_be_disabled()
    await popup.get_by_label("Signed in as").select_option("Kate")
    await popup.get_by_role("button", name="Allow").click()
    went = page if mode == "popup" else popup
    await went.wait_for_url(f"{receiver.url}/oauth/redirect?*")
    assert popup.is_closed() == (mode == "popup")
    [query] = [query for path, query in receiver.queries if path == "/oauth/redirect"]
    assert query.keys() == {"code", "referer", "platform", "client_id", "state"}


async def test_a_button_on_a_site_asks_for_an_external_integration(
    desk: Desk, receiver: HookReceiver, visit: Visitor
) -> None:
    query = (
        f"name=Bridge&redirect_uri={receiver.url}/back&secrets_uri={receiver.url}/secrets&state=s-2"
    )
    page = await visit(f"{desk.url}/oauth?{query}", locale="ru-RU")
    await expect(page.get_by_role("heading")).to_have_text("Bridge просит доступ")
    await page.get_by_role("button", name="Отказать").click()
    await page.wait_for_url("**/back?*error=access_denied*")
    await page.goto(f"{desk.url}/oauth?{query}")
    await page.get_by_role("button", name="Разрешить").click()
    await page.wait_for_url("**/back?*code=def5*")
    places = [path for path, _ in receiver.queries if path in {"/secrets", "/back"}]
    assert places == ["/back", "/secrets", "/back"]


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_nothing_is_wider_than_its_place(
    desk: Desk, integrator: Integrator, visit: Visitor, width: int, locale: str
) -> None:
    await integrator.widget("install")
    page = await visit(address(desk), width=width, locale=locale)
    await page.locator(f"{CARD} .button--main").click()
    await expect(page.locator(".tiny__state")).to_be_visible()
    assert await overflowing(page) == []
