"""A state is good once, for twenty minutes, for its workspace; a code becomes one account, whoever dies over it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Connection, select

from chatbridge.bridge.crm.accounts import Accounts
from chatbridge.bridge.crm.authorizing import Authorizing
from chatbridge.bridge.crm.consenting import Consenting
from chatbridge.bridge.crm.news import AccountNews
from chatbridge.bridge.periodic import Periodic
from chatbridge.errors import (
    AccountTaken,
    AuthorizationFault,
    AuthorizationRefused,
    ConfigurationError,
    FarSideDown,
    GrantFault,
    GrantRefused,
    IntegrationInUse,
    TokenFault,
    TokenRefused,
)
from chatbridge.ids import new_state
from chatbridge.model import SERVER, GrantState, Principal
from chatbridge.observability.metrics import Metrics
from chatbridge.protocol.crm.hosts import Addresses
from chatbridge.store import authorizations, crm_accounts, integrations
from chatbridge.store.engine import Store
from chatbridge.store.resealing import reseal
from chatbridge.store.schema import grants
from chatbridge.store.schema import integrations as integrations_table
from chatbridge.store.sealing import Sealer
from tests.contract.test_crm_tokens import HOST, INTEGRATION, Heard
from tests.contract.transports import opener
from tests.fakes import Answer, FakeClock
from tests.plain_crm import ACCOUNT, CLIENT, PlainCrm
from tests.unit.protocol.crm.samples import AUDIENCE, CLAIMS, signed

SEALER = Sealer(["the key of these tests"])
MINUTE = 60.0
HOW: dict[str, Any] = {"mode": "popup", "origin": None}


class Desk:
    """Where people and amoCRM come to."""

    def __init__(self, store: Store, crm: PlainCrm, transport: Any, clock: FakeClock) -> None:
        self.store, self.crm, self.clock, self.heard = store, crm, clock, Heard()
        self.news = AccountNews(Metrics())
        self.news.tell(self.heard)
        self.addresses = Addresses(address=crm.address, consent="https://www.{zone}/oauth")
        self.transport = transport
        common: dict[str, Any] = {"store": store, "sealer": SEALER, "clock": clock}
        self.consenting = Consenting(**common, addresses=self.addresses, new_state=new_state)
        self.accounts = Accounts(**common, news=self.news, audience=AUDIENCE)

    def authorizing(self) -> Authorizing:
        """As another process has it."""
        return Authorizing(
            store=self.store,
            sealer=SEALER,
            clock=self.clock,
            transport=self.transport,
            addresses=self.addresses,
            news=self.news,
        )

    async def state(self, workspace_id: str | None = None) -> str:
        begun = await self.consenting.begin(INTEGRATION, workspace_id=workspace_id, **HOW)
        return begun.state

    def query(self, state: str | None, code: str = "code-1", **members: str) -> str:
        whole = {"code": code, "referer": str(HOST), "client_id": CLIENT} | members
        return urlencode(whole | ({} if state is None else {"state": state}))

    async def fault(self, query: str) -> AuthorizationFault:
        with pytest.raises(AuthorizationRefused) as refused:
            await self.authorizing().from_browser(query)
        return refused.value.fault


@pytest.fixture
async def desk(store: Store, clock: FakeClock) -> AsyncIterator[Desk]:
    crm = PlainCrm()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(crm.far_side)
        transport = await stack.enter_async_context(opener("session")("127.0.0.1"))
        await store.write(integrations.add, INTEGRATION, SEALER)
        yield Desk(store, crm, transport, clock)


async def test_a_state_brings_an_account_to_its_workspace_and_is_used_up(desk: Desk) -> None:
    query, authorizing = desk.query(await desk.state("ws_1")), desk.authorizing()
    number, begun = await authorizing.from_browser(query)
    assert begun.workspace_id == "ws_1"
    outcome = await authorizing.settled(number, within=30)
    assert outcome.state is GrantState.DONE
    (account,) = await desk.accounts.list_(SERVER)
    assert (account.id, account.workspace_id) == (outcome.account, "ws_1")
    assert account.account_id == ACCOUNT
    assert [each.id for each in desk.heard.authorized] == [account.id]
    assert await desk.fault(query) is AuthorizationFault.USED
    assert desk.crm.asked("authorization_code") == 1


async def test_of_two_who_bring_one_state_one_is_let_in(desk: Desk) -> None:
    query = desk.query(await desk.state())
    nodes = [desk.authorizing() for _ in range(5)]
    results = await asyncio.gather(
        *(node.from_browser(query) for node in nodes), return_exceptions=True
    )
    assert sum(isinstance(each, tuple) for each in results) == 1
    for node in nodes:
        await node.stop()
    assert desk.crm.asked("authorization_code") == 1


async def test_a_state_lives_for_twenty_minutes(desk: Desk) -> None:
    early, late = await desk.state(), await desk.state()
    desk.clock.advance(20 * MINUTE - 1)
    await desk.authorizing().from_browser(desk.query(early))
    desk.clock.advance(1)
    assert await desk.fault(desk.query(late, "code-2")) is AuthorizationFault.EXPIRED


async def test_a_state_is_for_its_integration(desk: Desk) -> None:
    foreign = desk.query(await desk.state(), client_id="another")
    assert await desk.fault(foreign) is AuthorizationFault.FOREIGN
    assert await desk.fault(desk.query("guessed")) is AuthorizationFault.UNKNOWN
    assert await desk.fault(desk.query(None)) is AuthorizationFault.UNKNOWN


async def test_a_code_that_was_seen_is_not_taken_for_another_state(desk: Desk) -> None:
    await desk.authorizing().from_browser(desk.query(await desk.state("ws_1")))
    stolen = desk.query(await desk.state("ws_2"))
    assert await desk.fault(stolen) is AuthorizationFault.USED


async def test_an_account_does_not_move_to_another_workspace(desk: Desk) -> None:
    first = desk.authorizing()
    number, _ = await first.from_browser(desk.query(await desk.state("ws_1")))
    await first.settled(number, within=30)
    desk.crm.codes.add("code-2")
    number, _ = await first.from_browser(desk.query(await desk.state("ws_2"), "code-2"))
    outcome = await first.settled(number, within=30)
    assert (outcome.state, outcome.why) == (GrantState.FAILED, AccountTaken.code)
    theirs = Principal(name="user:x", workspace_id="ws_2")
    assert await desk.accounts.list_(theirs) == []


async def test_the_install_hook_belongs_to_nobody_until_somebody_proves_more(desk: Desk) -> None:
    authorizing = desk.authorizing()
    number = await authorizing.from_server(desk.query(None, from_widget="1"))
    assert await authorizing.from_server(desk.query(None, from_widget="1")) == number
    await authorizing.settled(number, within=30)
    (account,) = await desk.accounts.list_(SERVER)
    assert account.workspace_id is None
    desk.crm.codes.add("code-2")
    number, _ = await authorizing.from_browser(desk.query(await desk.state("ws_1"), "code-2"))
    await authorizing.settled(number, within=30)
    (bound,) = await desk.accounts.list_(SERVER)
    assert (bound.id, bound.workspace_id, bound.generation) == (account.id, "ws_1", 2)


async def test_a_browser_cannot_pretend_to_be_amocrms_server(desk: Desk) -> None:
    with pytest.raises(AuthorizationRefused):
        await desk.authorizing().from_server(desk.query(None))


async def test_what_passes_is_tried_again_with_the_same_code(desk: Desk) -> None:
    desk.crm.scripted = [Answer(status=429, body=b"<html>")]
    desk.crm.codes = set()
    first = desk.authorizing()
    number = await first.from_server(desk.query(None, from_widget="1"))
    outcome = await first.settled(number, within=30)
    assert (outcome.state, outcome.why) == (GrantState.WAITING, "throttled")
    desk.crm.codes = {"code-1"}
    desk.clock.advance(1)
    second = desk.authorizing()
    chore = Periodic(second.go_on, clock=desk.clock, every=5, name="grants")
    chore.start()
    await desk.crm.far_side.wait_for(lambda: desk.crm.number == 1, "the code is used")
    await second.stop()
    await chore.stop()
    assert len(await desk.accounts.list_(SERVER)) == 1


async def test_tokens_that_were_stored_are_not_asked_for_again(desk: Desk) -> None:
    """Killed between the exchange and the account: the code is used up, what it became is there."""
    authorizing, number = desk.authorizing(), 0
    draft = authorizations.GrantDraft(
        code_hash=b"1" * 32,
        query=desk.query(None, from_widget="1"),
        workspace_id=None,
        client_id=CLIENT,
        received_at=desk.clock.now(),
    )
    number, _ = await desk.store.write(authorizations.take, draft, SEALER)
    made = desk.crm._pair()  # noqa: SLF001 - as the one who died got it
    assert made.status == 200
    tokens = crm_accounts.TokenPair(access=desk.crm.access, refresh="refresh-1", expires_at=2**60)
    await desk.store.write(authorizations.keep_tokens, number, tokens, SEALER)
    await authorizing.go_on()
    outcome = await authorizing.settled(number, within=30)
    assert outcome.state is GrantState.DONE
    assert desk.crm.asked("authorization_code") == 0


async def test_a_code_whose_answer_was_lost_is_given_up_with_a_clear_reason(desk: Desk) -> None:
    desk.crm.scripted = [Answer(cut=True)]
    first = desk.authorizing()
    number = await first.from_server(desk.query(None, from_widget="1"))
    assert (await first.settled(number, within=30)).why == "outcome_unknown"
    desk.clock.advance(1)
    await desk.store.write(unclaim)
    await first.go_on()
    outcome = await first.settled(number, within=30)
    assert (outcome.state, outcome.why) == (GrantState.FAILED, "interrupted")
    assert await desk.store.read(sealed_of, number) == (None, None)


async def test_a_code_is_given_up_after_twenty_minutes(desk: Desk) -> None:
    desk.crm.scripted = [Answer(status=503, body=b"<html>")]
    desk.crm.codes = set()
    number = await (first := desk.authorizing()).from_server(desk.query(None, from_widget="1"))
    await first.settled(number, within=30)
    desk.clock.advance(21 * MINUTE)
    desk.crm.scripted = [Answer(status=503, body=b"<html>")]
    await desk.store.write(unclaim)
    await first.go_on()
    assert (await first.settled(number, within=30)).state is GrantState.FAILED


async def test_by_hand_the_reason_is_told_at_once(desk: Desk) -> None:
    authorizing = desk.authorizing()
    with pytest.raises(GrantRefused) as refused:
        await authorizing.from_hand(CLIENT, HOST, "wrong", None)
    assert refused.value.fault is GrantFault.CODE_USED
    desk.crm.scripted = [Answer(status=503, body=b"<html>")]
    with pytest.raises(FarSideDown):
        await authorizing.from_hand(CLIENT, HOST, "code-1", None)
    desk.crm.codes.add("code-2")
    account = await authorizing.from_hand(CLIENT, HOST, "code-2", "ws_1")
    assert account.workspace_id == "ws_1"
    with pytest.raises(GrantRefused):
        await authorizing.from_hand(CLIENT, HOST, "code-2", "ws_1")


async def test_a_widgets_caller_is_proved_by_the_integrations_secret(desk: Desk) -> None:
    now = desk.clock.now() // 1_000_000
    fresh = CLAIMS | {"nbf": now, "exp": now + 1800, "account_id": ACCOUNT}
    token = signed(fresh, secret=INTEGRATION.secret)
    early = await desk.accounts.verify([token])
    assert (early.account, early.integration.client_id) == (None, CLIENT)
    account = await desk.authorizing().from_hand(CLIENT, HOST, "code-1", None)
    known = (await desk.accounts.verify([token])).account
    assert known == account
    renamed = fresh | {"iss": "https://buket.amocrm.ru", "subdomain": "buket"}
    moved = await desk.accounts.verify([signed(renamed, secret=INTEGRATION.secret)])
    assert moved.account is not None
    assert (await desk.accounts.account(SERVER, account.id)).host == "buket.amocrm.ru"
    for wrong, fault in (
        (signed(fresh | {"client_uuid": "other"}, secret=INTEGRATION.secret), TokenFault.CLIENT),
        (signed(fresh, secret="another secret, quite wrong, and long"), TokenFault.SIGNATURE),
    ):
        with pytest.raises(TokenRefused) as refused:
            await desk.accounts.verify([wrong])
        assert refused.value.fault is fault


async def test_integrations_with_accounts_stay(desk: Desk) -> None:
    await desk.authorizing().from_hand(CLIENT, HOST, "code-1", None)
    with pytest.raises(IntegrationInUse):
        await desk.store.write(integrations.remove, CLIENT)
    (account,) = await desk.accounts.list_(SERVER)
    await desk.accounts.remove(account)
    assert await desk.store.write(integrations.remove, CLIENT)
    assert [each.id for each in desk.heard.signed_out] == [account.id]


async def test_every_secret_of_accounts_is_sealed_anew(desk: Desk) -> None:
    account = await desk.authorizing().from_hand(CLIENT, HOST, "code-1", None)
    desk.crm.scripted = [Answer(status=503, body=b"<html>")]
    waiting = desk.authorizing()
    await waiting.from_server(desk.query(None, "code-2", from_widget="1"))
    await waiting.stop()
    new = Sealer(["a new key"])
    both = Sealer(["a new key", "the key of these tests"])
    assert await desk.store.write(reseal, both) == 3
    assert await desk.store.read(integrations.find, CLIENT, new) == INTEGRATION
    found = await desk.store.read(crm_accounts.load, account.id, new)
    assert found is not None
    assert found[1] is not None
    assert found[1].access == desk.crm.access
    with pytest.raises(ConfigurationError):
        await desk.store.read(crm_accounts.load, account.id, SEALER)


async def test_what_is_old_is_forgotten(desk: Desk) -> None:
    state = await desk.state()
    authorizing = desk.authorizing()
    number, _ = await authorizing.from_browser(desk.query(state))
    await authorizing.settled(number, within=30)
    await authorizing.forget_old()
    assert await desk.consenting.find(state) is not None
    desk.clock.advance(32 * 24 * 3600)
    await authorizing.forget_old()
    assert await desk.consenting.find(state) is None
    assert await desk.store.read(lambda connection: connection.execute(select(grants)).all()) == []


async def test_no_secret_stands_in_the_database_as_it_is(desk: Desk) -> None:
    await desk.authorizing().from_hand(CLIENT, HOST, "code-1", None)
    for row in await desk.store.read(everything):
        for secret in (INTEGRATION.secret, desk.crm.access, "refresh-1", "code-1"):
            assert secret not in repr(row)


def everything(connection: Connection) -> list[Any]:
    tables = (integrations_table, crm_accounts.crm_accounts, grants, authorizations.authorizations)
    return [row for table in tables for row in connection.execute(select(table)).all()]


def unclaim(connection: Connection) -> None:
    """As if whoever was at it had died a while ago."""
    connection.execute(grants.update().values(claimed_until=0, due_at=0))


def sealed_of(connection: Connection, number: int) -> tuple[Any, Any]:
    query = select(grants.c.query_sealed, grants.c.tokens_sealed).where(grants.c.id == number)
    return tuple(connection.execute(query).one())  # type: ignore[return-value]
