"""How fast imports go. Pure.

Imported messages wait in the same lanes as live ones. So few of them wait at any time, whatever the size of the import: a message
that a client sends meanwhile finds a destination that is nearly free, and a memory that is not full.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from chatbridge.store.import_lines import ReadyLine

IN_DELIVERY: Final = 1_000
"""Messages of all imports together that may wait to be delivered: a twentieth of `delivery.window`."""
PORTION: Final = 250
"""Lines that go into the journal at once."""
_SOON: Final = 0.05
_LATER: Final = 1.0
"""Seconds to the next look where something moved a moment ago, and where nothing did for a while."""


def portion(waiting: int, imports: int) -> int:
    """Return how many lines of one of so many imports may go next, while so many of its messages wait to be delivered.

    Rather none than a few: each portion costs a look at all that wait.
    """
    share = max(1, IN_DELIVERY // imports)
    room = min(PORTION, share - waiting)
    return room if room >= min(PORTION, share) // 2 else 0


def pause(before: float, *, moved: int) -> float:
    """Return the seconds to wait after a round in which so many lines moved; `before` were waited before it."""
    return 0.0 if moved else min(_LATER, max(_SOON, 2 * before))


def talks(lines: Iterable[ReadyLine]) -> list[list[ReadyLine]]:
    """Return lines, which stand in the order of their conversations, as one list for each of these."""
    by_talk = groupby(lines, lambda line: (line.link_id, line.conversation_id))
    return [list(talk) for _, talk in by_talk]
