"""A courier's surroundings for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatbridge.store.engine import open_store
from tests.unit.delivery.depot import Depot


@pytest.fixture
async def depot(tmp_path: Path) -> AsyncIterator[Depot]:
    store = open_store(f"sqlite:///{tmp_path}/courier.db", synchronous="normal")
    await store.start()
    depot = Depot(store)
    try:
        await depot.prepare()
        yield depot
        await depot.close()
    finally:
        await store.close()
