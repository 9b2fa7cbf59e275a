"""Sending and editing messages: POST /v2/origin/custom/{scope_id}."""

from dataclasses import replace

from aiohttp import web

from chatbridge.sandbox import people
from chatbridge.sandbox.accepted import Accepted
from chatbridge.sandbox.hook_bodies import embedded
from chatbridge.sandbox.message_wire import (
    Body,
    EditMessage,
    Embedded,
    Event,
    Forwards,
    NewMessage,
    Quote,
    SendEdit,
    SendNew,
)
from chatbridge.sandbox.records import Author, Chat, Content, Json, Message, Person, Status
from chatbridge.sandbox.refusals import Refusal, bad_request, not_found
from chatbridge.sandbox.wire import Delivery

ANSWERS = {
    "full": ("conversation_id", "sender_id", "receiver_id", "msgid", "ref_id"),
    "no_receiver_id": ("conversation_id", "sender_id", "msgid", "ref_id"),
    "msgid": ("msgid",),
    "msgid_ref_id": ("msgid", "ref_id"),
}


def send(accepted: Accepted) -> web.Response:
    """Take a new message (page "chat-api-reference") or the edit of one."""
    if accepted.read(Event).event_type == "edit_message":
        return _edit(accepted, accepted.read(SendEdit).payload)
    return _add(accepted, accepted.read(SendNew).payload)


def status_of(given: Delivery) -> Status:
    """Read a delivery status in either generation."""
    code = given.status_code if given.status_code is not None else given.delivery_status
    return Status(code=code, error_code=given.error_code, error=given.error)


def _add(accepted: Accepted, payload: NewMessage) -> web.Response:
    state, scope_id = accepted.sandbox.state, accepted.connection.scope_id
    known = state.find_message(scope_id, payload.msgid)
    if known is not None and accepted.sandbox.switches.is_("duplicate_msgid", "200"):
        return _answer(accepted, known, None)
    if known is not None:
        raise _taken(payload.msgid)
    chat = _known_chat(accepted, payload)
    client, author = _participants(accepted, payload)
    chat = chat or _new_chat(accepted, payload, client)
    if chat.client_id is None:
        chat = state.bind_chat(chat, payload.conversation_id)
    message = Message(
        id=accepted.sandbox.new_id(),
        client_id=payload.msgid,
        chat_id=chat.id,
        scope_id=scope_id,
        direction="in" if payload.receiver is None else "out",
        author=author,
        content=_content(payload.message),
        at_ms=payload.msec_timestamp or payload.timestamp * 1000,
        reply_to=_quoted(accepted, payload.reply_to),
        forwards=_forwarded(accepted, payload.forwards),
        silent=payload.silent,
    )
    state.add_message(message)
    accepted.sandbox.media.fetch(message.content.media, scope_id)
    if payload.message.delivery_status is not None:
        state.set_status(message, status_of(payload.message.delivery_status))
    return _answer(accepted, message, None if payload.receiver is None else client)


def _participants(accepted: Accepted, payload: NewMessage) -> tuple[Person, Author]:
    """Without a receiver the client speaks; with one, a user or the bot does (needs `ref_id`)."""
    if payload.receiver is not None:
        author = people.colleague(accepted, payload.sender)
        return people.client(accepted, payload.receiver, "receiver"), author
    person = people.client(accepted, payload.sender, "sender")
    author = Author(id=person.id, name=person.name, kind="client", client_id=person.client_id)
    return person, author


def _known_chat(accepted: Accepted, payload: NewMessage) -> Chat | None:
    """`conversation_ref_id` wins; it is how a chat begun by an operator gets the other side's id."""
    state, scope_id = accepted.sandbox.state, accepted.connection.scope_id
    if payload.conversation_ref_id is None:
        return state.find_chat(scope_id, payload.conversation_id)
    chat = state.chats.get(payload.conversation_ref_id)
    if chat is None or chat.scope_id != scope_id:
        raise bad_request("payload.conversation_ref_id: no such chat")
    return chat


def _new_chat(accepted: Accepted, payload: NewMessage, client: Person) -> Chat:
    chat = Chat(
        id=accepted.sandbox.new_id(),
        scope_id=client.scope_id,
        client_id=payload.conversation_id,
        person_id=client.id,
        source=payload.source.external_id if payload.source is not None else None,
    )
    return accepted.sandbox.state.save_chat(chat)


def _edit(accepted: Accepted, payload: EditMessage) -> web.Response:
    state, scope_id = accepted.sandbox.state, accepted.connection.scope_id
    if payload.id is not None:
        message = state.messages.get(payload.id)
    else:
        message = state.find_message(scope_id, payload.msgid or "")
    if message is None or message.scope_id != scope_id:
        raise not_found("no such message to edit; amoCRM's own answer is not published")
    namesake = state.find_message(scope_id, payload.msgid or "")
    if namesake is not None and namesake.id != message.id:
        raise _taken(namesake.client_id)
    message = state.change_message(
        replace(
            message,
            client_id=payload.msgid or message.client_id,
            content=_edited(message.content, payload.message),
            edited=True,
        )
    )
    accepted.sandbox.media.fetch(payload.message.media or "", scope_id)
    if payload.message.delivery_status is not None:
        state.set_status(message, status_of(payload.message.delivery_status))
    return _answer(accepted, message, None)


def _taken(msgid: str | None) -> Refusal:
    """All that is known: a repeated msgid is not accepted (page "chat-step-by-step")."""
    return bad_request(f"payload.msgid: a message with msgid {msgid} already exists")


def _content(body: Body) -> Content:
    return Content(
        type=body.type,
        text=body.text or "",
        media=body.media or "",
        file_name=body.file_name or "",
        file_size=body.file_size or 0,
        media_duration=body.media_duration,
        sticker_id=body.sticker_id,
        location=_members(body.location),
        contact=_members(body.contact),
    )


def _edited(before: Content, body: Body) -> Content:
    """Members left out of an edit stay as they were."""
    after = _content(body)
    names = ("text", "media", "file_name", "file_size", "media_duration", "sticker_id")
    kept = {name: getattr(before, name) for name in names if getattr(body, name) is None}
    return replace(after, thumbnail=before.thumbnail, **kept)


def _quoted(accepted: Accepted, quote: Quote | None) -> Json | None:
    """Return a quote whose message is as it is known here, or else as it was sent."""
    return None if quote is None else {"message": _known(accepted, quote.message)}


def _forwarded(accepted: Accepted, forwards: Forwards | None) -> Json | None:
    """Return forwards whose messages are as they are known here, or else as they were sent."""
    if forwards is None:
        return None
    messages = [_known(accepted, message) for message in forwards.messages]
    return {**forwards.model_dump(exclude_none=True), "messages": messages}


def _known(accepted: Accepted, given: Embedded) -> Json:
    state, scope_id = accepted.sandbox.state, accepted.connection.scope_id
    known = state.messages.get(given.id or "") or state.find_message(scope_id, given.msgid or "")
    if known is None or known.scope_id != scope_id:
        return given.model_dump(exclude_none=True)
    return embedded(known)


def _members(value: object) -> Json | None:
    dump = getattr(value, "model_dump", None)
    return None if dump is None else dump(exclude_none=True)


def _answer(accepted: Accepted, message: Message, receiver: Person | None) -> web.Response:
    members = {
        "conversation_id": message.chat_id,
        "sender_id": message.author.id,
        "receiver_id": None if receiver is None else receiver.id,
        "msgid": message.id,
        "ref_id": message.client_id,
    }
    shape = ANSWERS[accepted.sandbox.switches.text("new_message_answer")]
    return web.json_response({"new_message": {name: members[name] for name in shape}})
