"""Which repeats a fault may cause, and which nothing explains. Pure."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.torture.history import Disturbed
from tests.torture.stories import Story, Violation

_FASTEST_RETRY = 0.8
"""Seconds between two attempts of one conversation at least: the first step of the quicker schedule, less its jitter."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the servers of a run may have under way."""

    at_once: int
    """Deliveries of one server at the same time."""
    batch: int = 512
    """Deliveries that it records at once: they are over and may not be recorded yet."""
    nodes: int = 1


def _none(_fault: Disturbed, _limits: Limits) -> int:
    return 0


def _under_way(_fault: Disturbed, limits: Limits) -> int:
    return limits.at_once


def _unrecorded(_fault: Disturbed, limits: Limits) -> int:
    return limits.at_once + limits.batch


def _each_attempt(fault: Disturbed, limits: Limits) -> int:
    """The answers of attempts are lost for as long as it lasts, each lane tries again and again."""
    rounds = 2 + math.floor((fault.ended - fault.begun) / _FASTEST_RETRY)
    return limits.at_once * limits.nodes * rounds


def _taken_over(fault: Disturbed, limits: Limits) -> int:
    """With several nodes, one that cannot reach the database loses what it has not recorded to another."""
    return _unrecorded(fault, limits) * limits.nodes if limits.nodes > 1 else 0


ALLOWANCES: dict[str, Callable[[Disturbed, Limits], int]] = {
    "kill": _unrecorded,
    "terminate": _none,
    "pause": _under_way,
    "long_pause": _unrecorded,
    "long_silence": _unrecorded,
    "refuse": _each_attempt,
    "hang": _each_attempt,
    "cut_answer": _each_attempt,
    "cut_request": _each_attempt,
    "delay": _each_attempt,
    "answer_500": _none,
    "answer_429": _none,
    "slow_disk": _none,
    "full_disk": _none,
    "database_crash": _taken_over,
    "database_cut": _taken_over,
    "database_lost_commit": _taken_over,
    "database_hang": _taken_over,
    "clock_step": _none,
}
"""Repeats that one fault explains, by its kind."""

_RECORDED = 5.0
"""Seconds after an arrival in which its server has recorded it, if it can record anything."""
_LONGER_THAN_A_LEASE = {"long_pause", "long_silence"}
"""Faults that outlive the lease of a node."""
_STORE = ("slow_disk", "full_disk", "database_")
"""Faults that keep a server from recording."""


def charge(
    stories: Iterable[Story], faults: Sequence[Disturbed], limits: Limits
) -> tuple[list[int], list[Violation]]:
    """Charge each repeat to a fault between its two arrivals; return what each fault explains, and the rest."""
    left = [ALLOWANCES[fault.kind](fault, limits) for fault in faults]
    explained = [0] * len(faults)
    unexplained = []
    pairs = [
        (before, again, story)
        for story in stories
        for before, again in zip(story.arrivals, story.arrivals[1:], strict=False)
    ]
    for before, again, story in sorted(pairs, key=lambda pair: pair[1].at):
        candidates = [
            number
            for number, fault in enumerate(faults)
            if left[number] and _may_explain(fault, before.at, again.at, faults)
        ]
        if candidates:
            chosen = min(candidates, key=lambda number: faults[number].ended)
            left[chosen] -= 1
            explained[chosen] += 1
            continue
        words = f"{story.direction} {story.conversation}: arrived at {before.at} and again at {again.at}"
        unexplained.append(Violation(kind="repeat", id=story.id, words=words))
    return explained, unexplained


def _may_explain(
    fault: Disturbed, before: float, again: float, faults: Sequence[Disturbed]
) -> bool:
    if fault.begun > again or fault.ended < before:
        return False
    if fault.kind in _LONGER_THAN_A_LEASE and again > fault.ended:
        # Whoever was away for longer than its lease must not send, once back, what another has taken over.
        return False
    if fault.kind not in {"kill", *_LONGER_THAN_A_LEASE} or fault.begun - before <= _RECORDED:
        return True
    return any(
        other.kind.startswith(_STORE) and other.begun <= fault.begun and other.ended >= before
        for other in faults
    )
