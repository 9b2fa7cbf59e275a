"""Whether a destination is tried at all: a table of states, so that a dead far side costs one attempt now and then. Pure.

A circuit pauses, it never discards. What waits keeps its place and its age, and is given up by its own schedule.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from chatbridge.errors import DeliveryError

OPENS_AT: Final = 5
"""Conversations that must fail in a row. One alone may be at fault itself."""

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 10.0
"""Seconds between probes: the first, doubled after each that fails, up to the longest."""


class CircuitState(Enum):
    """What may be sent."""

    CLOSED = "everything"
    OPEN = "nothing"
    PROBING = "one attempt"


class CircuitEvent(Enum):
    """What may happen to a circuit."""

    ANSWERED = "the far side took a message, or refused that very message"
    FAILED = "it could not be reached, or did not work"
    PAUSE_ENDED = "the pause is over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """The state of one destination."""

    state: CircuitState = CircuitState.CLOSED
    failing: frozenset[int] = frozenset()
    """Lanes that failed since the last answer."""
    pause: float = FIRST_PAUSE
    """Seconds of the next pause."""
    until: int = 0
    """When the pause ends, microseconds."""
    reason: DeliveryError | None = None
    """The last failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed attempt, as far as a circuit cares."""

    lane: int
    error: DeliveryError
    now: int
    wait: float | None = None
    """Seconds that the far side asked for."""


def answered(circuit: Circuit) -> Circuit:
    """Return the circuit after the far side answered an ordinary attempt."""
    return _step(circuit, CircuitEvent.ANSWERED, None)


def failed(circuit: Circuit, failure: Failure) -> Circuit:
    """Return the circuit after a failed attempt."""
    return _step(circuit, CircuitEvent.FAILED, failure)


def pause_ended(circuit: Circuit) -> Circuit:
    """Return the circuit after its pause: one attempt may go."""
    return _step(circuit, CircuitEvent.PAUSE_ENDED, None)


def _step(circuit: Circuit, event: CircuitEvent, failure: Failure | None) -> Circuit:
    action = _TRANSITIONS.get((circuit.state, event))
    return circuit if action is None else action(circuit, failure)


def _close(_: Circuit, __: Failure | None) -> Circuit:
    return _CLOSED


def _count(circuit: Circuit, failure: Failure | None) -> Circuit:
    if failure is None:
        return circuit
    failing = circuit.failing | {failure.lane}
    if failure.wait is None and len(failing) < OPENS_AT:
        return replace(circuit, failing=failing, reason=failure.error)
    return _open(replace(circuit, failing=failing), failure)


def _open(circuit: Circuit, failure: Failure | None) -> Circuit:
    if failure is None:
        return circuit
    pause = max(circuit.pause, failure.wait or 0.0)
    return replace(
        circuit,
        state=CircuitState.OPEN,
        pause=min(2 * circuit.pause, LONGEST_PAUSE),
        until=failure.now + int(pause * 1_000_000),
        reason=failure.error,
    )


def _lengthen(circuit: Circuit, failure: Failure | None) -> Circuit:
    """An attempt that began before the pause failed too; only a wish to wait matters."""
    if failure is None or failure.wait is None:
        return circuit
    until = failure.now + int(failure.wait * 1_000_000)
    return replace(circuit, until=max(circuit.until, until), reason=failure.error)


def _probe(circuit: Circuit, _: Failure | None) -> Circuit:
    return replace(circuit, state=CircuitState.PROBING)


_CLOSED: Final = Circuit()

_TRANSITIONS: Final[
    dict[tuple[CircuitState, CircuitEvent], Callable[[Circuit, Failure | None], Circuit]]
] = {
    (CircuitState.CLOSED, CircuitEvent.ANSWERED): _close,
    (CircuitState.CLOSED, CircuitEvent.FAILED): _count,
    (CircuitState.OPEN, CircuitEvent.FAILED): _lengthen,
    (CircuitState.OPEN, CircuitEvent.PAUSE_ENDED): _probe,
    (CircuitState.PROBING, CircuitEvent.ANSWERED): _close,
    (CircuitState.PROBING, CircuitEvent.FAILED): _open,
}
"""What is not here changes nothing: an answer to an attempt from before the pause does not end it, a probe does."""
