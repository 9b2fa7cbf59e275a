"""What an integration says to this server in amojo's words, read into neutral values ("Chats API reference").

The bytes must have passed `signing.verify_request` before they come here.
"""

from typing import Final

import msgspec

from chatbridge.errors import UnreadablePayload
from chatbridge.ids import fingerprint
from chatbridge.model import (
    ContactCard,
    Content,
    FailureReason,
    Location,
    Mark,
    Message,
    MessageType,
    Person,
    Post,
    Quote,
    encode_content,
)
from chatbridge.protocol.amojo import ingress_messages as messages
from chatbridge.protocol.amojo import ingress_wire as wire
from chatbridge.protocol.amojo.notes import REASONS, STATUSES

_MARKS: Final = {number: mark for mark, number in STATUSES.items()}
_KINDS: Final = {number: reason for reason, number in REASONS.items()}


class New(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A new message. Its quote and forward hold the ids that were named, whoever's they are."""

    message: Message
    timed: bool
    """Whether the integration says when it was written; a time of this server is no part of the message."""


class Edited(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """New content of a message that is named by the integration's id, by the one answered to it, or by both."""

    message_id: str | None
    answered_id: str | None
    content: Content
    edited_at: int
    name: str | None
    """An id of this edit: the same edit of the same moment is a repeat. None without a time."""


class Reported(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far an operator's message has come. Without a mark it was merely sent, which amoCRM takes for granted."""

    mark: Mark | None
    reason: FailureReason | None = None
    text: str | None = None


def read_event(body: bytes, *, now: int) -> New | Edited:
    """Return what was sent to a scope: a message, or new content of one.

    Raises:
        UnreadablePayload: not JSON, an `event_type` that amojo does not have, or a member missing or wrong.

    """
    event = wire.decode(messages.Event, body)
    if event.event_type == "new_message":
        return _new(wire.decode(messages.NewMessage, event.payload, within="payload"), now)
    if event.event_type == "edit_message":
        return _edited(wire.decode(messages.EditMessage, event.payload, within="payload"), now)
    raise UnreadablePayload("event_type: must be new_message or edit_message")


def read_delivery(body: bytes, message_id: str) -> Reported:
    """Return a delivery status in either generation of its body; the older one names the message again.

    Raises:
        UnreadablePayload: not JSON, or a member missing or wrong.

    """
    given = wire.decode(wire.Delivery, body)
    code = given.delivery_status if given.status_code is None else given.status_code
    if code is None:
        raise UnreadablePayload("status_code: required")
    if given.msgid not in (None, message_id):
        raise UnreadablePayload("msgid: must be the id in the address")
    if code == 0:
        return Reported(mark=None)
    if code != STATUSES[Mark.FAILED]:
        # A published example sends an error code with "read": it means nothing there.
        return Reported(mark=_MARKS[code])
    if given.error_code is not None and given.error_code not in _KINDS:
        raise UnreadablePayload("error_code: must be 901, 902, 903, 904 or 905")
    words = "".join(mark if mark.isprintable() else " " for mark in given.error or "").strip()
    reason = FailureReason.OTHER if given.error_code is None else _KINDS[given.error_code]
    return Reported(mark=Mark.FAILED, reason=reason, text=words or None)


def _new(given: messages.NewMessage, now: int) -> New:
    sent_at = _moment(given)
    said, source = given.message, given.source
    return New(
        message=Message(
            id=given.msgid,
            conversation_id=given.conversation_id,
            amojo_conversation_id=given.conversation_ref_id,
            sent_at=now if sent_at is None else sent_at,
            sender=person(given.sender),
            receiver=None if given.receiver is None else person(given.receiver),
            content=_content(said),
            quote=None if given.reply_to is None else _quote(given.reply_to.message),
            forward=None if given.forwards is None else _quote(given.forwards.messages[0]),
            post=None if said.post is None else _post(said.post),
            silent=bool(given.silent),
            source=None if source is None else source.external_id,
        ),
        timed=sent_at is not None,
    )


def _edited(given: messages.EditMessage, now: int) -> Edited:
    at, content = _moment(given), _content(given.message)
    # Nobody else has such a name: it holds what was said, and when.
    named = f"{given.msgid} {given.id} {at}"
    return Edited(
        message_id=given.msgid,
        answered_id=given.id,
        content=content,
        edited_at=now if at is None else at,
        name=None if at is None else fingerprint(named, encode_content(content)).hex(),
    )


def _moment(given: messages.NewMessage | messages.EditMessage | messages.Embedded) -> int | None:
    if given.msec_timestamp is not None:
        return given.msec_timestamp * 1_000
    return None if given.timestamp is None else given.timestamp * 1_000_000


def person(given: wire.Participant) -> Person:
    """Return somebody. What is empty is not known."""
    profile = given.profile or wire.Profile()
    return Person(
        id=given.id,
        amojo_id=given.ref_id,
        name=given.name or None,
        avatar_url=given.avatar or None,
        phone=str(profile.phone or "") or None,
        email=profile.email or None,
        profile_url=given.profile_link or None,
    )


def _content(said: messages.Body) -> Content:
    shared = said.shared_post
    return Content(
        type=said.type,
        text=said.text or None,
        media_url=said.media or None,
        file_name=said.file_name or None,
        file_size=said.file_size,
        duration=said.media_duration,
        sticker_id=said.sticker_id or None,
        location=_location(said),
        contact=_contact(said),
        callback_data=said.callback_data or None,
        shared_post=None
        if shared is None
        else Post(
            url=shared.url,
            preview_url=shared.preview_link,
            preview_permalink=shared.preview_permalink,
            caption=shared.site_name,
        ),
    )


def _location(said: messages.Said) -> Location | None:
    given = said.location
    return None if given is None else Location(lat=given.lat, lon=given.lon)


def _contact(said: messages.Said) -> ContactCard | None:
    given = said.contact
    return None if given is None else ContactCard(name=given.name, phone=str(given.phone))


def _post(given: messages.Post) -> Post:
    return Post(**{name: getattr(given, name) for name in messages.Post.__struct_fields__})


def _quote(given: messages.Embedded) -> Quote:
    return Quote(
        id=given.msgid,
        amojo_id=given.id,
        content=None if given.type is None else _quoted(given, given.type),
        sent_at=_moment(given),
        sender=None if given.sender is None else person(given.sender),
    )


def _quoted(given: messages.Embedded, kind: MessageType) -> Content:
    return Content(
        type=kind,
        text=given.text or None,
        file_name=given.file_name or None,
        file_size=given.file_size,
        duration=given.media_duration,
        location=_location(given),
        contact=_contact(given),
    )
