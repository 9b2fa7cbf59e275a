"""Judges a history. Pure: it knows nothing of servers, only what was promised.

- A message that was answered 2xx arrives.
- It arrives once. `repeats` says how many repeats which fault may cause, each under the id it had before.
- What was sent after another message of its conversation and direction was answered 2xx does not arrive before it.
- What arrives was sent, word for word. What was refused, or not answered, may arrive all the same.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.torture.history import Arrived, Broken, Disturbed, Event, GivenUp, Sent, TurnedAway
from tests.torture.repeats import Limits, charge
from tests.torture.stories import Story, Violation, collect


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


def check(events: Iterable[Event], limits: Limits) -> Verdict:
    """Return what the events show."""
    events = list(events)
    stories = collect(events)
    faults = [event for event in events if isinstance(event, Disturbed)]
    explained, unexplained = charge(stories.values(), faults, limits)
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


def _lost(stories: Iterable[Story], events: Sequence[Event]) -> Iterable[Violation]:
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


def _renamed(stories: Iterable[Story]) -> Iterable[Violation]:
    for story in stories:
        names = {arrival.delivery_id for arrival in story.arrivals}
        if len(names) > 1:
            words = f"{story.direction} {story.conversation}: arrived under {sorted(names)}"
            yield Violation(kind="renamed", id=story.id, words=words)


def _inversions(stories: Iterable[Story]) -> Iterable[Violation]:
    lanes: dict[tuple[str, str], list[Story]] = {}
    for story in stories:
        lanes.setdefault((story.direction, story.conversation), []).append(story)
    for lane in lanes.values():
        yield from _inversions_of(lane)


def _inversions_of(lane: Sequence[Story]) -> Iterable[Violation]:
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


def _phantoms(stories: dict[str, Story], events: Sequence[Event]) -> Iterable[Violation]:
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


def _slowest_recovery(stories: Iterable[Story], faults: Sequence[Disturbed]) -> float:
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
