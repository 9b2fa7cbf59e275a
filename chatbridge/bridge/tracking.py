"""Tells where a message is: its state and its timeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from chatbridge.bridge.intake import message_key
from chatbridge.errors import NotFound
from chatbridge.model import Direction, Messenger
from chatbridge.store.engine import Store
from chatbridge.store.passport import Attempt, Passport, find_passport


class MessageState(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


class Step(StrEnum):
    """What happened to a message, in the order it can happen."""

    RECEIVED = "received"
    STORED = "stored"
    SIGNED = "signed"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    RETRY = "retry"
    PARKED = "parked"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineStep:
    """One line of a timeline."""

    step: Step
    at: int
    attempt: int | None = None
    code: str | None = None
    detail: str | None = None


async def find_message(store: Store, messenger: Messenger, message_id: str) -> Passport:
    """Return the passport of a client's or an operator's message of this messenger.

    Raises:
        NotFound: this messenger has no such message.

    """
    keys = tuple(message_key(messenger, direction, message_id) for direction in Direction)
    passport = await store.read(find_passport, keys)
    if passport is None:
        raise NotFound(f"This messenger has no message {message_id!r}.")
    return passport


def state_of(passport: Passport) -> MessageState:
    """Return where a message stands."""
    if passport.parked:
        return MessageState.FAILED
    return MessageState.QUEUED if passport.waiting else MessageState.DELIVERED


def timeline_of(passport: Passport) -> list[TimelineStep]:
    """Return everything that happened to a message, oldest first."""
    steps = [
        TimelineStep(step=Step.RECEIVED, at=passport.received_at),
        TimelineStep(step=Step.STORED, at=passport.stored_at),
    ]
    for attempt in passport.attempts:
        steps += _steps_of(attempt)
    return steps


def _steps_of(attempt: Attempt) -> Iterator[TimelineStep]:
    number = attempt.number
    if attempt.outcome == Step.RELEASED:
        yield TimelineStep(step=Step.RELEASED, at=attempt.recorded_at)
        return
    yield TimelineStep(step=Step.SIGNED, at=attempt.signed_at, attempt=number)
    if attempt.outcome == Step.DELIVERED:
        detail = attempt.detail or (f"far side's id {attempt.far_id}" if attempt.far_id else None)
        yield TimelineStep(
            step=Step.ACCEPTED, at=attempt.answered_at, attempt=number, detail=detail
        )
        yield TimelineStep(step=Step.DELIVERED, at=attempt.recorded_at, attempt=number)
        return
    yield TimelineStep(
        step=Step(attempt.outcome),
        at=attempt.answered_at,
        attempt=number,
        code=attempt.code,
        detail=attempt.detail,
    )
