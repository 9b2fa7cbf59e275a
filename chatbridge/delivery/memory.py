"""The entries of all lanes that are in memory, and how much they are. Pure."""

from bisect import insort

from chatbridge.delivery.lane import Lane
from chatbridge.store.entries import Entry


class Memory:
    """Puts entries into lanes and takes them out, and keeps the account: in all, and for each destination."""

    __slots__ = ("bytes", "count")

    def __init__(self) -> None:
        """Begin empty."""
        self.count = 0
        """Entries in memory."""
        self.bytes = 0
        """The size of their bodies."""

    def insert(self, lane: Lane, entry: Entry) -> None:
        """Put an entry at its place in a lane."""
        if not lane.entries or lane.entries[-1].id < entry.id:
            lane.entries.append(entry)
        else:
            insort(lane.entries, entry, key=_id_of)
        self._weigh(lane, entry, 1)

    def fill(self, lane: Lane, entries: list[Entry]) -> None:
        """Put these entries into a lane that has none."""
        lane.entries = entries
        for entry in entries:
            self._weigh(lane, entry, 1)

    def remove(self, lane: Lane, entry: Entry) -> None:
        """Take an entry out of a lane if it is there."""
        if lane.remove(entry):
            self._weigh(lane, entry, -1)

    def drop(self, lane: Lane) -> None:
        """Leave a lane's entries to the database."""
        for entry in lane.entries:
            self._weigh(lane, entry, -1)
        lane.entries = []

    def keep_under_way(self, lane: Lane) -> None:
        """Leave all but the entry under way to the database."""
        self.drop(lane)
        lane.cut = lane.missed = True
        if lane.under_way is not None:
            self.fill(lane, [lane.under_way])

    def _weigh(self, lane: Lane, entry: Entry, sign: int) -> None:
        self.count += sign
        self.bytes += sign * len(entry.body)
        if lane.destination is not None:
            lane.destination.entries += sign


def _id_of(entry: Entry) -> int:
    return entry.id
