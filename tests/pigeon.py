"""A connector of the tests' own: its messengers give what they take ids of their own, and files by name only."""

import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from chatbridge.connectors.base import Connector, Delivery, Download, Taken
from chatbridge.connectors.capabilities import EVERYTHING, Capabilities
from chatbridge.errors import MediaGone, MediaTooLarge, MediaUnreachable
from chatbridge.model import Messenger


class Coming:
    """A file on its way."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    @property
    def size(self) -> int | None:
        return self._answer.content_length

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except aiohttp.ClientError as error:
            raise MediaUnreachable("the messenger stopped in the middle of the file") from error


class PigeonConnector(Connector):
    """Every message is two pigeons. Files come from a `FileServer`, which hears whose they are."""

    kind: Final = "pigeon"
    names_messages: Final = True

    def __init__(self, files_url: str) -> None:
        self.sent: list[Delivery] = []
        self._files_url, self._numbers = files_url, itertools.count(1)

    def capabilities(self, _: Messenger) -> Capabilities:
        return EVERYTHING

    async def send(self, delivery: Delivery) -> Taken:
        self.sent.append(delivery)
        return Taken(message_ids=(f"p-{next(self._numbers)}", f"p-{next(self._numbers)}"))

    @asynccontextmanager
    async def fetch(self, messenger: Messenger, ref: str) -> AsyncGenerator[Download]:
        if ref == "huge":  # as the messenger's own list of files says
            raise MediaTooLarge("the messenger gives out 20 MB at most")
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"{self._files_url}/{ref}/{messenger.id}") as answer,
            ):
                if answer.status != 200:
                    raise MediaGone("the messenger has no such file")
                yield Coming(answer)
        except aiohttp.ClientError as error:
            raise MediaUnreachable("the messenger does not answer") from error
