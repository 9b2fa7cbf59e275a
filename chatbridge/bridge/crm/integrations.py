"""The integrations through which accounts let us in, as people set them up."""

from typing import Any

from chatbridge.clock import Clock
from chatbridge.errors import Forbidden, NotFound
from chatbridge.model import Integration, Permission, Principal
from chatbridge.store import integrations as rows
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer


class Integrations:
    """The integrations of this server."""

    def __init__(self, *, store: Store, sealer: Sealer, clock: Clock) -> None:
        """Keep them in `store`, their secrets sealed."""
        self._store, self._sealer, self._clock = store, sealer, clock

    async def list_(self, principal: Principal) -> list[Integration]:
        """Return every integration that a caller may use, the server's own included, oldest first."""
        found = await self._store.read(rows.list_integrations, self._sealer)
        return [each for each in found if _may_use(principal, each)]

    async def integration(self, principal: Principal, client_id: str) -> Integration:
        """Return an integration that a caller may use.

        Raises:
            NotFound: there is none.

        """
        found = await self._store.read(rows.find, client_id, self._sealer)
        if found is None or not _may_use(principal, found):
            raise no_integration(client_id)
        return found

    async def own(self, principal: Principal, client_id: str) -> Integration:
        """Return an integration that a caller may change.

        Raises:
            NotFound: there is none.
            Forbidden: it is the server's.

        """
        found = await self.integration(principal, client_id)
        if found.workspace_id is None and not principal.may(Permission.SERVER):
            raise Forbidden("The integration is the server's: its operator changes it.")
        return found

    async def add(self, integration: Integration) -> Integration:
        """Store a new integration.

        Raises:
            AlreadyExists: its id is taken.

        """
        await self._store.write(rows.add, integration, self._sealer)
        return integration

    async def change(self, integration: Integration, changes: dict[str, Any]) -> Integration:
        """Change members of an integration; accounts that its wrong keys kept out are let in again.

        Raises:
            NotFound: it is gone.

        """
        client_id, now = integration.client_id, self._clock.now()
        changed = await self._store.write(rows.change, client_id, changes, self._sealer, now=now)
        if changed is None:
            raise no_integration(client_id)
        return changed

    async def remove(self, integration: Integration) -> None:
        """Remove an integration.

        Raises:
            IntegrationInUse: accounts are connected through it.

        """
        await self._store.write(rows.remove, integration.client_id)


def no_integration(client_id: str) -> NotFound:
    """Return the error for an integration that is not there, or not for the caller."""
    return NotFound(f"There is no integration {client_id!r}. Make it with POST /v1/integrations.")


def _may_use(principal: Principal, integration: Integration) -> bool:
    return integration.workspace_id is None or principal.sees(integration.workspace_id)
