"""How accounts let us in: somebody is sent to the consent page and comes back with a code, or amoCRM's server brings one.

amoCRM brings a code once and waits three seconds. So what comes is stored first, and answered; a task of its own makes tokens of
it. A code is good for one use and twenty minutes: it is tried again after what surely or perhaps did not reach amoCRM, as a
code that was used is refused and nothing else happens. What it became is stored before the account is asked who it is.
"""

import asyncio
from typing import Final
from urllib.parse import urlencode

import structlog

from chatbridge.bridge.crm.integrations import no_integration
from chatbridge.bridge.crm.news import AccountNews
from chatbridge.clock import Clock
from chatbridge.errors import (
    AuthorizationFault,
    AuthorizationRefused,
    DeliveryError,
    Disposition,
    GrantFault,
    GrantRefused,
    NotFound,
    RequestRefused,
    StoreUnavailable,
)
from chatbridge.ids import new_account_id, secret_hash
from chatbridge.model import (
    AccountState,
    CrmAccount,
    GrantState,
    Integration,
    TokenPair,
)
from chatbridge.protocol.crm import account as accounts
from chatbridge.protocol.crm import oauth, redirect
from chatbridge.protocol.crm.hosts import AccountHost, Addresses
from chatbridge.protocol.crm.oauth import Keys
from chatbridge.protocol.http import Transport
from chatbridge.store import authorizations as rows
from chatbridge.store import crm_accounts, integrations
from chatbridge.store.authorizations import Authorization, Grant, GrantDraft, Outcome
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer

log = structlog.get_logger()

_SECOND: Final = 1_000_000
_CODE_LIFE: Final = 20 * 60 * _SECOND
_CLAIM: Final = 120.0
"""Seconds that somebody has for a grant: four calls."""
_AGAIN: Final = (1, 2, 5, 10, 30, 60, 120)
"""Seconds between attempts; the last one again and again."""
_AT_ONCE: Final = 50
_KEPT: Final = 30 * 24 * 3600 * _SECOND
_LONG: Final = 365 * 24 * 3600 * _SECOND
"""Life of a long-lived token that does not say its own."""


class Authorizing:
    """Takes codes and makes accounts of them."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        clock: Clock,
        transport: Transport,
        addresses: Addresses,
        news: AccountNews,
    ) -> None:
        """Reach amoCRM through `transport`; `news` is told of accounts."""
        self._store, self._sealer, self._clock = store, sealer, clock
        self._transport, self._addresses, self._news = transport, addresses, news
        self._working: dict[int, asyncio.Task[None]] = {}

    async def from_server(self, query: str) -> int:
        """Take what amoCRM's server brings when an integration is installed; return the grant's number.

        Anybody can call this. All one can have by it is an account of one's own: whose it is stays open, unless the integration
        belongs to a workspace.

        Raises:
            AuthorizationRefused: it is not what amoCRM's server brings.
            StoreUnavailable: it was not stored.

        """
        come = redirect.parse(query)
        if not come.from_widget or come.client_id is None:
            raise AuthorizationRefused(AuthorizationFault.UNKNOWN)
        number, fresh = await self._store.write(rows.take, self._draft(query, come), self._sealer)
        if fresh:
            self._begin(number)
        return number

    async def from_browser(self, query: str) -> tuple[int, Authorization]:
        """Take what a browser brings back from the consent page; return the grant's number, and what was begun.

        Raises:
            AuthorizationRefused: nothing of the kind was begun here, or it was finished, or somebody said no.
            StoreUnavailable: it was not stored; the same address may be called again.

        """
        come = redirect.parse(query)
        taken = await self._store.write(
            rows.finish_and_take,
            secret_hash(come.state or ""),
            self._draft(query, come),
            self._sealer,
            now=self._clock.now(),
        )
        if isinstance(taken, AuthorizationFault):
            raise AuthorizationRefused(taken)
        self._begin(taken[0])
        return taken

    async def from_hand(
        self, client_id: str, host: AccountHost, code: str, workspace_id: str | None
    ) -> CrmAccount:
        """Make an account of a code that somebody copied from amoCRM.

        Raises:
            NotFound: there is no such integration.
            GrantRefused, DeliveryError: amoCRM gave no tokens, or could not be asked: then ask again, it costs no code.
            AccountTaken: it belongs to another workspace.

        """
        await self._integration(client_id)
        draft = GrantDraft(
            code_hash=secret_hash(code),
            query=urlencode({"code": code, "referer": str(host), "client_id": client_id}),
            workspace_id=workspace_id,
            client_id=client_id,
            received_at=self._clock.now(),
        )
        number, fresh = await self._store.write(rows.take, draft, self._sealer)
        grant = await self._claim(number) if fresh else None
        if grant is None:
            raise GrantRefused(GrantFault.CODE_USED, "this code was used here before")
        return await self._attempt(grant)

    async def with_token(
        self, client_id: str, host: AccountHost, token: str, workspace_id: str | None
    ) -> CrmAccount:
        """Make an account of a long-lived token that somebody copied from amoCRM.

        Raises:
            NotFound, DeliveryError, AccountTaken: as `from_hand`.

        """
        tokens = oauth.long_lived(token, otherwise=self._clock.now() + _LONG)
        return await self._sign_in(await self._integration(client_id), host, tokens, workspace_id)

    async def settled(self, number: int, *, within: float) -> Outcome:
        """Return what became of a grant, so many seconds from now at the latest."""
        if (work := self._working.get(number)) is not None:
            await asyncio.wait([work], timeout=within)
        return await self._store.read(rows.outcome, number)

    async def go_on(self) -> None:
        """Work on grants that wait, such as those of a process that died.

        Raises:
            StoreUnavailable: the database is away.

        """
        now = self._clock.now()
        for number in await self._store.read(rows.list_due, now=now, most=_AT_ONCE):
            self._begin(number)

    async def forget_old(self) -> None:
        """Remove what nobody will ask for any more.

        Raises:
            StoreUnavailable: the database is away.

        """
        await self._store.write(rows.prune, before=self._clock.now() - _KEPT)

    async def stop(self) -> None:
        """Wait for those that are being worked on."""
        await asyncio.gather(*self._working.values(), return_exceptions=True)

    def _draft(self, query: str, come: redirect.Redirect) -> GrantDraft:
        return GrantDraft(
            code_hash=secret_hash(come.code),
            query=query,
            workspace_id=None,
            client_id=come.client_id,
            received_at=self._clock.now(),
        )

    def _begin(self, number: int) -> None:
        if number in self._working:
            return
        task = self._working[number] = asyncio.create_task(self._work(number), name="grant")
        task.add_done_callback(lambda _: self._working.pop(number))

    async def _work(self, number: int) -> None:
        """Bring a grant further. Whatever happens is written, or comes up again with `go_on`."""
        try:
            grant = await self._claim(number)
            if grant is not None:
                await self._attempt(grant)
        except StoreUnavailable as error:
            log.warning("grant_put_off", grant=number, reason=str(error))
        except (DeliveryError, RequestRefused) as error:
            log.info("grant_not_used", grant=number, reason=str(error))
        except Exception:
            log.exception("grant_fault", grant=number)

    async def _claim(self, number: int) -> Grant | None:
        return await self._store.write(
            rows.claim, number, seconds=_CLAIM, now=self._clock.now(), sealer=self._sealer
        )

    async def _attempt(self, grant: Grant) -> CrmAccount:
        try:
            account = await self._account_of(grant)
        except (DeliveryError, RequestRefused) as error:
            why = _reason(error, grant)
            if _is_final(error) or self._clock.now() - grant.received_at > _CODE_LIFE:
                log.warning("grant_failed", grant=grant.id, client=grant.client_id, why=why)
                await self._settle(grant, GrantState.FAILED, why=why)
                raise
            wait = _AGAIN[min(grant.attempts, len(_AGAIN)) - 1]
            due_at = self._clock.now() + wait * _SECOND
            await self._store.write(rows.put_off, grant.id, due_at=due_at, why=why)
            raise
        await self._settle(grant, GrantState.DONE, account=account.id)
        return account

    async def _settle(
        self, grant: Grant, state: GrantState, *, why: str | None = None, account: str | None = None
    ) -> None:
        await self._store.write(rows.settle, grant.id, state, why=why, account=account)

    async def _account_of(self, grant: Grant) -> CrmAccount:
        come = redirect.parse(grant.query)
        integration = await self._integration(grant.client_id or "")
        tokens = grant.tokens
        if tokens is None:
            asked_at = self._clock.now()
            request = oauth.exchange(self._addresses.base(come.host), _keys(integration), come.code)
            tokens = oauth.read_tokens(await self._transport.send(request), asked_at=asked_at)
            await self._store.write(rows.keep_tokens, grant.id, tokens, self._sealer)
        workspace_id = grant.workspace_id or integration.workspace_id
        return await self._sign_in(integration, come.host, tokens, workspace_id)

    async def _sign_in(
        self,
        integration: Integration,
        host: AccountHost,
        tokens: TokenPair,
        workspace_id: str | None,
    ) -> CrmAccount:
        """Ask an account who it is, and store it."""
        base = self._addresses.base(host)
        response = await self._transport.send(accounts.get_account(base, tokens.access))
        details = accounts.read_account(response)
        amojo_id = details.amojo_id or await self._amojo_id_of_old(base, tokens.access)
        now = self._clock.now()
        account = CrmAccount(
            id=new_account_id(),
            client_id=integration.client_id,
            workspace_id=workspace_id,
            account_id=details.account_id,
            host=str(accounts.moved(host, details.subdomain)),
            api_domain=tokens.api_domain,
            amojo_id=amojo_id,
            name=details.name,
            timezone=details.timezone,
            state=AccountState.AUTHORIZED,
            since=now,
            why=None,
            long_lived=tokens.refresh is None,
            expires_at=tokens.expires_at,
            generation=1,
            created_at=now,
            updated_at=now,
        )
        stored = await self._store.write(crm_accounts.sign_in, account, tokens, self._sealer)
        await self._news.authorized(stored)
        return stored

    async def _amojo_id_of_old(self, base: str, token: str) -> str | None:
        """Ask in the way of before v4, for accounts whose new one does not tell it."""
        try:
            request = accounts.get_account_of_old(base, token)
            return accounts.read_account_of_old(await self._transport.send(request))
        except DeliveryError as error:
            log.info("amojo_id_not_told", reason=str(error))
            return None

    async def _integration(self, client_id: str) -> Integration:
        found = await self._store.read(integrations.find, client_id, self._sealer)
        if found is None:
            raise no_integration(client_id)
        return found


def _keys(integration: Integration) -> Keys:
    return Keys(
        client_id=integration.client_id,
        secret=integration.secret,
        redirect_uri=integration.redirect_uri,
    )


def _is_final(error: DeliveryError | RequestRefused) -> bool:
    if isinstance(error, DeliveryError):
        return error.disposition in {Disposition.REJECT, Disposition.MISUSE}
    return True


def _reason(error: DeliveryError | RequestRefused, grant: Grant) -> str:
    """Return a word for what went wrong."""
    if isinstance(error, GrantRefused):
        # Nobody but us had it: an answer of amoCRM's was lost.
        lost = error.fault is GrantFault.CODE_USED and grant.attempts > 1
        return "interrupted" if lost else error.fault.name.lower()
    if isinstance(error, AuthorizationRefused):
        return error.fault.name.lower()
    return "unknown_integration" if isinstance(error, NotFound) else error.code
