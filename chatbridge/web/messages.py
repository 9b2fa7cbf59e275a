"""Endpoints of messages: a messenger sends one, and asks where one is."""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from chatbridge.bridge.marks import Marking
from chatbridge.bridge.tracking import TimelineStep, find_message, state_of, timeline_of
from chatbridge.model import (
    ContactCard,
    Content,
    Location,
    Message,
    Person,
    Post,
    Quote,
    encode_event,
)
from chatbridge.web.answers import Answer
from chatbridge.web.endpoint import Call
from chatbridge.web.message_schemas import (
    ContentIn,
    EditDraft,
    ForwardIn,
    MessageDraft,
    MessageOut,
    PostIn,
    ReactionDraft,
    ReceiverIn,
    SenderIn,
    StatusDraft,
    StatusTaken,
    TimelineStepOut,
    TypingDraft,
)
from chatbridge.web.parked import direction_name
from chatbridge.web.services import Services
from chatbridge.web.times import from_datetime, to_datetime


async def create_message(call: Call[MessageDraft]) -> Answer:
    """Take a client's message; the answer is a MessageTaken."""
    draft = call.body
    message = to_message(draft, now=call.services.clock.now())
    # What is meant is compared, not the bytes: other white space or member order is the same message, and so are members
    # left out and members at their default. A time that the server gave is no part of it.
    said = encode_event(message if draft.sent_at else replace(message, sent_at=0))
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
    again = passport.due_at if passport.waiting and passport.attempts else None
    return MessageOut(
        id=message.id,
        conversation_id=message.conversation_id,
        direction=direction_name(passport.direction),
        type=message.content.type,
        state=state_of(passport).value,
        amojo_id=passport.amojo_id,
        next_attempt_at=None if again is None else to_datetime(again),
        timeline=[_step(step) for step in timeline_of(passport)],
    )


async def edit_message(call: Call[EditDraft]) -> Answer:
    """Take new content of a client's message."""
    draft, services = call.body, call.services
    message_id = call.path["message_id"]
    await services.afterthoughts.edit(
        call.messenger,
        message_id,
        to_content(draft.message),
        name=draft.id,
        at=_moment(draft.edited_at, services),
    )
    return _queued(id=message_id)


async def add_reaction(call: Call[ReactionDraft]) -> Answer:
    """Take a client's reaction."""
    draft, services = call.body, call.services
    message_id = call.path["message_id"]
    await services.afterthoughts.react(
        call.messenger,
        message_id,
        to_person(draft.user),
        emoji=draft.emoji,
        removed=draft.removed,
        name=draft.id,
        at=_moment(draft.reacted_at, services),
    )
    return _queued(id=message_id)


async def set_status(call: Call[StatusDraft]) -> StatusTaken:
    """Take what became of an operator's message."""
    draft, services = call.body, call.services
    message_id = call.path["message_id"]
    marking = Marking(draft.status, _moment(draft.at, services), draft.reason, draft.text)
    news = await services.marks.report(call.messenger, message_id, marking)
    return StatusTaken(id=message_id, status=draft.status, news=news)


async def note_typing(call: Call[TypingDraft]) -> Answer:
    """Tell amoCRM that a client types."""
    draft, services = call.body, call.services
    link = services.intake.link_for(call.messenger, draft.scope_id)
    services.typing.client_types(
        link, call.path["conversation_id"], draft.sender.id, duration=draft.duration_ms
    )
    return Answer(status=202)


def _queued(**members: str) -> Answer:
    body = msgspec.json.encode(members | {"state": "queued"})
    return Answer(status=202, body=body, content_type="application/json")


def _moment(given: datetime | None, services: Services) -> int:
    return services.clock.now() if given is None else from_datetime(given)


def to_message(draft: MessageDraft, *, now: int) -> Message:
    """Return the neutral form of what a messenger sent."""
    return Message(
        id=draft.id,
        conversation_id=draft.conversation_id,
        amojo_conversation_id=draft.amojo_conversation_id,
        sent_at=now if draft.sent_at is None else from_datetime(draft.sent_at),
        sender=to_person(draft.sender),
        receiver=None if draft.receiver is None else _receiver(draft.receiver),
        content=to_content(draft.message),
        reply_to=draft.reply_to,
        forward=None if draft.forward is None else _forward(draft.forward),
        post=None if draft.post is None else _post(draft.post),
        silent=draft.silent,
        source=draft.source,
    )


def to_person(given: SenderIn) -> Person:
    """Return the neutral form of somebody."""
    return Person(
        id=given.id,
        amojo_id=given.amojo_id,
        name=given.name,
        avatar_url=given.avatar_url,
        phone=given.phone,
        email=given.email,
        profile_url=given.profile_url,
    )


def _receiver(given: ReceiverIn) -> Person:
    return Person(id=given.id, name=given.name, phone=given.phone, email=given.email)


def to_content(said: ContentIn) -> Content:
    """Return the neutral form of what is said."""
    return Content(
        type=said.kind,
        text=said.text,
        media_url=said.media_url,
        media_id=said.media_id,
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
        callback_data=said.callback_data,
        shared_post=None if said.shared_post is None else _post(said.shared_post),
    )


def _post(given: PostIn) -> Post:
    return Post(
        id=given.id,
        url=given.url,
        preview_url=given.preview_url,
        preview_permalink=given.preview_permalink,
        username=given.username,
        caption=given.caption,
    )


def _forward(given: ForwardIn) -> Quote:
    return Quote(
        id=given.id,
        content=None if given.message is None else to_content(given.message),
        sent_at=None if given.sent_at is None else from_datetime(given.sent_at),
        sender=None if given.sender_name is None else Person(name=given.sender_name),
    )


def _step(step: TimelineStep) -> TimelineStepOut:
    return TimelineStepOut(
        step=step.step.value,
        at=to_datetime(step.at),
        attempt=step.attempt,
        code=step.code,
        detail=step.detail,
    )
