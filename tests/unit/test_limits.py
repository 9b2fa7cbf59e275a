from hypothesis import given
from hypothesis import strategies as st

from chatbridge.limits import Limit
from tests.fakes import BEGINNING

SECOND = 1_000_000


def test_so_many_at_once_then_one_after_the_other() -> None:
    limit = Limit(20)
    assert [limit.wait("v", BEGINNING) for _ in range(20)] == [0] * 20
    assert limit.wait("v", BEGINNING) == 3.0
    assert limit.wait("v", BEGINNING) == 3.0, "asking costs nothing"
    assert limit.wait("v", BEGINNING + SECOND) == 2.0
    assert limit.wait("v", BEGINNING + 3 * SECOND) == 0
    assert limit.wait("v", BEGINNING + 3 * SECOND) == 3.0


def test_names_do_not_share() -> None:
    limit = Limit(60, at_once=1)
    assert limit.wait("v", BEGINNING) == 0
    assert limit.wait("v", BEGINNING) == 1.0
    assert limit.wait("w", BEGINNING) == 0


def test_those_whose_time_is_over_are_forgotten_and_no_others() -> None:
    limit = Limit(60, at_once=1)
    for number in range(10_000):
        assert limit.wait(f"early {number}", BEGINNING) == 0
    assert limit.wait("last", BEGINNING + SECOND // 2) == 0
    assert limit.wait("new", BEGINNING + SECOND + 1) == 0
    assert limit.wait("last", BEGINNING + SECOND + 1) > 0
    assert len(limit._until) == 2  # noqa: SLF001 - what it is about


@given(st.lists(st.integers(0, 10 * SECOND), max_size=200), st.integers(1, 1000))
def test_no_minute_has_more_than_the_burst_and_the_rate(gaps: list[int], rate: int) -> None:
    limit, now, taken = Limit(rate), BEGINNING, []
    for gap in gaps:
        now += gap
        if limit.wait("v", now) == 0:
            taken.append(now)
    for begin in taken:
        assert sum(begin <= at < begin + 60 * SECOND for at in taken) <= 2 * rate
