"""A client in Telegram and an operator in amoCRM, with real servers between them and a Bot API of the tests' own."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.sandbox import SandboxAmojo
from tests.media import MP3, MP4, OGG, PDF, PNG, WEBP, FileServer
from tests.telegram.bot_api import BotApi, Failure
from tests.telegram.bot_state import BotState
from tests.telegram.people import CONTENTS, THUMBNAIL, Client


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as api:
        yield api


@pytest.fixture
async def files() -> AsyncIterator[FileServer]:
    async with FileServer() as files:
        yield files


@dataclass(frozen=True, kw_only=True)
class Line:
    """A bot with Anna, who writes to it; the server behind it, and the account where operators answer."""

    bridge: Bridge
    sandbox: SandboxAmojo
    shop: Shop
    bot: BotState
    anna: Client

    async def rows(self, *, chat: int = 501, direction: str = "in") -> list[dict[str, Any]]:
        """The messages of a chat in amoCRM."""
        known = (await self.sandbox.chats(self.shop.account)).get(str(chat))
        if known is None:
            return []
        found = await self.sandbox.control("GET", f"/chats/{known['id']}/messages")
        return [row for row in found["messages"] if row["direction"] == direction]

    async def row(
        self, condition: Callable[[dict[str, Any]], Any], *, direction: str = "in"
    ) -> dict[str, Any]:
        """The message of Anna's chat of which something holds, once there is one."""

        async def there() -> dict[str, Any] | None:
            rows = await self.rows(direction=direction)
            return next((row for row in rows if condition(row)), None)

        found: dict[str, Any] = await eventually(there, "a message like this in amoCRM")
        return found

    async def operator(self, text: str = "", *, chat: int = 501, **message: Any) -> str:
        """Write to a client; amoCRM's id of the message."""
        account = self.shop.account
        status, name = await self.sandbox.operator_writes(account, str(chat), text, **message)
        assert status == 200
        return name

    async def shown(self, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The bot's message of which something holds, once there is one."""
        await self.bot.wait_for(lambda: any(map(condition, self.bot.sent)))
        return next(filter(condition, self.bot.sent))


async def make_line(bridge: Bridge, sandbox: SandboxAmojo, api: BotApi, **settings: Any) -> Line:
    bot = api.add_bot()
    draft = {"token": bot.token, "api_base": api.url} | settings
    shop = await bridge.open_shop(sandbox, kind="telegram", settings=draft)
    return Line(bridge=bridge, sandbox=sandbox, shop=shop, bot=bot, anna=Client(bot, 501))


@pytest.fixture
async def line(bridge: Bridge, sandbox: SandboxAmojo, api: BotApi) -> Line:
    """A line on which Anna has pressed Start: by webhook with one database, by polling with the other."""
    is_shared = bridge.process.settings["CHATBRIDGE_STORE__URL"].startswith("postgresql")
    line = await make_line(bridge, sandbox, api, mode="polling" if is_shared else "webhook")
    await line.anna.start("campaign-7")
    await line.row(lambda row: row["text"] == "/start campaign-7")
    return line


async def test_words_go_both_ways(line: Line) -> None:
    await line.anna.writes("Hello")
    await line.row(lambda row: row["text"] == "Hello")
    name = await line.operator("How can I help?")
    await line.shown(lambda sent: sent["text"] == "How can I help?")
    await line.row(lambda row: row["id"] == name and row["status"]["code"] == 1, direction="out")


CLIENTS_FILES = {
    "photo": ("picture", CONTENTS["photo"]),
    "document": ("file", CONTENTS["document"]),
    "video": ("video", CONTENTS["video"]),
    "animation": ("video", CONTENTS["animation"]),
    "video_note": ("video", CONTENTS["video_note"]),
    "voice": ("voice", CONTENTS["voice"]),
    "audio": ("audio", CONTENTS["audio"]),
    "sticker": ("sticker", CONTENTS["sticker"]),
}


async def test_files_of_every_kind_reach_amocrm(line: Line) -> None:
    """amoCRM is told links of this server's own, in the order in which Anna sent them, and they hold her files."""
    for kind in CLIENTS_FILES:
        await line.anna.sends(kind)
    await line.anna.moving_sticker()
    await line.anna.writes("that was all")
    await line.row(lambda row: row["text"] == "that was all")
    rows = (await line.rows())[1:-1]
    expected = [*CLIENTS_FILES.values(), ("sticker", THUMBNAIL)]
    assert [row["type"] for row in rows] == [kind for kind, _ in expected]
    for row, (_, content) in zip(rows, expected, strict=True):
        assert line.bot.token.partition(":")[2] not in str(row)
        async with line.bridge.http.get(row["media"]) as answer:
            assert await answer.read() == content


async def test_an_album_a_place_a_card_and_a_file_too_large(line: Line) -> None:
    await line.anna.album("both", None)
    await line.anna.says(location={"latitude": 55.75, "longitude": 37.62})
    own = {"phone_number": "+79990000001", "first_name": "Anna", "user_id": 501}
    await line.anna.says(contact=own)
    await line.anna.sends(
        "video", size=34 * 1_048_576, name="film.mp4", changes={"file_size": 2_200_000_000}
    )
    await line.anna.says(dice={"emoji": "🎲", "value": 4})
    await line.row(lambda row: row["text"] == "🎲 4")
    first, second, place, card, large, _ = (await line.rows())[1:]
    assert (first["type"], first["text"], second["type"]) == ("picture", "both", "picture")
    assert first["media_group_id"] == second["media_group_id"]
    assert place["location"] == {"lat": 55.75, "lon": 37.62}
    assert card["contact"] == {"name": "Anna", "phone": "+79990000001"}
    assert large["text"] == "📎 film.mp4 (2098 MB > 2000 MB)"


OPERATORS_FILES = {
    "picture": ("png/p.png", "photo", PNG),
    "file": ("pdf/d.pdf", "document", PDF),
    "video": ("mp4/v.mp4", "video", MP4),
    "voice": ("ogg/v.ogg", "voice", OGG),
    "audio": ("mp3/a.mp3", "audio", MP3),
    "sticker": ("webp/s.webp", "sticker", WEBP),
}


async def test_files_of_every_kind_reach_the_client(line: Line, files: FileServer) -> None:
    for kind, (path, *_) in OPERATORS_FILES.items():
        link = {} if kind == "picture" else {"file_name": path.partition("/")[2]}
        await line.operator("caption", type=kind, media=f"{files.url}/{path}", **link)
    await line.operator("that was all")
    await line.shown(lambda sent: sent.get("text") == "that was all")
    found = iter(line.bot.sent)
    for _, member, content in OPERATORS_FILES.values():
        sent = next(found)
        file = sent[member][-1] if member == "photo" else sent[member]
        assert line.bot.files[file["file_id"]].content == content
        said = next(found)["text"] if member == "sticker" else sent["caption"]
        assert said == "caption"


async def test_a_place_and_a_card_reach_the_client(line: Line) -> None:
    await line.operator(type="location", location={"lat": 55.75, "lon": 37.62})
    await line.operator(type="contact", contact={"name": "Kate", "phone": "+79990000002"})
    card = await line.shown(lambda sent: "contact" in sent)
    assert card["contact"] == {"phone_number": "+79990000002", "first_name": "Kate"}
    assert line.bot.sent[0]["location"] == {"latitude": 55.75, "longitude": 37.62}


async def test_each_side_answers_the_other(line: Line) -> None:
    question = await line.anna.writes("How much?")
    known = await line.row(lambda row: row["text"] == "How much?")
    name = await line.operator("100", reply_to=known["id"])
    price = await line.shown(lambda sent: sent["text"] == "100")
    assert price["reply_to_message"]["message_id"] == question["message_id"]
    await line.bridge.wait_for_state(line.shop, name, "delivered")  # then its name is known
    await line.anna.writes("Too much", reply_to=price)
    answer = await line.row(lambda row: row["text"] == "Too much")
    assert answer["reply_to"]["message"]["id"] == name
    await line.operator("90", reply_to=name)
    other = await line.shown(lambda sent: sent["text"] == "90")
    assert other["reply_to_message"]["message_id"] == price["message_id"]


async def test_each_side_reacts_to_either(line: Line) -> None:
    mine = await line.anna.writes("Thanks!")
    known = await line.row(lambda row: row["text"] == "Thanks!")
    name = await line.operator("Welcome")
    theirs = await line.shown(lambda sent: sent["text"] == "Welcome")
    await line.bridge.wait_for_state(line.shop, name, "delivered")  # then its name is known
    for amojo_id, telegram_id in ((known["id"], mine["message_id"]), (name, theirs["message_id"])):
        heart = {"type": "react", "emoji": "❤"}
        await line.sandbox.control("POST", f"/messages/{amojo_id}/reaction", heart)
        expected = {"message_id": telegram_id, "emojis": ["❤"]}
        await line.bot.wait_for(lambda expected=expected: expected in line.bot.reactions)
    await line.anna.reacts(theirs["message_id"], "👍")
    await line.row(lambda row: row["id"] == name and "👍" in emojis(row), direction="out")
    await line.anna.reacts(theirs["message_id"], before=("👍",))
    await line.row(lambda row: row["id"] == name and "👍" not in emojis(row), direction="out")


def emojis(row: dict[str, Any]) -> list[str]:
    """What stands below a message in amoCRM."""
    return [reaction["emoji"] for reaction in row["reactions"]]


async def test_an_edit_changes_the_message(line: Line) -> None:
    sent = await line.anna.writes("Hullo")
    await line.row(lambda row: row["text"] == "Hullo")
    await line.anna.edits(sent, text="Hello")
    await line.row(lambda row: row["text"] == "Hello" and row["edited"])


async def test_a_button_is_pressed_and_says_its_caption(line: Line) -> None:
    buttons = [[{"text": "Yes"}, {"text": "Site", "url": "https://shop.example/"}]]
    await line.operator("Well?", markup={"mode": "inline", "buttons": buttons})
    asked = await line.shown(lambda sent: sent["text"] == "Well?")
    query = await line.anna.presses(asked, 0, 0)
    await line.row(lambda row: row["text"] == "Yes")
    await line.bot.wait_for(lambda: query["id"] in line.bot.answered)


async def test_typing_is_shown(line: Line) -> None:
    chat = (await line.sandbox.chats(line.shop.account))["501"]
    await line.sandbox.control("POST", f"/chats/{chat['id']}/typing", {})
    await line.bot.wait_for(lambda: {"chat_id": 501, "action": "typing"} in line.bot.actions)


async def test_who_blocks_the_bot_gets_nothing_and_the_operator_is_told(line: Line) -> None:
    await line.anna.blocks()
    name = await line.operator("Are you there?")
    told = await line.row(
        lambda row: row["id"] == name and row["status"]["code"] == -1, direction="out"
    )
    assert told["status"]["error_code"] == 904
    assert "blocked" in told["status"]["error"]


async def test_telegram_is_waited_for_as_long_as_it_asks(line: Line, api: BotApi) -> None:
    wait = Failure(code=429, description="Too Many Requests: retry after 1", retry_after=1)
    api.failures["sendMessage"].append(wait)
    first = await line.operator("first")
    await line.operator("second")
    await line.shown(lambda sent: sent["text"] == "second")
    assert [sent["text"] for sent in line.bot.sent] == ["first", "second"]
    passport = await line.bridge.passport(line.shop, first)
    assert [step["code"] for step in passport["timeline"] if step["step"] == "retry"] == [
        "throttled"
    ]


async def test_a_wrong_secret_is_turned_away(line: Line) -> None:
    path = f"/connectors/telegram/{line.shop.messenger['id']}"
    header = "X-Telegram-Bot-Api-Secret-Token"
    for headers in ({}, {header: "wrong"}, {header: line.bot.token}, {header: "\u00e9"}):
        reply = await line.bridge.call("POST", path, {"update_id": 1}, key=None, headers=headers)
        assert reply.status == 401
    nobody = await line.bridge.call("POST", "/connectors/telegram/msgr_0", {}, key=None)
    assert nobody.status == 401


async def test_a_wrong_token_makes_no_messenger(bridge: Bridge, api: BotApi) -> None:
    settings = {"token": "123456:" + "x" * 35, "api_base": api.url}
    draft = {"name": "Bot", "kind": "telegram", "settings": settings}
    reply = await bridge.call("POST", "/v1/messengers", draft)
    assert reply.status == 422
    (fault,) = reply.problem()["errors"]
    assert fault["pointer"] == "/settings/token"
    assert "does not know this token" in fault["detail"]


async def test_the_token_is_shown_nowhere(line: Line) -> None:
    secret = line.bot.token.partition(":")[2]
    await line.operator("Hi")
    await line.shown(lambda sent: sent["text"] == "Hi")
    path = f"/v1/messengers/{line.shop.messenger['id']}"
    assert secret not in (await line.bridge.call("GET", path)).body.decode()
    assert secret not in line.bridge.process.log


async def test_nothing_is_lost_or_told_twice_when_the_server_is_killed(
    own_bridge: OwnBridge, own_sandbox: SandboxAmojo, api: BotApi
) -> None:
    """Both ways at once. A killed server asks again for what it had not confirmed, and is told again what it had not answered."""
    bridge = own_bridge()
    lines = [
        await make_line(bridge, own_sandbox, api, mode=mode) for mode in ("webhook", "polling")
    ]
    people = [(line, Client(line.bot, number)) for line in lines for number in (501, 502)]
    said = [f"text {number}" for number in range(20)]
    for some in (said[:10], said[10:]):
        for words in some:
            for _, person in people:
                await person.writes(words)
        for line in lines:
            await line.bot.wait_for(lambda line=line: line.bot.delivered)
        bridge.process.kill()
        bridge.process.start("/readyz")

    async def all_there() -> bool:
        rows = [await line.rows(chat=person.id) for line, person in people]
        return all(len(each) >= len(said) for each in rows)

    await eventually(all_there, "every message in amoCRM")
    for line, person in people:
        assert [row["text"] for row in await line.rows(chat=person.id)] == said
