"""Sends people to amoCRM's consent page, each with a state of their own: it comes back once, within twenty minutes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from chatbridge.clock import Clock
from chatbridge.errors import AuthorizationRefused
from chatbridge.ids import secret_hash
from chatbridge.model import Integration, IntegrationKind
from chatbridge.protocol.crm import oauth
from chatbridge.protocol.crm.hosts import Addresses
from chatbridge.protocol.crm.oauth import External
from chatbridge.store import authorizations as rows
from chatbridge.store.authorizations import Authorization
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer

LIFE: Final = 20 * 60 * 1_000_000
"""Microseconds in which somebody has to come back."""

_EXTERNAL: Final = "External integration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An authorization that somebody can be sent off with."""

    url: str
    state: str = field(repr=False)
    expires_at: int


class Consenting:
    """Begins authorizations; `authorizing` takes what comes back."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        clock: Clock,
        addresses: Addresses,
        new_state: Callable[[], str],
    ) -> None:
        """Make states with `new_state`."""
        self._store, self._sealer, self._clock = store, sealer, clock
        self._addresses, self._new_state = addresses, new_state

    async def begin(
        self,
        integration: Integration,
        *,
        workspace_id: str | None,
        mode: str,
        origin: str | None,
    ) -> Begun:
        """Begin with an integration that is there.

        Args:
            integration: which.
            workspace_id: whose the account will be.
            mode: `popup` or `post_message`, as amoCRM calls them.
            origin: of the page that opens the window and is told how it ended.

        """
        zone, client_id = integration.zone, integration.client_id
        made = self._made(workspace_id, client_id, zone, mode, origin)
        page = self._addresses.consent_page(zone)
        url = oauth.consent(page, client_id=client_id, state=made[0], mode=mode)
        return await self._keep(*made, url)

    async def begin_external(
        self,
        external: External,
        *,
        zone: str,
        workspace_id: str | None,
        mode: str,
        origin: str | None,
    ) -> Begun:
        """Begin with an integration that amoCRM makes when somebody consents, and tells us of before they come back."""
        made = self._made(workspace_id, None, zone, mode, origin)
        page = self._addresses.consent_page(zone)
        url = oauth.external_consent(page, external, state=made[0], mode=mode, origin=origin or "")
        return await self._keep(*made, url)

    async def find(self, state: str | None) -> Authorization | None:
        """Return what was begun with a state, whatever became of it."""
        return await self._store.read(rows.find, secret_hash(state or ""))

    async def take_secrets(
        self, client_id: str, secret: str, state: str, *, redirect_uri: str
    ) -> None:
        """Take the keys of an external integration, which amoCRM tells unsigned: the state proves that it was begun here.

        Raises:
            AuthorizationRefused: nothing of the kind was begun here, or it has its keys already.
            AlreadyExists: there is an integration with this id; nothing of it is changed.

        """
        now = self._clock.now()

        def made(begun: Authorization) -> Integration:
            return Integration(
                client_id=client_id,
                workspace_id=begun.workspace_id,
                kind=IntegrationKind.EXTERNAL,
                name=_EXTERNAL,
                secret=secret,
                redirect_uri=redirect_uri,
                zone=begun.zone,
                created_at=now,
                updated_at=now,
            )

        fault = await self._store.write(rows.admit, secret_hash(state), made, self._sealer, now=now)
        if fault is not None:
            raise AuthorizationRefused(fault)

    def _made(
        self,
        workspace_id: str | None,
        client_id: str | None,
        zone: str,
        mode: str,
        origin: str | None,
    ) -> tuple[str, Authorization]:
        state, now = self._new_state(), self._clock.now()
        return state, Authorization(
            state_hash=secret_hash(state),
            workspace_id=workspace_id,
            client_id=client_id,
            zone=zone,
            mode=mode,
            origin=origin,
            created_at=now,
            expires_at=now + LIFE,
        )

    async def _keep(self, state: str, authorization: Authorization, url: str) -> Begun:
        await self._store.write(rows.begin, authorization)
        return Begun(url=url, state=state, expires_at=authorization.expires_at)
