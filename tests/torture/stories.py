"""What a history says of each message. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.torture.history import Arrived, Event, Sent


@dataclass
class Story:
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


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A promise that was broken."""

    kind: str
    id: str
    words: str


def collect(events: Sequence[Event]) -> dict[str, Story]:
    """Return the story of each message that was sent, by its id."""
    stories: dict[str, Story] = {}
    for event in events:
        if isinstance(event, Sent):
            fresh = Story(direction=event.direction, conversation=event.conversation, id=event.id)
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
