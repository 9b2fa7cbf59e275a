"""One lane: the line of entries of a conversation and direction."""

from enum import Enum
from typing import Final

from chatbridge.delivery.destinations import Destination
from chatbridge.store.entries import Entry

LANE_LIMIT: Final = 64
"""Entries of one lane kept in memory, so that one conversation cannot fill it."""


class LaneState(Enum):
    """Where the first entry of a lane is."""

    AWAKE = "in memory: it may go, or is under way"
    ASLEEP = "in the database: nothing is known but when the lane wakes"
    LOADING = "in the database: the lane wants to be refilled"


class Lane:
    """A lane as memory knows it. It is *cut* when the database has more of it than memory has."""

    __slots__ = (
        "alarm",
        "cut",
        "destination",
        "due_at",
        "entries",
        "missed",
        "number",
        "queued",
        "refilled",
        "state",
        "under_way",
    )

    def __init__(self, number: int, destination: Destination | None) -> None:
        """Begin empty and awake; the destination may be unknown until something is loaded."""
        self.number = number
        self.destination = destination
        self.state = LaneState.AWAKE
        self.entries: list[Entry] = []
        self.under_way: Entry | None = None
        self.queued = False
        """It stands in the line of lanes that may go."""
        self.cut = False
        self.missed = False
        """While it was loading, another entry was left to the database."""
        self.refilled = False
        """It was filled by lane at least once, so it may know entries that no cursor has reached."""
        self.due_at = 0
        """When it wakes, if it is asleep."""
        self.alarm = 0
        """The last time for which it was put into the line of sleepers."""

    @property
    def is_held(self) -> bool:
        """Return whether it waits for its destination."""
        return self.destination is not None and self in self.destination.held

    def let_go(self) -> None:
        """Wait for the destination no more."""
        if self.destination is not None:
            self.destination.held.pop(self, None)
            self.destination.loading.discard(self)

    def remove(self, entry: Entry) -> bool:
        """Forget an entry; return whether it was there."""
        for place, known in enumerate(self.entries):
            if known.id == entry.id:
                del self.entries[place]
                return True
        return False
