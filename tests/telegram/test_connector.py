"""The connector over real sockets, with a Bot API that fails as a test wants."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from chatbridge.connectors.base import Delivery
from chatbridge.connectors.host import Download
from chatbridge.connectors.telegram.connector import TelegramConnector
from chatbridge.errors import (
    DeliveryError,
    FarSideDown,
    FarSideUnreachable,
    InvalidFields,
    MediaError,
    MediaGone,
    MediaTooLarge,
    MediaUnreachable,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Rejected,
    StoreUnavailable,
    Throttled,
)
from chatbridge.model import (
    Content,
    Message,
    MessageType,
    Messenger,
    Person,
    Reaction,
    Started,
    Typing,
)
from tests.fakes import FakeClock
from tests.hosts import make_host
from tests.media import OGG, PNG
from tests.telegram.bot_api import BotApi, Failure
from tests.telegram.bot_state import BotState, Webhook
from tests.telegram.people import Client
from tests.unit.factories import NOW, make_link, make_messenger


class Diary:
    """An inbound door that notes what came, and may fail first."""

    def __init__(self) -> None:
        self.noted: list[Any] = []
        self.failures: deque[Exception] = deque()

    async def message(self, _: Messenger, message: Message) -> None:
        if self.failures:
            raise self.failures.popleft()
        self.noted.append(message.content.text)


class Shop:
    """One bot with a connector of its own."""

    def __init__(self, api: BotApi, anna: Client, clock: FakeClock) -> None:
        self.anna, self.state, self.clock, self.diary = anna, anna.bot, clock, Diary()
        self.file: bytes | MediaError = MediaGone("no file")
        self.messenger = make_messenger(
            kind="telegram",
            webhook_url=None,
            settings={"api_base": api.url, "mode": "polling"},
            secrets={"token": anna.bot.token},
        )
        self.host = make_host(self.messenger, clock=clock, open_file=self._open)
        self.connector = TelegramConnector(self.host)
        self.may_send = True

    @asynccontextmanager
    async def _open(self, _: Content) -> AsyncIterator[Download]:
        if isinstance(self.file, MediaError):
            raise self.file
        yield Bytes(self.file)

    async def send(self, event: Any) -> tuple[str, ...]:
        delivery = Delivery(
            id="msg_1",
            messenger=self.messenger,
            link=make_link(),
            event=event,
            now=NOW,
            allowed=lambda: self.may_send,
        )
        return (await self.connector.send(delivery)).message_ids

    @property
    def last(self) -> dict[str, Any]:
        return self.state.sent[-1]


class Bytes:
    """A file in memory."""

    def __init__(self, content: bytes) -> None:
        self.content, self.size = content, len(content)

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.content


@pytest.fixture
async def shop(api: BotApi, anna: Client) -> AsyncIterator[Shop]:
    shop = Shop(api, anna, FakeClock())
    await shop.host.http.start()  # type: ignore[attr-defined]
    await shop.connector.start(shop.diary)  # type: ignore[arg-type]
    yield shop
    await shop.connector.look_after(())
    await shop.host.http.close()  # type: ignore[attr-defined]


def words(text: str, **members: Any) -> Message:
    values = {
        "id": "amo-1",
        "conversation_id": "501",
        "sent_at": NOW,
        "sender": Person(name="Kate"),
    }
    return Message(**values | {"content": Content(type=MessageType.TEXT, text=text)} | members)


def media(kind: MessageType, mime: str, **members: Any) -> Message:
    link = "https://bridge.example.com/media/1"
    return words("", content=Content(type=kind, content_type=mime, media_url=link, **members))


async def test_a_message_gets_telegrams_id(shop: Shop) -> None:
    assert await shop.send(words("Hi")) == (f"501:{shop.last['message_id']}",)


FAILURES: list[tuple[Failure, type[DeliveryError], str | None]] = [
    (Failure(code=429, description="Too Many Requests: retry after 7", retry_after=7), Throttled, None),
    (Failure(code=401, description="Unauthorized"), Misconfigured, None),
    (Failure(code=403, description="Forbidden: bot was blocked by the user"), Rejected, "no_conversation"),
    (Failure(code=400, description="Bad Request: chat not found"), Rejected, "no_conversation"),
    (Failure(code=400, description="Bad Request: whatever"), Rejected, None),
    (Failure(code=500, description="Internal Server Error"), FarSideDown, None),
    (Failure(code=502, description="Bad Gateway"), FarSideDown, None),
    (Failure(), OutcomeUnknown, None),
    (Failure(carried_out=True), OutcomeUnknown, None),
]  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
async def test_a_failure_means(
    shop: Shop, api: BotApi, case: tuple[Failure, type[DeliveryError], str | None]
) -> None:
    failure, kind, reason = case
    api.failures["sendMessage"].append(failure)
    with pytest.raises(DeliveryError) as raised:
        await shop.send(words("secret words"))
    assert type(raised.value) is kind
    assert raised.value.reason == reason
    assert raised.value.retry_after == failure.retry_after
    shown = f"{raised.value!r} {raised.value.words} {raised.value.__cause__!r}"
    assert shop.state.token.partition(":")[2] not in shown
    assert "secret words" not in shown


async def test_nothing_left_where_nobody_listens(shop: Shop, api: BotApi) -> None:
    await api.stop()
    with pytest.raises(NotSent):
        await shop.send(words("Hi"))


async def test_nothing_leaves_once_another_node_delivers(shop: Shop) -> None:
    shop.may_send = False
    with pytest.raises(NotSent):
        await shop.send(words("Hi"))
    assert shop.state.sent == []


async def test_a_bot_cannot_write_first(shop: Shop) -> None:
    with pytest.raises(Rejected) as refused:
        await shop.send(
            Started(amojo_conversation_id="a", started_at=NOW, receiver=Person(phone="+7999"))
        )
    assert refused.value.reason == "no_conversation"


async def test_a_long_message_goes_on_where_it_broke_off(shop: Shop, api: BotApi) -> None:
    wait = Failure(code=429, description="Too Many Requests: retry after 1", retry_after=1)
    released = asyncio.Event()
    released.set()
    api.failures["sendMessage"].extend([Failure(after=released), wait])
    long = words(f"{'a' * 4096}{'b' * 4096}c")
    with pytest.raises(Throttled):
        await shop.send(long)
    named = await shop.send(long)
    assert named == tuple(f"501:{sent['message_id']}" for sent in shop.state.sent)
    assert [sent["text"][0] for sent in shop.state.sent] == ["a", "b", "c"]


async def test_a_file_is_uploaded_whole(shop: Shop) -> None:
    shop.file = OGG * 40_000
    await shop.send(media(MessageType.VOICE, "audio/ogg", text="listen", file_name="v.ogg"))
    kept = shop.state.files[shop.last["voice"]["file_id"]]
    assert kept.content == shop.file
    assert shop.last["caption"] == "listen"


async def test_what_telegram_does_not_show_comes_as_a_file(shop: Shop, api: BotApi) -> None:
    shop.file = PNG
    api.failures["sendPhoto"].append(
        Failure(code=400, description="Bad Request: PHOTO_INVALID_DIMENSIONS")
    )
    await shop.send(media(MessageType.PICTURE, "image/png", file_name="long.png"))
    assert shop.last["document"]["file_name"] == "long.png"


async def test_a_file_that_is_gone_comes_as_its_link(shop: Shop) -> None:
    await shop.send(media(MessageType.PICTURE, "image/png", file_name="p.png"))
    assert shop.last["text"] == "📎 p.png https://bridge.example.com/media/1"


async def test_a_file_that_cannot_be_read_now_is_tried_again(shop: Shop) -> None:
    shop.file = MediaUnreachable("not now")
    with pytest.raises(NotSent):
        await shop.send(media(MessageType.PICTURE, "image/png"))


async def test_reactions_are_shown_and_those_that_bots_may_not_use_are_said(shop: Shop) -> None:
    heart = Reaction(
        message_id="501:1", conversation_id="501", reacted_at=NOW, by=Person(name="Kate"), emoji="❤️"
    )
    assert await shop.send(heart) == ()
    await shop.send(replace(heart, removed=True))
    assert shop.state.reactions == [
        {"message_id": 1, "emojis": ["❤"]},
        {"message_id": 1, "emojis": []},
    ]
    await shop.send(replace(heart, emoji="🦆"))
    assert shop.last["text"] == "🦆"
    assert shop.last["reply_to_message"]["message_id"] == 1


async def test_typing_is_shown(shop: Shop) -> None:
    await shop.send(Typing(conversation_id="501", by=Person(name="Kate"), until=NOW))
    assert shop.state.actions == [{"chat_id": 501, "action": "typing"}]


async def test_a_clients_file_is_fetched(shop: Shop) -> None:
    sent = await shop.anna.sends("voice", content=OGG * 5_000)
    async with shop.connector.fetch(shop.messenger, sent["voice"]["file_id"]) as download:
        assert download.size == len(OGG) * 5_000
        assert b"".join([chunk async for chunk in download.chunks()]) == OGG * 5_000


async def test_a_file_that_telegram_does_not_give(shop: Shop, api: BotApi) -> None:
    large = (await shop.anna.sends("video", size=21 * 1_048_576))["video"]["file_id"]
    gone = (await shop.anna.sends("video", size=5))["video"]["file_id"]
    cases = [(large, MediaTooLarge), (gone, MediaGone), ("unknown", MediaGone)]
    for ref, kind in cases:
        with pytest.raises(kind) as refused:
            async with shop.connector.fetch(shop.messenger, ref):
                pass
        assert shop.state.token not in f"{refused.value!r} {refused.value.__cause__!r}"
    api.failures["getFile"].append(Failure(code=500, description="Internal Server Error"))
    with pytest.raises(MediaUnreachable):
        async with shop.connector.fetch(shop.messenger, gone):
            pass


async def test_a_right_token_is_taken(shop: Shop) -> None:
    await shop.connector.check(shop.messenger)


async def test_the_test_button_tells_of_the_bot_and_of_what_waits(
    shop: Shop, state: BotState, api: BotApi
) -> None:
    tested = await shop.connector.test(shop.messenger)
    assert (tested.ok, tested.detail) == (True, "1 updates wait for @shop_bot")
    state.webhook = Webhook(
        url="https://bridge.example.com", last_error_date=1, last_error_message="Connection refused"
    )
    tested = await shop.connector.test(shop.messenger)
    assert not tested.ok
    assert tested.detail.endswith("Telegram says: Connection refused")
    assert tested.fix is not None
    api.failures["getMe"].append(Failure(code=401, description="Unauthorized"))
    tested = await shop.connector.test(shop.messenger)
    assert (tested.ok, tested.code, tested.status) == (False, "misconfigured", 401)


async def checked(shop: Shop, **changes: Any) -> dict[str, str]:
    """What is wrong with a messenger like this."""
    values = {"kind": "telegram", "webhook_url": None, "id": "msgr_2"}
    other = make_messenger(**values | changes)
    with pytest.raises(InvalidFields) as refused:
        await shop.connector.check(other)
    return refused.value.fields


async def test_a_wrong_token_says_so(shop: Shop, api: BotApi) -> None:
    fields = await checked(
        shop, settings={"api_base": api.url}, secrets={"token": "123456:" + "x" * 35}
    )
    assert "does not know this token" in fields["/settings/token"]


async def test_a_bot_belongs_to_one_messenger(shop: Shop, api: BotApi) -> None:
    fields = await checked(
        shop, settings={"api_base": api.url}, secrets={"token": shop.state.token}
    )
    assert fields == {"/settings/token": f"this bot belongs to messenger {shop.messenger.id}"}


async def test_a_server_in_a_private_net_is_refused(shop: Shop) -> None:
    base = {"api_base": "http://10.0.0.1:8081"}
    fields = await checked(shop, settings=base, secrets={"token": "123456:" + "x" * 35})
    assert set(fields) == {"/settings/api_base"}


async def test_a_webhook_of_telegrams_cloud_needs_a_public_address() -> None:
    connector = TelegramConnector(make_host(public_url="http://127.0.0.1:8080"))
    messenger = make_messenger(
        kind="telegram",
        webhook_url=None,
        settings={"mode": "webhook"},
        secrets={"token": "123456:" + "x" * 35},
    )
    with pytest.raises(InvalidFields) as refused:
        await connector.check(messenger)
    assert set(refused.value.fields) == {"/settings/mode"}


async def test_telegram_out_of_reach_is_no_wrong_token(shop: Shop, api: BotApi) -> None:
    api.failures["getMe"].append(Failure(code=502, description="Bad Gateway"))
    with pytest.raises(FarSideUnreachable):
        await shop.connector.check(shop.messenger)


async def test_updates_are_confirmed_once_they_are_taken(shop: Shop) -> None:
    shop.diary.failures.append(StoreUnavailable("the database is away"))
    await shop.anna.writes("one")
    await shop.connector.look_after([shop.messenger])
    await shop.clock.somebody_sleeps()  # it was not taken: asked again in a second
    assert shop.state.delivered == []
    shop.clock.advance(1)
    await shop.state.wait_for(lambda: len(shop.state.delivered) == 2)
    assert sorted(shop.diary.noted) == ["/start", "one"]


async def test_polling_ends_a_webhook_and_outlives_another_poller(
    shop: Shop, state: BotState, api: BotApi
) -> None:
    conflict = Failure(code=409, description="Conflict: terminated by other getUpdates request")
    api.failures["getUpdates"].append(conflict)
    await shop.connector.look_after([shop.messenger])
    await shop.clock.somebody_sleeps()
    assert state.calls[0] == "deleteWebhook"
    shop.clock.advance(1)
    await state.wait_for(lambda: len(state.delivered) == 1)


async def test_an_update_that_cannot_be_read_holds_nothing_up(shop: Shop, state: BotState) -> None:
    async with state.changed:
        state.updates.append({"update_id": 100_500, "message": {"text": 1}})
    await shop.anna.writes("after it")
    await shop.connector.look_after([shop.messenger])
    await state.wait_for(lambda: len(state.delivered) == 3)
    assert sorted(shop.diary.noted) == ["/start", "after it"]


async def test_a_webhook_that_was_replaced_is_set_again(
    shop: Shop, state: BotState, api: BotApi
) -> None:
    messenger = make_messenger(
        kind="telegram",
        webhook_url=None,
        settings={"api_base": api.url, "mode": "webhook"},
        secrets={"token": state.token},
    )
    await shop.connector.look_after([messenger])
    await shop.clock.somebody_sleeps()
    ours = f"https://bridge.example.com/connectors/telegram/{messenger.id}"
    assert state.webhook is not None
    assert state.webhook.url == ours
    secret = state.webhook.secret_token
    state.webhook.url, state.webhook.secret_token = "https://somebody.else", None
    shop.clock.advance(300)
    await state.wait_for(lambda: state.calls.count("setWebhook") == 2)
    assert (state.webhook.url, state.webhook.secret_token) == (ours, secret)


async def test_a_bot_that_is_led_elsewhere_is_let_go(shop: Shop, state: BotState) -> None:
    await shop.connector.look_after([shop.messenger])
    await state.wait_for(lambda: state.poller is not None)
    await shop.connector.look_after(())
    assert [task.get_name() for task in asyncio.all_tasks() if "telegram" in task.get_name()] == []
