from typing import Any

import pytest

from chatbridge.model import Link
from chatbridge.store import directory
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer
from tests.factories import make_channel, make_link, make_messenger
from tests.media import PASSPHRASE


@pytest.fixture
async def link(store: Store) -> Link:
    """A stored link with its channel and messenger."""
    return await add_link(store)


async def add_link(store: Store, **messenger: Any) -> Link:
    sealer = Sealer([PASSPHRASE])
    channel, made = make_channel(), make_messenger(**messenger)
    await store.write(directory.add_channel, channel, sealer)
    await store.write(directory.add_messenger, made, sealer)
    return await store.write(directory.add_link, make_link(channel, made))
