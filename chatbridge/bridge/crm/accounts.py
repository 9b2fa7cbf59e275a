"""Which accounts let us in, who calls from one of them, and what amoCRM tells of one that does not any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chatbridge.bridge.crm.news import AccountNews
from chatbridge.clock import Clock
from chatbridge.errors import CallbackRefused, NotFound, SignatureMismatch, TokenFault, TokenRefused
from chatbridge.model import AccountState, CrmAccount, Integration, Principal, SignOut
from chatbridge.protocol.crm import disconnect, disposable_token
from chatbridge.protocol.crm.disposable_token import DisposableToken
from chatbridge.store import crm_accounts as rows
from chatbridge.store import integrations
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetCaller:
    """Who calls from a page of an account, proved by a disposable token."""

    token: DisposableToken
    integration: Integration
    account: CrmAccount | None
    """None as long as amoCRM has not brought its code."""


class Accounts:
    """The accounts of this server."""

    def __init__(
        self, *, store: Store, sealer: Sealer, clock: Clock, news: AccountNews, audience: str
    ) -> None:
        """Know our own origin as `audience`; `news` is told who is out."""
        self._store, self._sealer, self._clock = store, sealer, clock
        self._news, self._audience = news, audience

    async def list_(self, principal: Principal) -> list[CrmAccount]:
        """Return every account of a caller's, oldest first."""
        found = await self._store.read(rows.list_accounts)
        return [each for each in found if principal.sees(each.workspace_id)]

    async def is_proven(self, principal: Principal, amojo_id: str) -> bool:
        """Return whether an account lets a caller's workspace in, which nobody but its own people can do."""
        return any(
            each.amojo_id == amojo_id and each.state is AccountState.AUTHORIZED
            for each in await self.list_(principal)
        )

    async def account(self, principal: Principal, account: str) -> CrmAccount:
        """Return an account of a caller's.

        Raises:
            NotFound: there is none.

        """
        found = await self._store.read(rows.find, account)
        if found is None or not principal.sees(found.workspace_id):
            raise NotFound(f"There is no account {account!r}.")
        return found

    async def remove(self, account: CrmAccount) -> None:
        """Forget an account and its tokens."""
        await self._store.write(rows.remove, account.id)
        if account.state is AccountState.AUTHORIZED:
            await self._tell_out(account)

    async def verify(self, given: Sequence[str]) -> WidgetCaller:
        """Return who calls from the page of an account.

        Args:
            given: the values of the header `X-Auth-Token`.

        Raises:
            TokenRefused: it proves nothing; `fault` says why.

        """
        client_id = disposable_token.client_of(given)
        integration = await self._store.read(integrations.find, client_id, self._sealer)
        if integration is None:
            raise TokenRefused(TokenFault.CLIENT)
        token = disposable_token.verify(
            given, integration, audience=self._audience, now=self._clock.wall()
        )
        account = await self._store.read(rows.find_by_number, client_id, token.account_id)
        if account is not None and account.host != str(token.host):
            # It was renamed, and its own token is the first to tell.
            account = replace(account, host=str(token.host))
            await self._store.write(rows.move, account.id, account.host, now=self._clock.now())
        return WidgetCaller(token=token, integration=integration, account=account)

    async def disconnected(self, query: Mapping[str, str]) -> None:
        """Take note that an integration was disabled in an account; told twice, it is one.

        Raises:
            CallbackRefused: it is not signed with the integration's secret, or that is not known.

        """
        try:
            hook = disconnect.parse(query)
            integration = await self._store.read(integrations.find, hook.client_id, self._sealer)
            # One that is not known takes as long as one whose signature is wrong.
            disconnect.verify(hook, "" if integration is None else integration.secret)
        except SignatureMismatch as error:
            raise CallbackRefused from error
        if integration is None:
            raise CallbackRefused
        account = await self._store.read(rows.find_by_number, hook.client_id, hook.account_id)
        if account is None:
            return
        if await self._store.write(rows.disconnect, account.id, now=self._clock.now()):
            await self._tell_out(account)

    async def _tell_out(self, account: CrmAccount) -> None:
        out = replace(
            account,
            state=AccountState.SIGNED_OUT,
            why=SignOut.DISCONNECTED,
            since=self._clock.now(),
        )
        await self._news.signed_out(out)
