"""Endpoints of messages: a messenger sends one, and asks where one is."""

import msgspec
from msgspec.structs import replace

from chatbridge.bridge.tracking import TimelineStep, find_message, state_of, timeline_of
from chatbridge.model import (
    ContactCard,
    Content,
    Direction,
    Location,
    Message,
    Person,
    encode_message,
)
from chatbridge.web.answers import Answer
from chatbridge.web.endpoint import Call
from chatbridge.web.message_schemas import (
    ContentIn,
    MessageDraft,
    MessageOut,
    TimelineStepOut,
)
from chatbridge.web.parked import direction_name
from chatbridge.web.times import from_datetime, to_datetime


async def create_message(call: Call[MessageDraft]) -> Answer:
    """Take a client's message; the answer is a MessageTaken."""
    draft = call.body
    message = to_message(draft, now=call.services.clock.now())
    # What is meant is compared, not the bytes: other white space or member order is the same message, and so are members
    # left out and members at their default. A time that the server gave is no part of it.
    said = encode_message(message if draft.sent_at else replace(message, sent_at=0))
    said += (draft.scope_id or "").encode()
    await call.services.intake.client_message(
        call.messenger, message, scope_id=draft.scope_id, said=said
    )
    taken = {"id": draft.id, "conversation_id": draft.conversation_id, "state": "queued"}
    return Answer(status=202, body=msgspec.json.encode(taken), content_type="application/json")


async def get_message(call: Call[None]) -> MessageOut:
    """Show where a message stands."""
    passport = await find_message(call.services.store, call.messenger, call.path["message_id"])
    message = passport.message
    sent_to_amojo = passport.direction is Direction.TO_AMOJO
    far_ids = [attempt.far_id for attempt in passport.attempts if attempt.far_id]
    again = passport.due_at if passport.waiting and passport.attempts else None
    return MessageOut(
        id=message.id,
        conversation_id=message.conversation_id,
        direction=direction_name(passport.direction),
        type=message.content.type,
        state=state_of(passport).value,
        amojo_id=(far_ids[-1] if far_ids else None) if sent_to_amojo else message.id,
        next_attempt_at=None if again is None else to_datetime(again),
        timeline=[_step(step) for step in timeline_of(passport)],
    )


def to_message(draft: MessageDraft, *, now: int) -> Message:
    """Return the neutral form of what a messenger sent."""
    sender = draft.sender
    return Message(
        id=draft.id,
        conversation_id=draft.conversation_id,
        sent_at=now if draft.sent_at is None else from_datetime(draft.sent_at),
        sender=Person(
            id=sender.id,
            name=sender.name,
            avatar_url=sender.avatar_url,
            phone=sender.phone,
            email=sender.email,
            profile_url=sender.profile_url,
        ),
        content=_content(draft.message),
        reply_to=draft.reply_to,
        silent=draft.silent,
    )


def _content(said: ContentIn) -> Content:
    return Content(
        type=said.kind,
        text=said.text,
        media_url=said.media_url,
        file_name=said.file_name,
        file_size=said.file_size,
        duration=said.duration,
        sticker_id=said.sticker_id,
        location=None
        if said.location is None
        else Location(lat=said.location.lat, lon=said.location.lon),
        contact=None
        if said.contact is None
        else ContactCard(name=said.contact.name, phone=said.contact.phone),
    )


def _step(step: TimelineStep) -> TimelineStepOut:
    return TimelineStepOut(
        step=step.step.value,
        at=to_datetime(step.at),
        attempt=step.attempt,
        code=step.code,
        detail=step.detail,
    )
