"""The parts that deal with accounts of the CRM."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from yarl import URL

from chatbridge import ids
from chatbridge.bridge.crm.accounts import Accounts
from chatbridge.bridge.crm.authorizing import Authorizing
from chatbridge.bridge.crm.client import CALLS_PER_SECOND, CrmClient
from chatbridge.bridge.crm.consenting import Consenting
from chatbridge.bridge.crm.integrations import Integrations
from chatbridge.bridge.crm.news import AccountNews
from chatbridge.bridge.crm.tokens import Tokens
from chatbridge.bridge.periodic import Periodic
from chatbridge.clients.allowance import Rate
from chatbridge.clients.turns import Turns
from chatbridge.clock import Clock
from chatbridge.parts.ground import Ground
from chatbridge.protocol.crm.hosts import Addresses
from chatbridge.store.sealing import Sealer

_HOUR: Final = 3600.0
_RENEWED_WITHIN: Final = 2 * _HOUR
"""Tokens that end within so many seconds are renewed although nobody asks for them."""
_LOOK: Final = 5.0
"""Seconds between looks for codes that nobody works on."""
_SLACK: Final = 5.0
"""Seconds that a refresh may take beside its three calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmParts:
    """What deals with accounts of the CRM."""

    news: AccountNews
    """Tell a listener here to hear who lets us in and who does not any more."""
    integrations: Integrations
    consenting: Consenting
    authorizing: Authorizing
    accounts: Accounts
    tokens: Tokens
    turns: Turns
    client: CrmClient
    """Calls of every account that lets us in."""

    async def stop(self) -> None:
        """Let nobody wait for a turn any more, and store what amoCRM still answers."""
        await self.turns.stop()
        await self.authorizing.stop()
        await self.tokens.stop()


def assemble_crm(ground: Ground) -> CrmParts:
    """Make every part."""
    settings, store, clock, transport = (
        ground.settings,
        ground.store,
        ground.clock,
        ground.transport,
    )
    sealer, news = Sealer(settings.secret_keys), AccountNews(ground.metrics)
    addresses = Addresses(address=settings.crm.address, consent=settings.crm.consent)
    tokens = Tokens(
        store=store,
        sealer=sealer,
        clock=clock,
        transport=transport,
        addresses=addresses,
        metrics=ground.metrics,
        news=news,
        holder=ids.new_uuid(),
        turn_seconds=3 * settings.network.total_timeout + _SLACK,
    )
    turns = Turns(store, rate=Rate.of(CALLS_PER_SECOND), clock=clock, steady=clock)
    return CrmParts(
        news=news,
        integrations=Integrations(store=store, sealer=sealer, clock=clock),
        consenting=Consenting(
            store=store, sealer=sealer, clock=clock, addresses=addresses, new_state=ids.new_state
        ),
        authorizing=Authorizing(
            store=store,
            sealer=sealer,
            clock=clock,
            transport=transport,
            addresses=addresses,
            news=news,
        ),
        accounts=Accounts(
            store=store,
            sealer=sealer,
            clock=clock,
            news=news,
            audience=str(URL(settings.public_url).origin()),
        ),
        tokens=tokens,
        turns=turns,
        client=CrmClient(tokens=tokens, turns=turns, transport=transport, addresses=addresses),
    )


def crm_chores(clock: Clock, crm: CrmParts) -> tuple[Periodic, ...]:
    """Return what is done every now and then: by each node, as none does what another one is at."""
    renew = partial(crm.tokens.renew_ending, within=_RENEWED_WITHIN)
    authorizing = crm.authorizing
    return (
        Periodic(authorizing.go_on, clock=clock, every=_LOOK, name="grants"),
        Periodic(authorizing.forget_old, clock=clock, every=_HOUR, name="grant-retention"),
        Periodic(renew, clock=clock, every=_HOUR, name="tokens"),
    )
