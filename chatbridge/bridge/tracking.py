"""Tells where a message is: its state and its timeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chatbridge.bridge.accepting import entry_key
from chatbridge.errors import NotFound
from chatbridge.model import Direction, Kind, Messenger
from chatbridge.store.engine import Store
from chatbridge.store.far_ids import FarName
from chatbridge.store.media import MediaRow, MediaState
from chatbridge.store.passport import Attempt, Passport, Receipt, find_passport


class MessageState(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class Step(StrEnum):
    """What happened to a message, in the order it can happen."""

    RECEIVED = "received"
    RECOVERED = "recovered"
    STORED = "stored"
    COPIED = "copied"
    NOT_COPIED = "not_copied"
    SIGNED = "signed"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    RETRY = "retry"
    PARKED = "parked"
    RELEASED = "released"
    MARKED_DELIVERED = "marked_delivered"
    MARKED_READ = "marked_read"
    MARKED_FAILED = "marked_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineStep:
    """One line of a timeline."""

    step: Step
    at: int
    attempt: int | None = None
    code: str | None = None
    detail: str | None = None


_RECOVERED: Final = "found in amoCRM's history; its callback had not come"


async def find_message(store: Store, messenger: Messenger, message_id: str) -> Passport:
    """Return the passport of a client's or an operator's message of this messenger.

    Raises:
        NotFound: this messenger has no such message.

    """
    keys = tuple(
        entry_key(messenger, direction, Kind.MESSAGE, message_id) for direction in Direction
    )
    passport = await store.read(find_passport, keys, FarName(messenger.id, message_id))
    if passport is None:
        raise NotFound(f"This messenger has no message {message_id!r}.")
    return passport


def state_of(passport: Passport) -> MessageState:
    """Return where a message stands."""
    if passport.waiting:
        return MessageState.QUEUED
    if passport.receipt is not None:
        return MessageState(passport.receipt.mark)
    return MessageState.FAILED if passport.parked else MessageState.DELIVERED


def timeline_of(passport: Passport) -> list[TimelineStep]:
    """Return everything that happened to a message, oldest first."""
    steps = [
        TimelineStep(step=Step.RECEIVED, at=passport.received_at),
        TimelineStep(step=Step.STORED, at=passport.stored_at),
    ]
    if passport.file is not None and passport.file.ended_at is not None:
        steps.append(_copied(passport.file, passport.file.ended_at))
    if passport.recovered:
        steps.insert(
            1, TimelineStep(step=Step.RECOVERED, at=passport.received_at, detail=_RECOVERED)
        )
    for attempt in passport.attempts:
        steps += _steps_of(attempt)
    if passport.receipt is not None:
        steps += _marks_of(passport.receipt)
    return sorted(steps, key=lambda step: step.at)


def _copied(file: MediaRow, at: int) -> TimelineStep:
    if file.state is MediaState.KEPT:
        detail = f"{file.content_type}, {file.size} bytes"
        return TimelineStep(step=Step.COPIED, at=at, detail=detail)
    return TimelineStep(step=Step.NOT_COPIED, at=at, code=file.code, detail=file.detail)


def _marks_of(receipt: Receipt) -> Iterator[TimelineStep]:
    said = ": ".join(filter(None, (receipt.reason, receipt.text))) or None
    marks = (
        (Step.MARKED_FAILED, receipt.failed_at, said),
        (Step.MARKED_DELIVERED, receipt.delivered_at, None),
        (Step.MARKED_READ, receipt.read_at, None),
    )
    for step, at, detail in marks:
        if at is not None:
            yield TimelineStep(step=step, at=at, detail=detail)


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
