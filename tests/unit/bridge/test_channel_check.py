"""What the check of a channel tells from the answers of amoCRM, against a far side that gives each of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from chatbridge.bridge.channel_check import check_channel
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.thin import ThinTransport
from chatbridge.clients.transport import TransportLimits
from chatbridge.protocol.amojo.signing import format_date
from tests.factories import make_channel
from tests.fakes import Answer, FakeClock, FarSide


@pytest.fixture
async def transport() -> AsyncIterator[ThinTransport]:
    transport = ThinTransport(
        AddressGuard.allowing(["127.0.0.1"]), TransportLimits(), user_agent="test"
    )
    await transport.start()
    yield transport
    await transport.close()


async def found(
    transport: ThinTransport, clock: FakeClock, *statuses: int, date: str
) -> dict[str, bool]:
    async with FarSide() as far:
        far.script.extend(Answer(status=status, headers={"Date": date}) for status in statuses)
        findings = check_channel(
            make_channel(base_url=far.url),
            hook_url=f"{far.url}/location/:scope_id",
            transport=transport,
            clock=clock,
        )
        return {finding.name: finding.good async for finding in findings}


@pytest.mark.parametrize(
    ("signed", "unsigned", "good"),
    [
        (404, 403, True),
        (204, 403, True),
        (200, 401, True),
        (403, 403, False),
        (404, 404, False),
        (500, 500, False),
        (302, 302, False),
        (403, 204, False),
    ],
)
async def test_two_answers_tell_whether_id_and_secret_are_right(
    transport: ThinTransport, clock: FakeClock, *, signed: int, unsigned: int, good: bool
) -> None:
    date = format_date(clock.wall())
    said = await found(transport, clock, signed, unsigned, date=date)
    assert said["id and secret"] is good


@pytest.mark.parametrize(("minutes", "good"), [(0, True), (0.9, True), (2, False), (-20, False)])
async def test_a_clock_that_is_wrong_is_named(
    transport: ThinTransport, clock: FakeClock, *, minutes: float, good: bool
) -> None:
    theirs = datetime.fromtimestamp(clock.wall() / 1_000_000, UTC) + timedelta(minutes=minutes)
    date = format_date(int(theirs.timestamp() * 1_000_000))
    said = await found(transport, clock, 404, 403, date=date)
    assert said["clock"] is good
