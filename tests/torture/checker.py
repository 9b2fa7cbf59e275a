"""Judges a history. Pure: it knows nothing of servers, only what was promised.

- A message that was answered 2xx arrives.
- It arrives once. A fault may make as many repeats as deliveries were under way, each under the id it had before.
- What was sent after another message of its conversation and direction was answered 2xx does not arrive before it.
- What arrives was sent, word for word. What was refused, or not answered, may arrive all the same.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.torture.history import Arrived, Broken, Disturbed, Event, GivenUp, Sent, TurnedAway

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
_STORE = ("slow_disk", "full_disk", "database_")
"""Faults that keep a server from recording."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A promise that was broken."""

    kind: str
    id: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a history shows."""

    sent: int
    accepted: int
    arrived: int
    repeats: int
    repeats_by_fault: tuple[tuple[Disturbed, int], ...]
    slowest_recovery: float
    """Seconds from the end of a fault until everything that was accepted before it had arrived."""
    faults: dict[str, int]
    statuses: dict[str, int]
    """How attempts to hand a message to a server were answered."""
    turned_away: dict[str, int]
    """How far sides refused."""
    violations: tuple[Violation, ...] = field(default=())

    def count(self, kind: str) -> int:
        """How many violations of a kind there are."""
        return sum(violation.kind == kind for violation in self.violations)

    def most_repeats_per(self, kind: str) -> int:
        """The most repeats that one fault of a kind explains."""
        return max((n for fault, n in self.repeats_by_fault if fault.kind == kind), default=0)


@dataclass
class _Story:
    """All that a history says of one message."""

    direction: str
    conversation: str
    id: str
    texts: set[str] = field(default_factory=set)
    begun: float = math.inf
    accepted: float = math.inf
    arrivals: list[Arrived] = field(default_factory=list)

    @property
    def first(self) -> float:
        return self.arrivals[0].at if self.arrivals else math.inf


def check(events: Iterable[Event], limits: Limits) -> Verdict:
    """Return what the events show."""
    events = list(events)
    stories = _stories(events)
    faults = [event for event in events if isinstance(event, Disturbed)]
    explained, unexplained = _repeats(stories.values(), faults, limits)
    violations = [
        *_lost(stories.values(), events),
        *unexplained,
        *_renamed(stories.values()),
        *_inversions(stories.values()),
        *_phantoms(stories, events),
        *_broken(events),
    ]
    return Verdict(
        sent=len(stories),
        accepted=sum(story.accepted < math.inf for story in stories.values()),
        arrived=sum(bool(story.arrivals) for story in stories.values()),
        repeats=sum(max(0, len(story.arrivals) - 1) for story in stories.values()),
        repeats_by_fault=tuple(zip(faults, explained, strict=True)),
        slowest_recovery=_slowest_recovery(stories.values(), faults),
        faults=dict(Counter(fault.kind for fault in faults)),
        statuses=_statuses(events, Sent),
        turned_away=_statuses(events, TurnedAway),
        violations=tuple(violations),
    )


def _statuses(events: Iterable[Event], kind: type[Sent | TurnedAway]) -> dict[str, int]:
    return dict(Counter(str(event.status) for event in events if isinstance(event, kind)))


def _stories(events: Sequence[Event]) -> dict[str, _Story]:
    stories: dict[str, _Story] = {}
    for event in events:
        if isinstance(event, Sent):
            fresh = _Story(direction=event.direction, conversation=event.conversation, id=event.id)
            story = stories.setdefault(event.id, fresh)
            story.texts.add(event.text)
            story.begun = min(story.begun, event.begun)
            if event.accepted:
                story.accepted = min(story.accepted, event.ended)
    # A message may arrive before its sender's attempt ended, which is when the attempt is written down.
    for event in events:
        if isinstance(event, Arrived) and event.id in stories:
            stories[event.id].arrivals.append(event)
    for story in stories.values():
        story.arrivals.sort(key=lambda arrival: arrival.at)
    return stories


def _lost(stories: Iterable[_Story], events: Sequence[Event]) -> Iterable[Violation]:
    reasons = {
        event.id: f"given up, {event.code}: {event.detail}"
        for event in events
        if isinstance(event, GivenUp)
    }
    for story in stories:
        if story.accepted < math.inf and not story.arrivals:
            reason = reasons.get(story.id, "and nothing says why")
            words = f"{story.direction} {story.conversation}, accepted at {story.accepted}, never arrived: {reason}"
            yield Violation(kind="lost", id=story.id, words=words)


def _repeats(
    stories: Iterable[_Story], faults: Sequence[Disturbed], limits: Limits
) -> tuple[list[int], list[Violation]]:
    """Charge each repeat to a fault between two arrivals; return what each fault explains, and the rest."""
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
    if fault.kind == "long_pause" and again > fault.ended:
        # Whoever sleeps longer than its lease must not send, once awake, what another has taken over.
        return False
    if fault.kind not in {"kill", "long_pause"} or fault.begun - before <= _RECORDED:
        return True
    return any(
        other.kind.startswith(_STORE) and other.begun <= fault.begun and other.ended >= before
        for other in faults
    )


def _renamed(stories: Iterable[_Story]) -> Iterable[Violation]:
    for story in stories:
        names = {arrival.delivery_id for arrival in story.arrivals}
        if len(names) > 1:
            words = f"{story.direction} {story.conversation}: arrived under {sorted(names)}"
            yield Violation(kind="renamed", id=story.id, words=words)


def _inversions(stories: Iterable[_Story]) -> Iterable[Violation]:
    lanes: dict[tuple[str, str], list[_Story]] = {}
    for story in stories:
        lanes.setdefault((story.direction, story.conversation), []).append(story)
    for lane in lanes.values():
        yield from _inversions_of(lane)


def _inversions_of(lane: Sequence[_Story]) -> Iterable[Violation]:
    """Sweep the lane in the order of sending; the latest arrival of what was accepted by then is the bar."""
    accepted = sorted(
        (story for story in lane if story.accepted < math.inf and story.arrivals),
        key=lambda story: story.accepted,
    )
    place, latest = 0, None
    for story in sorted((one for one in lane if one.arrivals), key=lambda one: one.begun):
        while place < len(accepted) and accepted[place].accepted <= story.begun:
            if latest is None or accepted[place].first > latest.first:
                latest = accepted[place]
            place += 1
        if latest is not None and story.first < latest.first:
            words = (
                f"{story.direction} {story.conversation}: sent at {story.begun} after {latest.id} was accepted at"
                f" {latest.accepted}, but arrived at {story.first}, before it at {latest.first}"
            )
            yield Violation(kind="inversion", id=story.id, words=words)


def _phantoms(stories: dict[str, _Story], events: Sequence[Event]) -> Iterable[Violation]:
    for event in events:
        if not isinstance(event, Arrived):
            continue
        story = stories.get(event.id)
        if story is None:
            words = f"{event.direction} {event.conversation} arrived at {event.at}, nobody sent it"
        elif (event.direction, event.conversation) != (story.direction, story.conversation):
            words = f"{event.direction} {event.conversation}, but sent {story.direction} {story.conversation}"
        elif event.text not in story.texts:
            words = f"{event.direction} {event.conversation} arrived as {event.text!r}, sent as {sorted(story.texts)}"
        else:
            continue
        yield Violation(kind="phantom", id=event.id, words=words)


def _broken(events: Sequence[Event]) -> Iterable[Violation]:
    for event in events:
        if isinstance(event, Broken):
            yield Violation(kind="broken", id=f"node {event.node}", words=event.words)
        if isinstance(event, Sent) and event.status == 500:
            words = f"{event.direction} at {event.begun}: answered 500"
            yield Violation(kind="broken", id=event.id, words=words)


def _slowest_recovery(stories: Iterable[_Story], faults: Sequence[Disturbed]) -> float:
    """A sweep: what was accepted before a fault's end, and of that the latest first arrival."""
    accepted = sorted(
        (story for story in stories if story.accepted < math.inf and story.arrivals),
        key=lambda story: story.accepted,
    )
    place, latest, slowest = 0, 0.0, 0.0
    for fault in sorted(faults, key=lambda fault: fault.ended):
        while place < len(accepted) and accepted[place].accepted <= fault.ended:
            latest = max(latest, accepted[place].first)
            place += 1
        slowest = max(slowest, latest - fault.ended)
    return slowest
