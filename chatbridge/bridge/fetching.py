"""Fetches files that have no link: only the connector of their messenger can."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from chatbridge.bridge.copying import Fetch
from chatbridge.bridge.directory import Directory
from chatbridge.connectors.base import Connector
from chatbridge.connectors.host import Download
from chatbridge.errors import (
    DeliveryError,
    MediaForbidden,
    MediaGone,
    MediaUnreachable,
    Misconfigured,
    StoreUnavailable,
)
from chatbridge.model import Link


def fetching(directory: Directory, connectors: Mapping[str, Connector]) -> Fetch:
    """Return what fetches them, through one of `connectors`, which need not be there yet."""

    async def link_of(link_id: int) -> Link:
        try:
            return directory.find_link_by_id(link_id) or await directory.link_made_lately(link_id)
        except StoreUnavailable as error:
            raise MediaUnreachable("the database does not say whose file it is") from error

    @asynccontextmanager
    async def fetch(link_id: int, ref: str) -> AsyncGenerator[Download]:
        messenger = directory.messenger((await link_of(link_id)).messenger_id)
        connector = connectors.get(messenger.kind)
        if connector is None:
            raise MediaGone(f"this server has no connector for kind {messenger.kind!r}")
        try:
            async with connector.fetch(messenger, ref) as download:
                yield download
        except DeliveryError as error:
            kind = MediaForbidden if isinstance(error, Misconfigured) else MediaUnreachable
            raise kind(str(error)) from error

    return fetch
