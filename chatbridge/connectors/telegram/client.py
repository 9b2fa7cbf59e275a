"""One bot: aiogram's methods and models over the server's own connections, so through its address guard and proxy."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar, cast

import aiohttp
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError
from aiogram.methods import GetFile, TelegramMethod
from aiogram.types import InputFile

from chatbridge.connectors.host import Download, HttpClient
from chatbridge.connectors.telegram.failures import delivery_error
from chatbridge.connectors.telegram.settings import CLOUD, TelegramSettings
from chatbridge.errors import DeliveryError, Disposition, MediaGone, MediaTooLarge, MediaUnreachable

T = TypeVar("T")

CALL_SECONDS: Final = 30.0
FILE_SECONDS: Final = 600.0
"""For a file, either way: 50 MB at 100 kB in a second."""


class RawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """Asks for updates and leaves them as they are: one that cannot be read must not hide the others."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None
    timeout: int
    allowed_updates: list[str]


class FromDownload(InputFile):
    """A file on its way through this server; it is read once."""

    def __init__(self, download: Download, filename: str) -> None:
        """Pass on a file under a name."""
        super().__init__(filename=filename)
        self._download = download

    async def read(self, bot: Bot) -> AsyncGenerator[bytes, None]:  # noqa: ARG002 - aiogram's port
        """Yield its bytes."""
        async for chunk in self._download.chunks():
            yield chunk


class _Arriving:
    """A file on its way from Telegram."""

    def __init__(self, answer: aiohttp.ClientResponse, size: int | None) -> None:
        self._answer, self.size = answer, size

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.content.iter_any():
            yield chunk


class BotClient:
    """Calls in the name of one bot."""

    def __init__(self, http: HttpClient, settings: TelegramSettings) -> None:
        """Call through `http`."""
        self.settings = settings
        api = TelegramAPIServer.from_base(settings.api_base or CLOUD)
        self._session = _Session(http, api)
        self._http, self._api = http, api
        self._bot = Bot(settings.token.get_secret_value(), session=self._session)

    async def call(
        self,
        method: TelegramMethod[T],
        *,
        seconds: float = CALL_SECONDS,
        allowed: Callable[[], bool] | None = None,
    ) -> T:
        """Return what Telegram answers.

        Raises:
            DeliveryError: it was not carried out, or may not have been.

        """
        try:
            return await self._session.exchange(self._bot, method, seconds, allowed)
        except AiogramError as error:
            # Not `from error`: aiogram's has the whole call in it.
            raise delivery_error(error) from None

    @asynccontextmanager
    async def open_file(self, file_id: str) -> AsyncGenerator[Download]:
        """Give a client's file.

        Raises:
            MediaTooLarge, MediaGone, MediaUnreachable: it cannot be had.

        """
        try:
            found = await self.call(GetFile(file_id=file_id))
            path = (found.file_path or "").lstrip(
                "/"
            )  # a local server names it by its place on the disk
            url = self._api.file_url(self._bot.token, path)
            async with self._http.request("GET", url, seconds=FILE_SECONDS) as answer:
                if answer.status != 200:
                    kind = MediaUnreachable if answer.status >= 500 else MediaGone
                    raise kind(f"Telegram answered HTTP {answer.status} for the file")
                yield _Arriving(answer, found.file_size)
        except DeliveryError as error:
            raise _media_error(error) from error


def _media_error(error: DeliveryError) -> Exception:
    if "too big" in str(error):
        return MediaTooLarge("Telegram gives bots no file of this size")
    again = error.disposition in {Disposition.RETRY, Disposition.UNKNOWN}
    return (MediaUnreachable if again else MediaGone)(str(error))


class _Session(BaseSession):
    """aiogram's port for whatever carries its calls."""

    def __init__(self, http: HttpClient, api: TelegramAPIServer) -> None:
        super().__init__(api=api)
        self._http = http

    async def exchange(
        self,
        bot: Bot,
        method: TelegramMethod[T],
        seconds: float,
        allowed: Callable[[], bool] | None,
    ) -> T:
        """Send a call as a form, and read the answer with aiogram's models."""
        url = self.api.api_url(bot.token, method.__api_method__)
        form = self._form(bot, method)
        async with self._http.request(
            "POST", url, data=form, seconds=seconds, allowed=allowed
        ) as answer:
            status, text = answer.status, await answer.text("utf-8", "replace")
        return cast("T", self.check_response(bot, method, status, text).result)

    def _form(self, bot: Bot, method: TelegramMethod[Any]) -> aiohttp.FormData:
        form, files = aiohttp.FormData(quote_fields=False), dict[str, Any]()
        for name, value in method.model_dump(warnings=False).items():
            prepared = self.prepare_value(value, bot, files)
            if prepared:
                form.add_field(name, prepared)
        for name, file in files.items():
            form.add_field(name, file.read(bot), filename=file.filename or name)
        return form

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[T],
        timeout: int | None = None,  # noqa: ASYNC109 - aiogram's port
    ) -> T:
        """Carry a call of aiogram's own."""
        return await self.exchange(bot, method, timeout or CALL_SECONDS, None)

    def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:
        """Refuse: files are fetched by `BotClient.open_file`."""
        raise NotImplementedError

    async def close(self) -> None:
        """Leave the connections open: they are the server's."""
