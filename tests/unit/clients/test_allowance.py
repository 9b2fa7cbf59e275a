"""The allowance, by example and for any sequence of asks, closings and probes."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.clients.allowance import (
    LONGEST_PATIENCE,
    LONGEST_PAUSE,
    PAUSE_UNSAID,
    PROBE_EVERY,
    SECOND,
    Ask,
    Closing,
    Grant,
    Rate,
    Refusal,
    close,
    reopen,
    reserve,
    space,
)
from chatbridge.errors import Throttled
from chatbridge.protocol.amojo import replies
from chatbridge.protocol.http import Response
from chatbridge.store.allowances import AllowanceRow
from tests.unit.factories import NOW

SEVEN = Rate.of(7)
BAN_PAGE = Response(
    status=403, headers={"content-type": "text/html"}, body=b"<html>403 Forbidden</html>"
)


def most_in_any(length: int, moments: list[int]) -> int:
    """How many moments are in the fullest stretch of that length, both ends included."""
    return max((sum(s <= m <= s + length for m in moments) for s in moments), default=0)


def ask(row: AllowanceRow, now: int, **wanted: int) -> tuple[AllowanceRow, Grant | Refusal]:
    return reserve(row, now, ask=Ask(**{"patience": 60 * SECOND, **wanted}), rate=SEVEN)


def granted(answer: Grant | Refusal) -> tuple[int, ...]:
    assert isinstance(answer, Grant)
    return answer.slots


def refusal_of(response: Response) -> Throttled:
    with pytest.raises(Throttled) as refused:
        replies.read_done(response)
    return refused.value


def test_seven_a_second_are_never_eight_within_a_second() -> None:
    _, answer = ask(AllowanceRow(), NOW, count=50)
    slots = granted(answer)
    assert slots[0] == NOW
    assert {after - before for before, after in pairwise(slots)} == {142_858}
    assert most_in_any(SECOND, list(slots)) == 7


def test_after_a_rest_a_burst_may_go_at_once() -> None:
    rate = Rate.of(7, burst=3)
    _, answer = reserve(AllowanceRow(), NOW, ask=Ask(count=5, patience=SECOND), rate=rate)
    step = rate.interval
    assert granted(answer) == (NOW, NOW, NOW, NOW + step, NOW + 2 * step)


def test_who_is_not_willing_to_wait_is_told_how_long_it_would_be() -> None:
    row, _ = ask(AllowanceRow(), NOW, count=7)
    same, answer = ask(row, NOW, patience=SECOND // 2)
    assert answer == Refusal(now=NOW, until=NOW + 7 * SEVEN.interval, closed_until=0)
    assert same == row


def test_no_more_slots_are_given_than_the_patient_can_use() -> None:
    _, answer = ask(AllowanceRow(), NOW, count=7, patience=3 * SEVEN.interval)
    assert len(granted(answer)) == 4


def test_slots_begin_when_the_answer_can_be_there() -> None:
    _, answer = ask(AllowanceRow(), NOW, lead=500, patience=0)
    assert granted(answer) == (NOW + 500,)


def test_a_clock_that_was_set_back_does_not_stop_all_calls() -> None:
    row, _ = ask(AllowanceRow(), NOW)
    _, answer = ask(row, NOW - 3600 * SECOND)
    assert granted(answer) == (NOW - 3600 * SECOND,)


def test_the_furthest_slots_count_as_well_where_there_is_a_burst() -> None:
    rate = Rate.of(7, burst=5)
    far = Ask(count=10_000, patience=LONGEST_PATIENCE)
    row, answer = reserve(AllowanceRow(), NOW, ask=far, rate=rate)
    assert granted(answer)[-1] > NOW + LONGEST_PATIENCE - rate.interval
    _, answer = reserve(row, NOW, ask=far, rate=rate)
    assert isinstance(answer, Refusal)


def test_a_clock_that_was_set_back_by_a_year_does_not_close_an_account_for_as_long() -> None:
    year = 365 * 24 * 3600 * SECOND
    for banned in (False, True):
        row, _ = close(AllowanceRow(), NOW, closing=Closing(pause=SECOND, banned=banned))
        after, answer = ask(row, NOW - year)
        assert granted(answer) == (NOW - year,)
        row, notice = close(after, NOW - year, closing=Closing(pause=SECOND, banned=banned))
        assert notice.closed_until < NOW - year + 2 * PROBE_EVERY
        assert row.banned == banned


def test_nothing_is_given_out_further_ahead_than_anybody_waits() -> None:
    row, _ = ask(AllowanceRow(), NOW, count=10_000, patience=10**12)
    assert row.next_at <= NOW + LONGEST_PATIENCE + SEVEN.interval


@pytest.mark.parametrize(
    ("response", "pause", "banned"),
    [
        (Response(status=429, headers={"retry-after": "30"}), 30 * SECOND, False),
        (Response(status=429, headers={"retry-after": "3600"}), 3600 * SECOND, False),
        (Response(status=429, headers={"retry-after": "garbage"}), PAUSE_UNSAID, False),
        (Response(status=429, headers={}, body=b"<html>429</html>"), PAUSE_UNSAID, False),
        (Response(status=429, headers={"retry-after": "999999999"}), LONGEST_PAUSE, False),
        (Response(status=503, headers={"retry-after": "7"}), 7 * SECOND, False),
        (BAN_PAGE, PROBE_EVERY, True),
        (Response(status=403, headers={"retry-after": "5"}, body=b"<html>"), PROBE_EVERY, True),
        (Response(status=403, headers={"retry-after": "90"}, body=b"<html>"), 90 * SECOND, True),
    ],
)
def test_what_a_refusal_asks_for(response: Response, pause: int, banned: bool) -> None:  # noqa: FBT001 - a row
    assert Closing.of(refusal_of(response)) == Closing(pause=pause, banned=banned)


def test_a_throttled_account_opens_by_itself() -> None:
    row, notice = close(AllowanceRow(), NOW, closing=Closing(pause=9 * SECOND, banned=False))
    assert notice.closed_until == NOW + 9 * SECOND
    same, answer = ask(row, NOW + 9 * SECOND - 1)
    assert answer == Refusal(now=NOW + 9 * SECOND - 1, until=NOW + 9 * SECOND, closed_until=NOW + 9 * SECOND)  # fmt: skip
    _, answer = ask(same, NOW + 9 * SECOND, count=7)
    assert len(granted(answer)) == 7


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    row, _ = close(AllowanceRow(), NOW, closing=Closing(pause=100, banned=True))
    row, notice = close(row, NOW, closing=Closing(pause=10, banned=False))
    assert (row.closed_until, row.banned, notice.closed_until) == (NOW + 100, True, NOW + 100)


def test_a_ban_ends_with_one_call_that_went_well() -> None:
    row, _ = close(AllowanceRow(), NOW, closing=Closing.of(refusal_of(BAN_PAGE)))
    minute = NOW + PROBE_EVERY
    row, probe = ask(row, minute, count=7)
    assert isinstance(probe, Grant)
    assert (probe.slots, probe.probe) == ((minute,), True)
    row, answer = ask(row, minute + SECOND)
    assert isinstance(answer, Refusal)
    row, _ = reopen(row, minute + SECOND, closed_until=probe.closed_until)
    _, answer = ask(row, minute + SECOND, count=7)
    assert len(granted(answer)) == 7
    assert not row.banned


def test_a_probe_that_is_overtaken_by_another_refusal_opens_nothing() -> None:
    row, _ = close(AllowanceRow(), NOW, closing=Closing(pause=0, banned=True))
    row, probe = ask(row, NOW)
    row, _ = close(row, NOW, closing=Closing(pause=2 * PROBE_EVERY, banned=True))
    assert reopen(row, NOW, closed_until=probe.closed_until)[0] == row


def test_a_probe_of_which_nothing_is_heard_is_followed_by_another_after_a_minute() -> None:
    row, _ = close(AllowanceRow(), NOW, closing=Closing(pause=0, banned=True))
    row, _ = ask(row, NOW)
    row, answer = ask(row, NOW + PROBE_EVERY)
    assert isinstance(answer, Refusal)
    _, again = ask(row, answer.until)
    assert isinstance(again, Grant)
    assert again.probe


RATES = st.builds(Rate.of, st.integers(1, 50), seconds=st.floats(0.5, 10), burst=st.integers(1, 5))


@given(rate=RATES, wishes=st.lists(st.integers(0, 3 * SECOND), max_size=80), length=st.integers(1, 4 * SECOND))  # fmt: skip
def test_any_wishes_are_spaced(rate: Rate, wishes: list[int], length: int) -> None:
    """Also where the wish jumps back: what a slower node asked for earlier."""
    next_at, slots = 0, []
    for wish in wishes:
        slot, next_at = space(next_at, NOW + wish, rate)
        assert slot >= NOW + wish
        slots.append(slot)
    assert most_in_any(length, slots) <= (length + rate.slack) // rate.interval + 1


@dataclass
class History:
    """An account, and what became of it under any happenings."""

    rate: Rate
    row: AllowanceRow = field(default_factory=AllowanceRow)
    now: int = NOW
    calls: list[int] = field(default_factory=list)
    probes: list[Grant] = field(default_factory=list)

    def happen(self, kind: str, after: int, size: int) -> None:
        self.now += after
        getattr(self, kind)(size)

    def ask(self, size: int) -> None:
        wanted = Ask(count=1 + size % 9, patience=size * SECOND // 4, lead=size * 1000)
        before = self.row
        self.row, answer = reserve(before, self.now, ask=wanted, rate=self.rate)
        if isinstance(answer, Refusal):
            assert self.row == before
            assert answer.until > self.now
            return
        assert self.now >= before.closed_until
        assert self.now + wanted.lead <= answer.slots[0]
        assert answer.slots[-1] <= self.now + max(wanted.patience, wanted.lead)
        assert 1 <= len(answer.slots) <= (1 if before.banned else wanted.count)
        self.calls += answer.slots
        if answer.probe:
            self.probes.append(answer)

    def throttle(self, size: int) -> None:
        self.row, _ = close(self.row, self.now, closing=Closing(pause=size * SECOND, banned=False))

    def ban(self, size: int) -> None:
        pause = PROBE_EVERY + size * SECOND
        self.row, _ = close(self.row, self.now, closing=Closing(pause=pause, banned=True))
        self.probes.clear()

    def succeed(self, size: int) -> None:
        """A probe, perhaps an old one, went well."""
        if self.probes:
            probe = self.probes[-1 - size % len(self.probes)]
            self.row, _ = reopen(self.row, self.now, closed_until=probe.closed_until)
            assert self.row.banned or probe is self.probes[-1]
        if not self.row.banned:
            self.probes.clear()


HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "throttle", "ban", "succeed"]),
        st.sampled_from([0, 1, SECOND // 10, SECOND, 20 * SECOND, 70 * SECOND]),
        st.integers(0, 40),
    ),
    max_size=80,
)


@given(rate=RATES, happenings=HAPPENINGS)
def test_whatever_happens_the_limit_is_kept_and_probes_are_a_minute_apart(
    rate: Rate, happenings: list[tuple[str, int, int]]
) -> None:
    history = History(rate)
    for kind, after, size in happenings:
        history.happen(kind, after, size)
        slots = [probe.slots[0] for probe in history.probes]
        assert all(b - a > PROBE_EVERY for a, b in pairwise(slots))
    assert most_in_any(SECOND, history.calls) <= (SECOND + rate.slack) // rate.interval + 1
    history.happen("ask", LONGEST_PAUSE, 4)
    assert history.calls[-1] >= history.now, "it is never closed for good"
