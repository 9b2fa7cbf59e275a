"""One refresh at a time, whoever asks; nothing that amoCRM gave is lost, and if it is, somebody hears of it once.

Workers are told apart as processes are: each has its own `Tokens`. On PostgreSQL real processes do the same in tests/acceptance.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Connection, update

from chatbridge.bridge.crm.authorizing import Authorizing
from chatbridge.bridge.crm.news import AccountNews
from chatbridge.bridge.crm.tokens import Tokens
from chatbridge.clock import SystemClock
from chatbridge.errors import (
    DeliveryError,
    FarSideDown,
    NotFound,
    OutcomeUnknown,
    SignedOut,
    Throttled,
)
from chatbridge.model import (
    AccountState,
    CrmAccount,
    Integration,
    IntegrationKind,
    SignOut,
    TokenPair,
)
from chatbridge.observability.metrics import Metrics
from chatbridge.protocol.crm.hosts import AccountHost, Addresses
from chatbridge.store import crm_accounts, integrations
from chatbridge.store.crm_accounts import Turn
from chatbridge.store.engine import Store
from chatbridge.store.schema import crm_accounts as table
from chatbridge.store.sealing import Sealer
from tests.contract.transports import opener
from tests.fakes import SECONDS, Answer
from tests.plain_crm import ACCOUNT, CLIENT, KEY, PlainCrm, access_token, said

SEALER = Sealer(["the key of these tests"])
HOST = AccountHost("romashka", "amocrm.ru")
INTEGRATION = Integration(
    client_id=CLIENT,
    workspace_id=None,
    kind=IntegrationKind.PRIVATE,
    name="",
    secret=KEY,
    redirect_uri="https://bridge.example.org/oauth/redirect",
    zone="amocrm.ru",
    created_at=0,
    updated_at=0,
)


@dataclass
class Heard:
    """Listens to the news of accounts."""

    authorized: list[CrmAccount] = field(default_factory=list)
    signed_out: list[CrmAccount] = field(default_factory=list)

    async def account_authorized(self, account: CrmAccount) -> None:
        self.authorized.append(account)

    async def account_signed_out(self, account: CrmAccount) -> None:
        self.signed_out.append(account)


class Office:
    """An account that has let us in, workers who want its tokens, and what is heard."""

    def __init__(self, store: Store, crm: PlainCrm, transport: Any) -> None:
        self.store, self.crm, self.transport = store, crm, transport
        self.heard, self.metrics = Heard(), Metrics()
        self.news = AccountNews(self.metrics)
        self.news.tell(self.heard)
        self.account = ""
        self._workers = 0

    @property
    def parts(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "sealer": SEALER,
            "clock": SystemClock(),
            "transport": self.transport,
            "addresses": Addresses(address=self.crm.address, consent="http://x"),
            "news": self.news,
        }

    async def open(self) -> None:
        await self.store.write(integrations.add, INTEGRATION, SEALER)
        authorizing = Authorizing(**self.parts)
        account = await authorizing.from_hand(CLIENT, HOST, "code-1", None)
        self.account = account.id
        self.crm.refresh = {f"refresh-{self.crm.number}"}

    def worker(self) -> Tokens:
        self._workers += 1
        holder = f"worker-{self._workers}"
        return Tokens(**self.parts, metrics=self.metrics, holder=holder, turn_seconds=60)

    async def standing(self) -> CrmAccount:
        found = await self.store.read(crm_accounts.find, self.account)
        assert found is not None
        return found

    async def age(self) -> None:
        """As if a day had passed."""
        await self.store.write(set_columns, expires_at=0)

    async def bury(self) -> None:
        """As if whoever was renewing the tokens had died a while ago."""
        await self.store.write(set_columns, refresher_until=1)


def set_columns(connection: Connection, **values: Any) -> None:
    connection.execute(update(table).values(values))


@pytest.fixture
async def office(store: Store) -> AsyncIterator[Office]:
    crm = PlainCrm()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(crm.far_side)
        transport = await stack.enter_async_context(opener("session")("127.0.0.1"))
        office = Office(store, crm, transport)
        await office.open()
        yield office


async def test_a_token_that_is_good_is_given_out_without_a_call(office: Office) -> None:
    worker = office.worker()
    access = await worker.access(office.account)
    assert access.token == office.crm.access
    assert access.host == HOST
    assert office.crm.asked("refresh_token") == 0
    with pytest.raises(NotFound):
        await worker.access("acc_unknown")


@pytest.mark.parametrize("tasks", [1, 3])
async def test_twenty_workers_make_one_refresh(office: Office, tasks: int) -> None:
    await office.age()
    workers = [office.worker() for _ in range(20)]
    async with asyncio.timeout(SECONDS):
        given = await asyncio.gather(
            *(worker.access(office.account) for worker in workers for _ in range(tasks))
        )
    assert {access.token for access in given} == {office.crm.access} == {access_token(2)}
    assert office.crm.asked("refresh_token") == 1
    assert office.heard.signed_out == []


async def test_a_token_that_was_refused_is_renewed_once(office: Office) -> None:
    first, second = office.worker(), office.worker()
    old = (await first.access(office.account)).token
    given = await asyncio.gather(
        first.access(office.account, rejected=old), second.access(office.account, rejected=old)
    )
    assert {access.token for access in given} == {access_token(2)}
    assert (await first.access(office.account, rejected=old)).token == access_token(2)
    assert office.crm.asked("refresh_token") == 1


async def die_between_answer_and_store(office: Office) -> None:
    """A worker asks for new tokens and is never seen again; amoCRM has given them."""
    await office.age()
    gone, never = office.worker(), asyncio.Event()
    office.crm.scripted.append(replace(said({}), after=never))
    task = asyncio.create_task(gone.access(office.account))
    await office.crm.far_side.wait_for(lambda: office.crm.number == 2, "tokens are given")
    # As kill -9 leaves it: the flight itself is cut off, not only those who wait for it.
    for flight in gone._flights.values():  # noqa: SLF001 - nobody else can kill it
        flight.cancel()
    with suppress(asyncio.CancelledError):
        await task
    never.set()
    await office.bury()


async def test_killed_between_answer_and_store_and_recovered_where_amocrm_is_lenient(
    office: Office,
) -> None:
    office.crm.lenient = True
    await die_between_answer_and_store(office)
    workers = [office.worker() for _ in range(20)]
    given = await asyncio.gather(*(worker.access(office.account) for worker in workers))
    assert {access.token for access in given} == {access_token(3)}
    assert office.crm.asked("refresh_token") == 2
    assert office.heard.signed_out == []


async def test_killed_between_answer_and_store_is_told_once_where_amocrm_is_strict(
    office: Office,
) -> None:
    await die_between_answer_and_store(office)
    workers = [office.worker() for _ in range(20)]
    given = await asyncio.gather(
        *(worker.access(office.account) for worker in workers), return_exceptions=True
    )
    assert {type(each) for each in given} == {SignedOut}
    assert all("sign in again" in str(each) for each in given)
    assert office.crm.asked("refresh_token") == 2
    (told,) = office.heard.signed_out
    assert (told.state, told.why) == (AccountState.SIGNED_OUT, SignOut.INTERRUPTED)
    assert await office.standing() == replace(told, updated_at=told.since)
    count = office.metrics.registry.get_sample_value
    assert count("chatbridge_crm_signed_out_total", {"why": "interrupted"}) == 1


async def test_an_answer_that_was_lost_is_asked_for_again(office: Office) -> None:
    office.crm.lenient = True
    await office.age()
    office.crm.scripted.append(Answer(cut=True))
    with pytest.raises(OutcomeUnknown):
        await office.worker().access(office.account)
    assert (await office.worker().access(office.account)).token == access_token(3)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=503, body=b"<html>"), FarSideDown),
        (Answer(status=429, body=b"<html>"), Throttled),
        (Answer(status=403, body=b"<html>"), Throttled),
    ],
)
async def test_what_passes_does_not_sign_out(
    office: Office, answer: Answer, kind: type[DeliveryError]
) -> None:
    await office.age()
    office.crm.lenient = True
    office.crm.scripted.append(answer)
    with pytest.raises(kind):
        await office.worker().access(office.account)
    assert (await office.worker().access(office.account)).token == office.crm.access
    assert office.heard.signed_out == []


@pytest.mark.parametrize(
    ("hint", "why"),
    [
        ("Token has been revoked", SignOut.REVOKED),
        ("Invalid refresh token", SignOut.REVOKED),
        ("Something nobody knows", SignOut.REVOKED),
        ("Invalid account", SignOut.GONE),
        ("Redirect URI is not associated with client", SignOut.KEYS),
    ],
)
async def test_each_refusal_signs_out_with_its_reason_and_amocrm_is_left_alone(
    office: Office, hint: str, why: SignOut
) -> None:
    await office.age()
    office.crm.hint = hint
    for _ in range(3):
        with pytest.raises(SignedOut) as out:
            await office.worker().access(office.account)
        assert out.value.far_code == why
    assert office.crm.asked("refresh_token") == 1
    assert [each.why for each in office.heard.signed_out] == [why]


async def test_keys_that_are_corrected_let_the_account_in_again(office: Office) -> None:
    await office.age()
    office.crm.secret = "another-secret-at-amocrm"
    with pytest.raises(SignedOut, match="PATCH"):
        await office.worker().access(office.account)
    changes = {"secret": office.crm.secret}
    await office.store.write(integrations.change, CLIENT, changes, SEALER, now=1)
    assert (await office.worker().access(office.account)).token == access_token(2)
    assert (await office.standing()).state is AccountState.AUTHORIZED


async def test_an_account_that_was_renamed_is_found_and_remembered(office: Office) -> None:
    await office.age()
    office.crm.name = "buket"
    access = await office.worker().access(office.account)
    assert access.host == AccountHost("buket", "amocrm.ru")
    assert (await office.standing()).host == "buket.amocrm.ru"
    office.crm.name = "tulpan"
    moved = await office.worker().locate(access)
    assert moved is not None
    assert moved.account.host == (await office.standing()).host == "tulpan.amocrm.ru"
    assert await office.worker().locate(moved) is None


async def test_a_pair_that_comes_late_is_kept_if_nobody_has_a_newer_one(office: Office) -> None:
    await office.age()
    standing = await office.store.write(
        crm_accounts.take_turn,
        office.account,
        lambda *_: True,
        holder="slow",
        seconds=0,
        now=0,
        sealer=SEALER,
    )
    assert standing is not None
    assert standing.turn is Turn.MINE
    before, tokens = standing.account, standing.tokens
    assert tokens is not None
    # Meanwhile somebody else tried the same refresh token and was told that it is dead.
    assert await office.store.write(crm_accounts.sign_out, before, SignOut.INTERRUPTED, now=1)
    late = replace(tokens, access="late", expires_at=2**60)
    store = {"host": str(HOST), "now": 2, "sealer": SEALER}
    assert await office.store.write(crm_accounts.store_pair, before, late, **store)
    assert (await office.worker().access(office.account)).token == "late"
    assert not await office.store.write(crm_accounts.store_pair, before, tokens, **store)


async def test_a_disconnected_account_takes_no_late_pair(office: Office) -> None:
    before = await office.standing()
    assert await office.store.write(crm_accounts.disconnect, office.account, now=1)
    assert not await office.store.write(crm_accounts.disconnect, office.account, now=2)
    assert (await office.standing()).state is AccountState.SIGNED_OUT
    tokens = TokenPair(access="late", refresh="late", expires_at=2**60)
    assert not await office.store.write(
        crm_accounts.store_pair, before, tokens, host=str(HOST), now=3, sealer=SEALER
    )


async def test_a_long_lived_token_is_not_renewed_and_ends_once(office: Office) -> None:
    authorizing = Authorizing(**office.parts)
    office.crm.access = "long-lived"
    account = await authorizing.with_token(CLIENT, HOST, "long-lived", None)
    assert (account.id, account.long_lived) == (office.account, True)
    assert (await office.worker().access(office.account)).token == "long-lived"
    with pytest.raises(SignedOut):
        await office.worker().access(office.account, rejected="long-lived")
    with pytest.raises(SignedOut):
        await office.worker().access(office.account)
    assert [each.why for each in office.heard.signed_out] == [SignOut.REVOKED]


async def test_tokens_that_nobody_uses_are_renewed_all_the_same(office: Office) -> None:
    await office.worker().renew_ending(within=3600.0)
    assert office.crm.asked("refresh_token") == 0
    await office.age()
    workers = [office.worker() for _ in range(3)]
    await asyncio.gather(*(worker.renew_ending(within=3600.0) for worker in workers))
    assert office.crm.asked("refresh_token") == 1


async def test_who_tells_no_amojo_id_is_asked_in_the_old_way(office: Office) -> None:
    office.crm.amojo_id = None
    office.crm.codes.add("code-2")
    await Authorizing(**office.parts).from_hand(CLIENT, HOST, "code-2", None)
    assert (await office.standing()).amojo_id == "of-old"
    assert (await office.standing()).account_id == ACCOUNT
