"""Far sides, and how much of the machine each may use."""

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from chatbridge.delivery.circuit import Circuit, CircuitState, answered, failed, pause_ended

if TYPE_CHECKING:
    from chatbridge.delivery.circuit import Failure
    from chatbridge.delivery.lane import Lane

FEWEST: Final = 4
"""Attempts that every destination may have under way, however busy the others are."""

GREED: Final = 8
"""How many times the free slots a destination may use."""

HELD_AT_ONCE: Final = 64
"""Lanes that are loaded at once when there is room for them, or their circuit has closed."""


class Destination:
    """One far side for one link: its circuit, and the lanes that have something for it.

    It may use so many times the slots that it leaves free. Alone, it has nearly all; where many hang, each holds a few, and
    there are always some for one that works.
    """

    __slots__ = (
        "circuit",
        "entries",
        "held",
        "in_turn",
        "loading",
        "probe",
        "ready",
        "under_way",
    )

    def __init__(self) -> None:
        """Begin unknown."""
        self.circuit = Circuit()
        self.ready: deque[Lane] = deque()
        """Lanes whose first entry may go."""
        self.held: dict[Lane, None] = {}
        """Lanes that wait for the circuit, or for room in memory; their entries are in the database. Oldest first."""
        self.loading: set[Lane] = set()
        """Lanes that were held and are being read."""
        self.entries = 0
        """Its entries in memory."""
        self.in_turn = False
        self.under_way = 0
        self.probe: int | None = None
        """The entry that tries the far side after a pause."""

    @property
    def blocked(self) -> bool:
        """Return whether nothing new may be tried because of failures."""
        state = self.circuit.state
        if state is CircuitState.CLOSED:
            return False
        return state is CircuitState.OPEN or self.probe is not None

    def has_slot(self, free: int) -> bool:
        """Return whether an attempt may begin while so many slots are free in all."""
        return self.under_way < max(FEWEST, GREED * free)

    @property
    def idle(self) -> bool:
        """Return whether there is nothing worth remembering about it."""
        return not (self.under_way or self.ready or self.held) and (
            self.circuit.state is CircuitState.CLOSED
        )

    def choose_held(self) -> list["Lane"]:
        """Return the lanes among those that are held that are to be loaded now."""
        if self.circuit.state is not CircuitState.PROBING:
            return list(islice(self.held, HELD_AT_ONCE - len(self.loading)))
        if self.loading:
            return []
        # A conversation that did not fail yet says more about the far side than one that did.
        failing = self.circuit.failing
        fresh = (lane for lane in reversed(self.held) if lane.number not in failing)
        return [next(fresh, None) or next(iter(self.held))]

    def begin(self, entry_id: int) -> None:
        """Take note of an attempt."""
        self.under_way += 1
        if self.circuit.state is CircuitState.PROBING and self.probe is None:
            self.probe = entry_id

    def end(self, entry_id: int) -> bool:
        """Take note of the end of an attempt; return whether it was the probe."""
        self.under_way -= 1
        if self.probe != entry_id:
            return False
        self.probe = None
        return True

    def answer(self) -> None:
        """The far side answered."""
        if self.circuit.failing:
            self.circuit = answered(self.circuit)

    def fail(self, failure: "Failure") -> None:
        """The far side failed."""
        self.circuit = failed(self.circuit, failure)

    def end_pause(self) -> None:
        """Let one attempt try it."""
        self.circuit = pause_ended(self.circuit)
