"""The integrations through which accounts let us in, as people set them up."""

from typing import Any

from chatbridge.clock import Clock
from chatbridge.errors import NotFound
from chatbridge.model import Integration
from chatbridge.store import integrations as rows
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer


class Integrations:
    """The integrations of this server."""

    def __init__(self, *, store: Store, sealer: Sealer, clock: Clock) -> None:
        """Keep them in `store`, their secrets sealed."""
        self._store, self._sealer, self._clock = store, sealer, clock

    async def list_(self) -> list[Integration]:
        """Return every integration, oldest first."""
        return await self._store.read(rows.list_integrations, self._sealer)

    async def integration(self, client_id: str) -> Integration:
        """Return an integration.

        Raises:
            NotFound: there is none.

        """
        found = await self._store.read(rows.find, client_id, self._sealer)
        return _there(found, client_id)

    async def add(self, integration: Integration) -> Integration:
        """Store a new integration.

        Raises:
            AlreadyExists: its id is taken.

        """
        await self._store.write(rows.add, integration, self._sealer)
        return integration

    async def change(self, client_id: str, changes: dict[str, Any]) -> Integration:
        """Change members of an integration; accounts that its wrong keys kept out are let in again.

        Raises:
            NotFound: there is none.

        """
        now = self._clock.now()
        changed = await self._store.write(rows.change, client_id, changes, self._sealer, now=now)
        return _there(changed, client_id)

    async def remove(self, client_id: str) -> None:
        """Remove an integration.

        Raises:
            NotFound: there is none.
            IntegrationInUse: accounts are connected through it.

        """
        if not await self._store.write(rows.remove, client_id):
            raise _unknown(client_id)


def _there(found: Integration | None, client_id: str) -> Integration:
    if found is None:
        raise _unknown(client_id)
    return found


def _unknown(client_id: str) -> NotFound:
    return NotFound(f"There is no integration {client_id!r}. Make it with POST /v1/integrations.")
