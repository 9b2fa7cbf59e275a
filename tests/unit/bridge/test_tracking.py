"""Timelines, as a messenger sees them."""

from typing import Any

import pytest

from chatbridge.bridge.tracking import MessageState, Step, TimelineStep, state_of, timeline_of
from chatbridge.model import Direction
from chatbridge.store.passport import Attempt, Passport
from tests.unit.factories import make_message


def attempt(number: int, outcome: str, **members: Any) -> Attempt:
    values: dict[str, Any] = {
        "number": number,
        "outcome": outcome,
        "signed_at": number * 10,
        "answered_at": number * 10 + 1,
        "recorded_at": number * 10 + 2,
        "code": None,
        "detail": None,
        "far_id": None,
    }
    return Attempt(**values | members)


def passport(*attempts: Attempt, waiting: bool = False, parked: bool = False) -> Passport:
    return Passport(
        entry_id=1,
        key=b"key",
        direction=Direction.TO_AMOJO,
        message=make_message(),
        received_at=1,
        stored_at=2,
        waiting=waiting,
        due_at=50 if waiting else None,
        parked=parked,
        attempts=attempts,
    )


def step(kind: Step, at: int, number: int | None = None, **members: str) -> TimelineStep:
    return TimelineStep(step=kind, at=at, attempt=number, **members)


TAKEN = [step(Step.RECEIVED, 1), step(Step.STORED, 2)]
DOWN = {"code": "far_side_down", "detail": "HTTP 500"}
REFUSED = {"code": "rejected", "detail": "type: required"}
STORIES: dict[str, tuple[Passport, MessageState, list[TimelineStep]]] = {
    "just taken": (passport(waiting=True), MessageState.QUEUED, []),
    "delivered at once": (
        passport(attempt(1, "delivered")),
        MessageState.DELIVERED,
        [step(Step.SIGNED, 10, 1), step(Step.ACCEPTED, 11, 1), step(Step.DELIVERED, 12, 1)],
    ),
    "delivered, the far side's id is told": (
        passport(attempt(1, "delivered", far_id="amo-1")),
        MessageState.DELIVERED,
        [
            step(Step.SIGNED, 10, 1),
            step(Step.ACCEPTED, 11, 1, detail="far side's id amo-1"),
            step(Step.DELIVERED, 12, 1),
        ],
    ),
    "delivered by an earlier attempt": (
        passport(attempt(1, "delivered", detail="it has it")),
        MessageState.DELIVERED,
        [
            step(Step.SIGNED, 10, 1),
            step(Step.ACCEPTED, 11, 1, detail="it has it"),
            step(Step.DELIVERED, 12, 1),
        ],
    ),
    "waiting for a retry": (
        passport(attempt(1, "retry", **DOWN), waiting=True),
        MessageState.QUEUED,
        [step(Step.SIGNED, 10, 1), step(Step.RETRY, 11, 1, **DOWN)],
    ),
    "given up": (
        passport(attempt(1, "parked", **REFUSED), parked=True),
        MessageState.FAILED,
        [step(Step.SIGNED, 10, 1), step(Step.PARKED, 11, 1, **REFUSED)],
    ),
    "given up, released and delivered": (
        passport(attempt(1, "parked", **REFUSED), attempt(2, "released"), attempt(3, "delivered")),
        MessageState.DELIVERED,
        [
            step(Step.SIGNED, 10, 1),
            step(Step.PARKED, 11, 1, **REFUSED),
            step(Step.RELEASED, 22),
            step(Step.SIGNED, 30, 3),
            step(Step.ACCEPTED, 31, 3),
            step(Step.DELIVERED, 32, 3),
        ],
    ),
}


@pytest.mark.parametrize(("told", "state", "steps"), STORIES.values(), ids=STORIES)
def test_stories(told: Passport, state: MessageState, steps: list[TimelineStep]) -> None:
    assert state_of(told) is state
    assert timeline_of(told) == TAKEN + steps
