"""The schedules, walked through with a clock that only moves from attempt to attempt."""

from itertools import accumulate, pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge import errors
from chatbridge.delivery.retry import (
    AFTERTHOUGHT,
    CLIENT_MESSAGE,
    OPERATOR_REPLY,
    GiveUp,
    Retry,
    Schedule,
    decide,
    schedule_of,
)
from chatbridge.errors import DeliveryError
from chatbridge.model import Direction, Kind
from tests.unit.factories import NOW, SECOND, make_entry

DOWN = errors.FarSideDown("it is down")
MINUTE, HOUR = 60, 3600
TRANSIENT = [
    errors.NotSent("x"),
    errors.Throttled("x"),
    errors.FarSideDown("x"),
    errors.OutcomeUnknown("x"),
    errors.Misconfigured("x"),
    errors.InternalFailure("x"),
]


def attempts(
    schedule: Schedule, *, jitter: float = 0, slowness: float = 0, error: DeliveryError = DOWN
) -> list[float]:
    """Return the ages, in seconds, at which an entry is tried until it is given up.

    Each attempt takes `slowness` seconds to fail.
    """
    ages, now = [], NOW
    while True:
        ages.append((now - NOW) / SECOND)
        failed_at = now + int(slowness * SECOND)
        made = len(ages) - 1
        decision = decide(schedule, error, since=NOW, now=failed_at, made=made, jitter=jitter)
        if isinstance(decision, GiveUp):
            return ages
        assert decision.due_at >= failed_at
        now = decision.due_at
        assert len(ages) < 1000, "it is never given up"


def test_each_direction_has_its_schedule() -> None:
    found = {
        (direction, kind): schedule_of(make_entry(1, direction=direction, kind=kind))
        for direction in Direction
        for kind in Kind
    }
    to_amojo = dict.fromkeys(product((Direction.TO_AMOJO,), Kind), AFTERTHOUGHT)
    to_amojo[Direction.TO_AMOJO, Kind.MESSAGE] = CLIENT_MESSAGE
    to_messenger = dict.fromkeys(product((Direction.TO_MESSENGER,), Kind), OPERATOR_REPLY)
    assert found == to_amojo | to_messenger


def test_an_operators_reply_is_tried_for_a_quarter_of_an_hour() -> None:
    documented = [*accumulate((0, 1, 3, 8, 20, 45, 90, 180, 300)), 15 * MINUTE]
    assert attempts(OPERATOR_REPLY) == documented


def test_a_clients_message_is_tried_for_three_days() -> None:
    quick = (0, 2, 5, 15, 30, 60, 120, 300, 600, 900, 1800)
    *ages, last = attempts(CLIENT_MESSAGE)
    assert ages[: len(quick)] == [*accumulate(quick)]
    assert {later - sooner for sooner, later in pairwise(ages[len(quick) - 1 :])} == {HOUR}
    assert last == 72 * HOUR


@pytest.mark.parametrize("schedule", [OPERATOR_REPLY, CLIENT_MESSAGE])
@given(jitter=st.floats(-1, 1), slowness=st.floats(0, 15))
def test_waits_are_as_documented_give_or_take_a_fifth(
    schedule: Schedule, jitter: float, slowness: float
) -> None:
    ages = attempts(schedule, jitter=jitter, slowness=slowness)
    for made, (sooner, later) in enumerate(pairwise(ages[:-1])):
        failed = sooner + slowness
        planned = schedule.wait(failed, made)
        assert later - failed == pytest.approx(planned * (1 + 0.2 * jitter), abs=1e-5)
    assert ages[-1] <= schedule.give_up_after
    assert ages[-1] >= schedule.give_up_after - slowness - 1e-5


@pytest.mark.parametrize("schedule", [OPERATOR_REPLY, CLIENT_MESSAGE])
@given(st.floats(0, 80 * HOUR), st.integers(0, 100))
def test_no_wait_is_shorter_than_one_before_it(schedule: Schedule, age: float, made: int) -> None:
    assert schedule.wait(age, made) <= schedule.wait(age + 1, made)
    assert schedule.wait(age, made) <= schedule.wait(age, made + 1)
    assert schedule.wait(age, made) in schedule.steps


@pytest.mark.parametrize("schedule", [OPERATOR_REPLY, CLIENT_MESSAGE])
def test_what_waited_long_for_its_first_attempt_does_not_wait_long_for_the_second(
    schedule: Schedule,
) -> None:
    assert [schedule.wait(HOUR, made) for made in range(4)] == list(schedule.steps[:4])


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: error.code)
def test_what_may_pass_is_tried_again(error: DeliveryError) -> None:
    decision = decide(OPERATOR_REPLY, error, since=NOW, now=NOW, made=0, jitter=0)
    assert decision == Retry(due_at=NOW + 1 * SECOND)


def test_what_is_refused_for_good_is_given_up_at_once() -> None:
    refused = errors.Rejected("type: required")
    decision = decide(CLIENT_MESSAGE, refused, since=NOW, now=NOW, made=0, jitter=0)
    assert decision == GiveUp(code="rejected", detail="type: required")


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (OPERATOR_REPLY, "given up after 15 minutes: it is down"),
        (CLIENT_MESSAGE, "given up after 72 hours: it is down"),
    ],
)
@pytest.mark.parametrize("late", [0, 1, 10**12])
def test_giving_up_says_when_and_why(schedule: Schedule, words: str, late: int) -> None:
    now = NOW + int(schedule.give_up_after) * SECOND + late
    decision = decide(schedule, DOWN, since=NOW, now=now, made=99, jitter=1)
    assert decision == GiveUp(code="far_side_down", detail=words)


@pytest.mark.parametrize(
    ("schedule", "asked", "waited"),
    [
        (CLIENT_MESSAGE, None, 2),
        (CLIENT_MESSAGE, 0, 2),  # less than planned changes nothing
        (CLIENT_MESSAGE, 1, 2),
        (CLIENT_MESSAGE, 30, 30),
        (CLIENT_MESSAGE, HOUR, HOUR),
        (CLIENT_MESSAGE, 1000 * HOUR, 72 * HOUR),  # one last attempt before it is given up
        (OPERATOR_REPLY, 1, 1),
        (OPERATOR_REPLY, 30, 2),  # a backend may double a wait, no more
        (OPERATOR_REPLY, HOUR, 2),
    ],
)
def test_the_far_side_may_ask_for_more_time(
    schedule: Schedule, asked: float | None, waited: float
) -> None:
    error = errors.Throttled("wait", retry_after=asked)
    decision = decide(schedule, error, since=NOW, now=NOW, made=0, jitter=0)
    assert decision == Retry(due_at=NOW + int(waited * SECOND))


def test_a_clock_that_was_set_back_does_not_stretch_the_schedule() -> None:
    decision = decide(OPERATOR_REPLY, DOWN, since=NOW + HOUR * SECOND, now=NOW, made=0, jitter=0)
    assert decision == Retry(due_at=NOW + 1 * SECOND)
