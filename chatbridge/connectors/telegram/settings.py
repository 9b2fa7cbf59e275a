"""What is set up about a bot. Pure."""

import re
from ipaddress import ip_address
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from chatbridge.connectors.base import MessengerSettings
from chatbridge.model import Messenger

CLOUD: Final = "https://api.telegram.org"
_TOKEN: Final = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{20,100}")
_MEGABYTE: Final = 1_048_576


def _token(token: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError(
            "this is not a token; @BotFather gives one, such as 123456:ABC-DEF1234ghIkl"
        )
    return token


def _base(address: str) -> str:
    if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname:
        raise ValueError("this is not an http or https address")
    return address.rstrip("/")


class TelegramSettings(MessengerSettings):
    """The settings of one bot."""

    token: Annotated[SecretStr, AfterValidator(_token)] = Field(
        description="The bot's token, as @BotFather gives it"
    )
    mode: Literal["webhook", "polling"] | None = Field(
        default=None,
        description="How updates come. Left out, by webhook where `public_url` is an https address that the world reaches,"
        " and otherwise by polling",
    )
    api_base: Annotated[str, AfterValidator(_base)] | None = Field(
        default=None,
        description="Address of a Bot API server of one's own, for files of up to 2000 MB",
        examples=["http://127.0.0.1:8081"],
    )

    @classmethod
    def of(cls, messenger: Messenger) -> "TelegramSettings":
        """Return a messenger's settings."""
        return cls.model_validate(messenger.settings | messenger.secrets)

    @property
    def bot_id(self) -> str:
        """Return Telegram's id of the bot, which begins its token."""
        return self.token.get_secret_value().partition(":")[0]

    @property
    def download_limit(self) -> int:
        """Return bytes of the largest file that can be fetched ("getFile", "Using a Local Bot API Server")."""
        return (20 if self.api_base is None else 2000) * _MEGABYTE

    @property
    def upload_limit(self) -> int:
        """Return bytes of the largest file that can be sent ("Sending files", "Using a Local Bot API Server")."""
        return (50 if self.api_base is None else 2000) * _MEGABYTE

    def uses_webhook(self, public_url: str) -> bool:
        """Return whether Telegram calls this server, rather than being asked."""
        return self.mode == "webhook" if self.mode is not None else is_reachable(public_url)


def is_reachable(public_url: str) -> bool:
    """Return whether an address looks like one that Telegram may call: https, and not of this machine or a private net."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        return parts.scheme == "https" and ip_address(host).is_global
    except ValueError:
        return (
            parts.scheme == "https" and "." in host and not host.endswith((".local", ".internal"))
        )
