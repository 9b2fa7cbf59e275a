"""Valid tokens for accounts. Whoever asks gets one, renewed if need be; of all nodes, one renews at a time.

A refresh token may be good for one use, so a new pair that is lost locks us out. Therefore it is stored before anybody gets it, and
renewing is done by a task of its own, which goes on if those who wait for it go away. If a node dies over it, its turn ends,
and the next one tries the old token: amoCRM's lenient kind takes it, the strict one does not, and then somebody has to sign in.
"""

import asyncio
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import structlog

from chatbridge.bridge.crm.news import ADVICE, AccountNews
from chatbridge.clock import Clock
from chatbridge.errors import (
    DeliveryError,
    GrantFault,
    GrantRefused,
    Misconfigured,
    NotFound,
    NotSent,
    SignedOut,
    StoreUnavailable,
    Throttled,
)
from chatbridge.model import AccountState, CrmAccount, SignOut, TokenPair
from chatbridge.observability.metrics import Metrics
from chatbridge.protocol.crm import oauth
from chatbridge.protocol.crm.hosts import AccountHost, Addresses, parse_host
from chatbridge.protocol.crm.oauth import Keys
from chatbridge.protocol.http import Request, Response, Transport
from chatbridge.store import crm_accounts as rows
from chatbridge.store import integrations
from chatbridge.store.crm_accounts import Standing, Turn
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer

log = structlog.get_logger()

T = TypeVar("T")

_SECOND: Final = 1_000_000
_AHEAD: Final = 600
"""Seconds before its end in which an access token is not given out any more."""
_LOOK: Final = 0.2
"""Seconds between looks whether another node has renewed the tokens."""
_STORE_AGAIN: Final = 1.0
"""Seconds between attempts to store a new pair in a database that is away."""
_NOTHING_HAPPENED: Final = (NotSent, Throttled, Misconfigured)
"""After these amoCRM did not look at the refresh token. After any other failure it may have given a new pair."""

_MEANS: Final = {
    GrantFault.KEYS: SignOut.KEYS,
    GrantFault.REDIRECT: SignOut.KEYS,
    GrantFault.GONE: SignOut.GONE,
}
"""What a refusal to renew means; any other is the end of the refresh token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Leave to call an account."""

    account: CrmAccount
    token: str = field(repr=False)

    @property
    def host(self) -> AccountHost:
        """Return the account's host."""
        return parse_host(self.account.host)


class Tokens:
    """The tokens of all accounts. One object for each process."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        clock: Clock,
        transport: Transport,
        addresses: Addresses,
        metrics: Metrics,
        news: AccountNews,
        holder: str,
        turn_seconds: float,
    ) -> None:
        """Renew through `transport`.

        Args:
            store: holds the tokens.
            sealer: seals them.
            clock: tells the time.
            transport: reaches amoCRM.
            addresses: where accounts are.
            metrics: count.
            news: is told who has to sign in again.
            holder: the name of this process among all.
            turn_seconds: longer than any refresh can take; after that another process may try.

        """
        self._store, self._sealer, self._clock = store, sealer, clock
        self._transport, self._addresses = transport, addresses
        self._metrics, self._news = metrics, news
        self._holder, self._turn_seconds = holder, turn_seconds
        self._flights: dict[str, asyncio.Task[Access]] = {}

    async def access(
        self, account: str, *, rejected: str | None = None, ahead: float = _AHEAD
    ) -> Access:
        """Return a token that is valid for a while.

        Args:
            account: our id of it.
            rejected: a token that the account has just refused: it is not given out again.
            ahead: seconds for which it has to be valid at least.

        Raises:
            NotFound: there is no such account.
            SignedOut: somebody has to sign in again.
            DeliveryError: it has to be renewed, and amoCRM cannot be asked now.
            StoreUnavailable: the database is away.

        """
        known = await self._store.read(rows.load, account, self._sealer)
        if known is None:
            raise NotFound(f"There is no account {account!r}.")
        found, tokens = known
        if tokens is None or found.state is AccountState.SIGNED_OUT:
            raise _signed_out(found)
        if not self._is_due(tokens, rejected, ahead):
            return Access(account=found, token=tokens.access)
        if tokens.refresh is None:
            return await self._end(found, tokens, rejected)
        flight = self._flights.get(account)
        if flight is None:
            flight = asyncio.create_task(self._renewed(account, rejected, ahead), name="refresh")
            self._flights[account] = flight
            flight.add_done_callback(lambda done: self._land(account, done))
        return await asyncio.shield(flight)

    async def locate(self, access: Access) -> Access | None:
        """Ask what an account is called now; return it under its new name, None if that is the old one.

        Raises:
            DeliveryError: it cannot be asked.

        """
        account = access.account
        known = await self._store.read(rows.load, account.id, self._sealer)
        tokens = None if known is None else known[1]
        if tokens is None or tokens.refresh is None or tokens.api_domain is None:
            return None
        at = self._addresses.base(parse_host(tokens.api_domain))
        response = await self._transport.send(oauth.locate(at, tokens.refresh))
        host = oauth.read_host(response, access.host)
        if host == access.host:
            return None
        await self._store.write(rows.move, account.id, str(host), now=self._clock.now())
        return replace(access, account=replace(account, host=str(host)))

    async def renew_ending(self, *, within: float) -> None:
        """Renew the tokens that end within so many seconds: a refresh token that nobody uses ends after three months.

        Raises:
            StoreUnavailable: the database is away.

        """
        before = self._clock.now() + int(within * _SECOND)
        for account in await self._store.read(rows.list_ending, before):
            try:
                await self.access(account, ahead=within)
            except (DeliveryError, NotFound) as error:
                log.info("account_not_renewed", account=account, reason=str(error))

    async def stop(self) -> None:
        """Wait for those that are being renewed: what amoCRM answers is stored."""
        await asyncio.gather(*self._flights.values(), return_exceptions=True)

    def _land(self, account: str, flight: asyncio.Task[Access]) -> None:
        del self._flights[account]
        if not flight.cancelled():
            flight.exception()  # those who waited may all be gone

    def _is_due(self, tokens: TokenPair, rejected: str | None, ahead: float) -> bool:
        ends = tokens.expires_at - self._clock.now()
        return tokens.access == rejected or ends < (ahead if tokens.refresh else 0) * _SECOND

    async def _end(self, account: CrmAccount, tokens: TokenPair, rejected: str | None) -> Access:
        """Sign an account out whose token cannot be renewed."""
        why = SignOut.REVOKED if tokens.access == rejected else SignOut.EXPIRED
        await self._sign_out(account, why)
        raise _signed_out(replace(account, why=why))

    async def _renewed(self, account: str, rejected: str | None, ahead: float) -> Access:
        while True:
            standing = await self._store.write(
                rows.take_turn,
                account,
                lambda _, tokens: self._is_due(tokens, rejected, ahead),
                holder=self._holder,
                seconds=self._turn_seconds,
                now=self._clock.now(),
                sealer=self._sealer,
            )
            if standing is None:
                raise NotFound(f"There is no account {account!r}.")
            if standing.turn is Turn.CLOSED or standing.tokens is None:
                raise _signed_out(standing.account)
            if standing.turn is Turn.NEEDLESS:
                return Access(account=standing.account, token=standing.tokens.access)
            if standing.turn is Turn.MINE and (access := await self._renew(standing)):
                return access
            await self._clock.sleep(_LOOK)

    async def _renew(self, standing: Standing) -> Access | None:
        """Renew a pair whose turn we have; return None if somebody else stored another one meanwhile."""
        account, tokens = standing.account, standing.tokens
        assert tokens is not None  # noqa: S101 - whose turn it is has tokens
        asked_at = self._clock.now()
        until = asked_at + int(self._turn_seconds * _SECOND)
        try:
            flow = oauth.refreshing(
                self._addresses,
                await self._keys(account.client_id),
                tokens,
                parse_host(account.host),
                asked_at=asked_at,
            )
            renewed = await self._exchange(flow, until)
        except DeliveryError as error:
            await self._failed(standing, error)
            raise
        if not await self._keep(account, renewed):
            return None
        self._metrics.crm_refreshes.labels("renewed").inc()
        log.info("account_renewed", account=account.id, recovered=standing.unsettled)
        now = replace(account, host=str(renewed.host), generation=account.generation + 1)
        return Access(account=now, token=renewed.tokens.access)

    async def _exchange(self, flow: Generator[Request, Response, T], until: int) -> T:
        """Make the calls of a flow, none of them after our turn is over."""
        request = next(flow)
        while True:
            response = await self._transport.send(
                request, allowed=lambda: self._clock.now() < until
            )
            try:
                request = flow.send(response)
            except StopIteration as end:
                result: T = end.value
                return result

    async def _keep(self, account: CrmAccount, renewed: oauth.Refreshed) -> bool:
        """Store a new pair, however long the database is away: there is no other copy of it."""
        while True:
            try:
                return await self._store.write(
                    rows.store_pair,
                    account,
                    renewed.tokens,
                    host=str(renewed.host),
                    now=self._clock.now(),
                    sealer=self._sealer,
                )
            except StoreUnavailable as error:
                log.warning("tokens_not_stored", account=account.id, reason=str(error))
                await self._clock.sleep(_STORE_AGAIN)

    async def _failed(self, standing: Standing, error: DeliveryError) -> None:
        """Say what came of our turn.

        Raises:
            SignedOut: the account has to be let in by somebody.

        """
        self._metrics.crm_refreshes.labels(error.code).inc()
        account = standing.account
        if isinstance(error, GrantRefused):
            lost = SignOut.INTERRUPTED if standing.unsettled else SignOut.REVOKED
            why = _MEANS.get(error.fault, lost)
            await self._sign_out(account, why, holder=self._holder)
            raise _signed_out(replace(account, why=why)) from error
        unsettled = standing.unsettled or not isinstance(error, _NOTHING_HAPPENED)
        await self._store.write(rows.give_back, account, self._holder, unsettled=unsettled)

    async def _sign_out(self, account: CrmAccount, why: SignOut, holder: str | None = None) -> None:
        now = self._clock.now()
        if await self._store.write(rows.sign_out, account, why, now=now, holder=holder):
            out = replace(account, state=AccountState.SIGNED_OUT, why=why, since=now)
            await self._news.signed_out(out)

    async def _keys(self, client_id: str) -> Keys:
        integration = await self._store.read(integrations.find, client_id, self._sealer)
        if integration is None:
            raise Misconfigured(f"there is no integration {client_id}")
        return Keys(
            client_id=client_id,
            secret=integration.secret,
            redirect_uri=integration.redirect_uri,
        )


def _signed_out(account: CrmAccount) -> SignedOut:
    why = account.why or SignOut.REVOKED
    return SignedOut(f"{account.host} does not let this server in. {ADVICE[why]}", far_code=why)
