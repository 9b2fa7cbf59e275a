"""A connector of the tests' own: its messengers give what they take ids of their own, and files by name only."""

import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from chatbridge.connectors.base import Connector, Delivery, MessengerSettings, Taken
from chatbridge.connectors.host import Download, Host, Inbound
from chatbridge.connectors.registry import GROUP
from chatbridge.errors import MediaGone, MediaTooLarge, MediaUnreachable
from chatbridge.model import Messenger


def install_pigeons(folder: Path) -> None:
    """Make a folder for `sys.path` in which a package with this connector is installed."""
    info = folder / "pigeons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeons\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\npigeon = {__name__}:PigeonConnector\n")


class PigeonSettings(MessengerSettings):
    """Files come from a `FileServer` at this address, which hears whose they are."""

    files_url: str


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
    """Every message is two pigeons."""

    kind = "pigeon"
    settings = PigeonSettings
    names_messages = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.sent: list[Delivery] = []
        self._numbers = itertools.count(1)

    async def start(self, inbound: Inbound) -> None:
        self.inbound = inbound

    async def send(self, delivery: Delivery) -> Taken:
        self.sent.append(delivery)
        return Taken(message_ids=(f"p-{next(self._numbers)}", f"p-{next(self._numbers)}"))

    @asynccontextmanager
    async def fetch(self, messenger: Messenger, ref: str) -> AsyncGenerator[Download]:
        if ref == "huge":  # as the messenger's own list of files says
            raise MediaTooLarge("the messenger gives out 20 MB at most")
        address = f"{messenger.settings['files_url']}/{ref}/{messenger.id}"
        async with self.host.http.request("GET", address, seconds=60) as answer:
            if answer.status != 200:
                raise MediaGone("the messenger has no such file")
            yield Coming(answer)
