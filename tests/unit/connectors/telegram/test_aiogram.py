"""aiogram is imported when there is a bot, and a server without it says what to do. Each in a Python of its own."""

import subprocess
import sys

INSTALLED = """
import sys
from chatbridge.connectors.registry import load_connectors
from tests.hosts import make_host
assert "telegram" in load_connectors(make_host())
assert "aiogram" not in sys.modules
"""

MISSING = """
import asyncio, sys
sys.modules["aiogram"] = None
from chatbridge.connectors.telegram.connector import TelegramConnector
from chatbridge.errors import InvalidFields
from tests.hosts import make_host
from tests.unit.factories import make_messenger

async def refused():
    secrets = {"token": "123456:" + "x" * 35}
    messenger = make_messenger(kind="telegram", webhook_url=None, secrets=secrets)
    try:
        await TelegramConnector(make_host()).check(messenger)
    except InvalidFields as error:
        return error.fields

assert asyncio.run(refused()) == {
    "/kind": "Telegram bots need aiogram: install chatbridge[telegram] on this server."
}
"""


def test_it_is_not_imported_before_there_is_a_bot() -> None:
    subprocess.run([sys.executable, "-c", INSTALLED], check=True)


def test_a_server_without_it_says_what_to_install() -> None:
    subprocess.run([sys.executable, "-c", MISSING], check=True)
