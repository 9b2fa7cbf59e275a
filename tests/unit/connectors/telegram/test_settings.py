"""A bot's settings: what is taken, what follows from it, and that a token is not shown."""

from typing import Any

import pytest
from pydantic import ValidationError

from chatbridge.connectors.telegram.settings import TelegramSettings

TOKEN = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"token": "not a token"},
        {"token": "123456:short"},
        {"token": TOKEN + "/../getMe"},
        {"token": TOKEN, "mode": "pigeon"},
        {"token": TOKEN, "api_base": "ftp://example.com"},
        {"token": TOKEN, "api_base": "https:///x"},
        {"token": TOKEN, "unknown": 1},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TelegramSettings.model_validate(settings)


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(TelegramSettings.model_validate({"token": TOKEN}))


@pytest.mark.parametrize(
    ("mode", "public_url", "expected"),
    [
        (None, "https://bridge.example.com", True),
        (None, "https://93.184.216.34", True),
        (None, "http://bridge.example.com", False),
        (None, "https://localhost", False),
        (None, "https://10.0.0.7", False),
        (None, "https://[::1]", False),
        (None, "https://bridge.local", False),
        ("webhook", "http://127.0.0.1", True),
        ("polling", "https://bridge.example.com", False),
    ],
)
def test_updates_come_by_webhook_where_telegram_can_call(
    mode: str | None, public_url: str, *, expected: bool
) -> None:
    settings = TelegramSettings.model_validate({"token": TOKEN, "mode": mode})
    assert settings.uses_webhook(public_url) is expected


def test_a_server_of_ones_own_takes_larger_files() -> None:
    cloud = TelegramSettings.model_validate({"token": TOKEN})
    own = TelegramSettings.model_validate({"token": TOKEN, "api_base": "http://127.0.0.1:8081/"})
    assert (cloud.download_limit, cloud.upload_limit) == (20 * 1_048_576, 50 * 1_048_576)
    assert own.download_limit == own.upload_limit == 2000 * 1_048_576
    assert own.api_base == "http://127.0.0.1:8081"
    assert cloud.bot_id == "123456"
