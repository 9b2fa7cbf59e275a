from collections.abc import AsyncIterator

import pytest

from tests.telegram.bot_api import BotApi
from tests.telegram.bot_state import BotState
from tests.telegram.people import Client


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as api:
        yield api


@pytest.fixture
async def state(api: BotApi) -> BotState:
    return api.add_bot()


@pytest.fixture
async def anna(state: BotState) -> Client:
    anna = Client(state, 501)
    await anna.start()
    return anna
