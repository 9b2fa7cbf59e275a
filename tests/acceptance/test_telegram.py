"""A client in Telegram and an operator in amoCRM, with real servers between them and a Bot API of the tests' own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually
from tests.acceptance.sandbox import SandboxAmojo
from tests.telegram.bot_api import BotApi
from tests.telegram.bot_state import BotState
from tests.telegram.people import Client


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as api:
        yield api


@dataclass(frozen=True, kw_only=True)
class Line:
    """A bot, the server behind it, and the account where operators answer."""

    bridge: Bridge
    sandbox: SandboxAmojo
    shop: Shop
    bot: BotState

    async def arrived(self, chat: int, count: int) -> list[dict[str, Any]]:
        """The messages of a chat in amoCRM, once there are so many."""

        async def there() -> list[dict[str, Any]] | None:
            found = (await self.sandbox.messages(self.shop.account)).get(str(chat), [])
            return found if len(found) >= count else None

        found: list[dict[str, Any]] = await eventually(there, f"{count} messages of {chat}")
        return found

    async def operator(self, chat: int, text: str = "", **message: Any) -> str:
        status, message_id = await self.sandbox.operator_writes(
            self.shop.account, str(chat), text, **message
        )
        assert status == 200
        return message_id


async def make_line(
    bridge: Bridge, sandbox: SandboxAmojo, api: BotApi, bot: BotState, **settings: Any
) -> Line:
    draft = {"token": bot.token, "api_base": api.url} | settings
    shop = await bridge.open_shop(sandbox, kind="telegram", settings=draft)
    return Line(bridge=bridge, sandbox=sandbox, shop=shop, bot=bot)


@pytest.fixture(params=["webhook", "polling"])
async def line(
    request: pytest.FixtureRequest, bridge: Bridge, sandbox: SandboxAmojo, api: BotApi
) -> Line:
    return await make_line(bridge, sandbox, api, api.add_bot(), mode=request.param)


async def test_words_go_both_ways(line: Line) -> None:
    anna = Client(line.bot, 501)
    await anna.start("campaign-7")
    await anna.writes("Hello")
    came = await line.arrived(501, 2)
    assert [row["text"] for row in came] == ["/start campaign-7", "Hello"]
    await line.operator(501, "How can I help?")
    await line.bot.wait_for(lambda: line.bot.sent)
    assert line.bot.sent[0]["text"] == "How can I help?"
