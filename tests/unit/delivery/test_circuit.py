"""The circuit of a destination: every state and event of its table, then what holds whatever happens."""

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge import errors
from chatbridge.delivery.circuit import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    OPENS_AT,
    Circuit,
    CircuitEvent,
    CircuitState,
    Failure,
    answered,
    failed,
    pause_ended,
)
from chatbridge.delivery.destinations import FEWEST, GREED, Destination
from tests.unit.factories import SECOND

DOWN = errors.FarSideDown("HTTP 503")
CLOSED, OPEN, PROBING = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.PROBING


def failure(lane: int = 1, now: int = 0, wait: float | None = None) -> Failure:
    return Failure(lane=lane, error=DOWN, now=now, wait=wait)


def fail_often(circuit: Circuit, now: int = 0, lanes: int = OPENS_AT) -> Circuit:
    for lane in range(lanes):
        circuit = failed(circuit, failure(lane, now))
    return circuit


STARTS = {
    CLOSED: fail_often(Circuit(), lanes=OPENS_AT - 1),
    OPEN: fail_often(Circuit()),
    PROBING: pause_ended(fail_often(Circuit())),
}
EVENTS: dict[CircuitEvent, Callable[[Circuit], Circuit]] = {
    CircuitEvent.ANSWERED: answered,
    CircuitEvent.FAILED: lambda circuit: failed(circuit, failure(lane=99, now=5 * SECOND)),
    CircuitEvent.PAUSE_ENDED: pause_ended,
}
BECOMES = {
    (CLOSED, CircuitEvent.ANSWERED): CLOSED,
    (CLOSED, CircuitEvent.FAILED): OPEN,
    (CLOSED, CircuitEvent.PAUSE_ENDED): CLOSED,
    (OPEN, CircuitEvent.ANSWERED): OPEN,
    (OPEN, CircuitEvent.FAILED): OPEN,
    (OPEN, CircuitEvent.PAUSE_ENDED): PROBING,
    (PROBING, CircuitEvent.ANSWERED): CLOSED,
    (PROBING, CircuitEvent.FAILED): OPEN,
    (PROBING, CircuitEvent.PAUSE_ENDED): PROBING,
}


# --- the table ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "event"), list(product(CircuitState, CircuitEvent)))
def test_what_each_event_makes_of_each_state(state: CircuitState, event: CircuitEvent) -> None:
    assert STARTS[state].state is state
    assert EVENTS[event](STARTS[state]).state is BECOMES[state, event]


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (CLOSED, CircuitEvent.PAUSE_ENDED),
        (OPEN, CircuitEvent.ANSWERED),
        (OPEN, CircuitEvent.FAILED),
        (PROBING, CircuitEvent.PAUSE_ENDED),
    ],
)
def test_what_comes_too_late_changes_nothing(state: CircuitState, event: CircuitEvent) -> None:
    assert EVENTS[event](STARTS[state]) == STARTS[state]


@pytest.mark.parametrize("state", [CLOSED, PROBING])
def test_an_answer_forgets_every_failure(state: CircuitState) -> None:
    assert answered(STARTS[state]) == Circuit()


# --- how it opens -------------------------------------------------------------------------------


def test_one_conversation_alone_never_opens_it() -> None:
    circuit = Circuit()
    for second in range(100):
        circuit = failed(circuit, failure(lane=7, now=second * SECOND))
    assert circuit.state is CLOSED
    assert circuit.failing == {7}


def test_an_answer_in_between_begins_the_count_again() -> None:
    circuit = answered(fail_often(Circuit(), lanes=OPENS_AT - 1))
    circuit = fail_often(circuit, lanes=OPENS_AT - 1)
    assert circuit.state is CLOSED


def test_it_opens_for_a_second_and_says_why() -> None:
    circuit = fail_often(Circuit(), now=3 * SECOND)
    assert circuit.until == (3 + FIRST_PAUSE) * SECOND
    assert circuit.reason is DOWN


def test_one_that_is_asked_to_wait_opens_at_once_for_as_long_as_asked() -> None:
    circuit = failed(Circuit(), failure(now=SECOND, wait=40))
    assert (circuit.state, circuit.until) == (OPEN, 41 * SECOND)
    assert failed(Circuit(), failure(wait=0.2)).until == FIRST_PAUSE * SECOND


def test_an_attempt_from_before_the_pause_may_lengthen_it_but_not_shorten() -> None:
    circuit = fail_often(Circuit())
    assert failed(circuit, failure(now=SECOND // 2, wait=60)).until == 60 * SECOND + SECOND // 2
    assert failed(circuit, failure(now=SECOND // 2, wait=0.1)).until == circuit.until


def test_pauses_double_up_to_the_longest() -> None:
    circuit, pauses = fail_often(Circuit()), []
    for _ in range(6):
        now = circuit.until
        circuit = failed(pause_ended(circuit), failure(now=now))
        pauses.append((circuit.until - now) / SECOND)
    assert pauses == [2, 4, 8, 10, 10, 10]


# --- whatever happens ---------------------------------------------------------------------------

HAPPENINGS = st.lists(
    st.one_of(
        st.just("answered"),
        st.tuples(st.integers(1, 7), st.one_of(st.none(), st.floats(0, 4000))),
        st.floats(0, 20),
    )
)
"""An answer, a failure (lane, seconds asked for), or seconds that pass."""


@given(HAPPENINGS)
def test_it_never_stays_open_for_ever_and_never_shorter_than_asked(happenings: list) -> None:
    circuit, now, may_last, asked_until = Circuit(), 0, 0, 0
    for happening in happenings:
        before = circuit
        if happening == "answered":
            circuit = answered(circuit)
        elif isinstance(happening, tuple):
            lane, wait = happening
            circuit = failed(circuit, failure(lane, now, wait))
            asked_until = max(asked_until, now + int((wait or 0) * SECOND))
            may_last = max(asked_until, now + int(LONGEST_PAUSE * SECOND))
        else:
            now += int(happening * SECOND)
            if circuit.state is OPEN and circuit.until <= now:
                circuit = pause_ended(circuit)
        if circuit.state is CLOSED:
            asked_until = 0
        elif circuit.state is OPEN:
            assert asked_until <= circuit.until <= may_last
            assert before.state is not OPEN or circuit.until >= before.until
            assert circuit.reason is DOWN
        assert FIRST_PAUSE <= circuit.pause <= LONGEST_PAUSE
        assert (circuit.state is not CLOSED) or len(circuit.failing) < OPENS_AT
    # Left alone, it lets a probe go, and the first answer closes it.
    assert answered(pause_ended(circuit)).state is CLOSED


# --- a destination ------------------------------------------------------------------------------


def probing_destination() -> Destination:
    destination = Destination()
    for lane in range(OPENS_AT):
        destination.fail(failure(lane))
    destination.end_pause()
    return destination


def test_one_probe_at_a_time() -> None:
    destination = probing_destination()
    assert not destination.blocked
    destination.begin(1)
    assert destination.blocked
    assert destination.end(1) is True
    assert not destination.blocked
    destination.begin(2)
    assert destination.probe == 2


def test_what_began_before_the_pause_is_no_probe() -> None:
    destination = Destination()
    destination.begin(1)
    for lane in range(OPENS_AT):
        destination.fail(failure(lane))
    destination.end_pause()
    destination.begin(2)
    assert destination.end(1) is False
    assert destination.blocked


@given(free=st.integers(0, 2000), under_way=st.integers(0, 2000))
def test_a_slot_is_there_for_the_modest_and_as_long_as_enough_are_free(
    free: int, under_way: int
) -> None:
    destination = Destination()
    destination.under_way = under_way
    assert destination.has_slot(free) is (under_way < FEWEST or under_way < GREED * free)


def test_only_one_that_works_and_has_nothing_to_do_is_forgotten() -> None:
    destination = Destination()
    assert destination.idle
    destination.begin(1)
    assert not destination.idle
    destination.end(1)
    assert destination.idle
    assert not probing_destination().idle
