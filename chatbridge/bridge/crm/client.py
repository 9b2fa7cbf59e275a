"""Calls of an account's API: with a valid token, at the account's present address, and no oftener than amoCRM allows.

Seven calls a second, all nodes together; who goes on after 429 is banned with 403 for everything. A token that is refused is
renewed once, an account that is not found is looked for once; then the answer is what it is.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final, TypeVar

from chatbridge.bridge.crm.tokens import Access, Tokens
from chatbridge.clients.turns import Turns
from chatbridge.errors import Throttled
from chatbridge.protocol.crm import account as accounts
from chatbridge.protocol.crm import replies, sources
from chatbridge.protocol.crm.account import AccountDetails, CrmUser
from chatbridge.protocol.crm.hosts import Addresses
from chatbridge.protocol.crm.sources import Source, SourceDraft
from chatbridge.protocol.http import Request, Response, Transport

T = TypeVar("T")

CALLS_PER_SECOND: Final = 7
_PATIENCE: Final = 30.0
"""Seconds that a call may wait for its turn."""
_PAGES: Final = 40
"""Pages of users that are read at most: 10,000 users."""


class CrmClient:
    """The API of every account that lets us in. Accounts are named by our id of them (`CrmAccount.id`)."""

    def __init__(
        self, *, tokens: Tokens, turns: Turns, transport: Transport, addresses: Addresses
    ) -> None:
        """Call with `tokens`, in `turns`."""
        self._tokens, self._turns = tokens, turns
        self._transport, self._addresses = transport, addresses

    async def account(self, account: str) -> AccountDetails:
        """Return what an account says of itself; see `call` for errors."""
        return await self.call(account, accounts.get_account, accounts.read_account)

    async def users(self, account: str) -> list[CrmUser]:
        """Return everybody who works in an account; see `call` for errors."""
        found: list[CrmUser] = []
        for page in range(1, _PAGES + 1):
            users, more = await self.call(
                account,
                lambda base, token, page=page: accounts.get_users(base, token, page=page),  # type: ignore[misc]  # bound now
                accounts.read_users,
            )
            found += users
            if not more:
                break
        return found

    async def sources(self, account: str) -> list[Source]:
        """Return our sources in an account; see `call` for errors."""
        return await self.call(account, sources.get_sources, sources.read_sources)

    async def create_sources(self, account: str, drafts: Sequence[SourceDraft]) -> list[Source]:
        """Make sources, all or none; see `call` for errors."""
        return await self.call(
            account,
            lambda base, token: sources.create_sources(base, token, drafts),
            sources.read_sources,
        )

    async def call(
        self,
        account: str,
        build: Callable[[str, str], Request],
        read: Callable[[Response], T],
        *,
        patience: float = _PATIENCE,
    ) -> T:
        """Make a call and return what `read` makes of the answer.

        Args:
            account: our id of it.
            build: makes the request of the account's address and a token.
            read: makes a value of an answer, or raises.
            patience: seconds that it may wait for its turn.

        Raises:
            NotFound: there is no such account.
            SignedOut: somebody has to sign in again.
            Throttled: amoCRM asks to wait, or it is not our turn in time.
            DeliveryError: as `read` says; or amoCRM could not be reached.
            StoreUnavailable: the database is away.

        """
        access = await self._tokens.access(account)
        response = await self._send(access, build, patience)
        if response.status == HTTPStatus.UNAUTHORIZED:
            access = await self._tokens.access(account, rejected=access.token)
            response = await self._send(access, build, patience)
        elif response.status == HTTPStatus.NOT_FOUND:
            moved = await self._tokens.locate(access)
            if moved is not None:
                response = await self._send(moved, build, patience)
        return read(response)

    async def _send(
        self, access: Access, build: Callable[[str, str], Request], patience: float
    ) -> Response:
        request = build(self._addresses.base(access.host), access.token)
        turn = await self._turns.take(f"crm:{access.account.account_id}", patience=patience)
        response = await self._transport.send(request, allowed=lambda: self._turns.holds(turn))
        if replies.kind_of(response) is Throttled:
            try:
                replies.check(response)
            except Throttled as error:
                await self._turns.refused(turn, error)
                raise
        await self._turns.answered(turn)
        return response
