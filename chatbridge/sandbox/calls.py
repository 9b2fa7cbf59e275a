"""The calls of amojo besides messages (page "chat-api-reference")."""

from dataclasses import replace

from aiohttp import web

from chatbridge.sandbox import people
from chatbridge.sandbox.accepted import Accepted
from chatbridge.sandbox.messages import status_of
from chatbridge.sandbox.records import Chat, Json, Message, Person, Status
from chatbridge.sandbox.refusals import Refusal, bad_request, not_found
from chatbridge.sandbox.wire import Connect, CreateChat, Delivery, Disconnect, React, Typing

HISTORY_LIMIT = 50
FAILED = -1
ERROR_CODES = range(901, 906)
ERROR_NEEDING_TEXT = 905


def connect(accepted: Accepted) -> web.Response:
    """Connect an account; again: change its title and hook version."""
    wanted, channel = accepted.read(Connect), accepted.channel
    state = accepted.sandbox.state
    if channel.allowed_accounts is not None and wanted.account_id not in channel.allowed_accounts:
        # Assumed: a private channel connects to listed accounts only, its refusal is not published.
        raise Refusal(403, "ORIGIN_ACCOUNT_NOT_ALLOWED", "account is not allowed for this channel")
    if wanted.account_id not in state.accounts:
        raise bad_request("account_id: no such account (POST /sandbox/accounts makes one)")
    version = wanted.hook_api_version or "v1"
    if version not in channel.hook_urls:
        raise bad_request(f"hook_api_version: the channel has no hook address for {version}")
    title = wanted.title or channel.title
    connection = state.connect(channel.channel_id, wanted.account_id, title, version)
    answer = wanted.model_dump(exclude_none=True)  # the sent members come back
    return web.json_response({**answer, "scope_id": connection.scope_id})


def disconnect(accepted: Accepted) -> web.Response:
    """Disconnect an account; one that is not connected is fine too."""
    account_id = accepted.read(Disconnect).account_id
    accepted.sandbox.state.disconnect(accepted.channel.channel_id, account_id)
    return accepted.empty_success()


def create_chat(accepted: Accepted) -> web.Response:
    """Make a chat without a message, or find the one that has this conversation_id."""
    wanted, state = accepted.read(CreateChat), accepted.sandbox.state
    scope_id = accepted.connection.scope_id
    person = people.client(accepted, wanted.user, "user")
    chat = state.find_chat(scope_id, wanted.conversation_id) or state.save_chat(
        Chat(
            id=accepted.sandbox.new_id(),
            scope_id=scope_id,
            client_id=wanted.conversation_id,
            person_id=person.id,
            source=wanted.source.external_id if wanted.source is not None else None,
        )
    )
    members = ("id", "client_id", "name", "avatar", "phone", "email")
    return web.json_response({"id": chat.id, "user": _filled(person, members)})


def delivery_status(accepted: Accepted) -> web.Response:
    """Note the delivery of a message, in either generation of the body."""
    given, message = accepted.read(Delivery), _message(accepted, accepted.path["msgid"])
    generation = accepted.sandbox.switches.text("delivery_body")
    if given.status_code is not None and generation == "old":
        raise bad_request("status_code: unknown, delivery_status is expected")
    if given.status_code is None and generation == "new":
        raise bad_request("status_code: required")
    if given.status_code is None and given.delivery_status is None:
        raise bad_request("status_code: required")
    if given.status_code is None and given.msgid != message.id:
        raise bad_request("msgid: must be the id in the address")
    status = status_of(given)
    _check_error(status)
    accepted.sandbox.state.set_status(message, status)
    return accepted.empty_success()


def typing(accepted: Accepted) -> web.Response:
    """Show that the client types."""
    wanted, state = accepted.read(Typing), accepted.sandbox.state
    scope_id = accepted.connection.scope_id
    chat = state.find_chat(scope_id, wanted.conversation_id)
    if chat is None:
        raise bad_request("conversation_id: no such chat")
    person = state.find_person(scope_id, wanted.sender.id)
    if person is None:
        raise people.unknown("sender")
    event: Json = {"chat_id": chat.id, "person": person.view()}
    accepted.sandbox.events.publish("typing", lambda: event)
    return web.Response(status=204)


def react(accepted: Accepted) -> web.Response:
    """Set or take back a reaction. Assumed: one per person, a second one replaces the first."""
    wanted, state = accepted.read(React), accepted.sandbox.state
    scope_id = accepted.connection.scope_id
    if wanted.id is not None:
        message = _message(accepted, wanted.id)
    else:
        found = state.find_message(scope_id, wanted.msgid or "")
        message = _message(accepted, found.id if found is not None else "")
    chat = state.chats[message.chat_id]
    ref_id, client_id = wanted.conversation_ref_id, wanted.conversation_id
    if chat.id != ref_id if ref_id is not None else chat.client_id != client_id:
        raise bad_request("conversation_id: the message is in another chat")
    user = _reacting(accepted, wanted)
    others = [pair for pair in message.reactions if pair[0] != user]
    if wanted.type == "react":
        others.append((user, wanted.emoji or ""))
    state.change_message(replace(message, reactions=tuple(others)), event="reaction")
    return accepted.empty_success()


def history(accepted: Accepted) -> web.Response:
    """Messages of a chat, newest first; 204 when there is no chat or no message."""
    offset, limit = _whole(accepted, "offset", 0), _whole(accepted, "limit", HISTORY_LIMIT)
    if limit > HISTORY_LIMIT:
        raise bad_request(f"limit: at most {HISTORY_LIMIT}")
    state = accepted.sandbox.state
    chat = state.chats.get(accepted.path["chat"])
    if chat is None or chat.scope_id != accepted.connection.scope_id:
        return web.Response(status=204)
    newest_first = state.chat_messages(chat.id)[::-1][offset : offset + limit]
    if not newest_first:
        return web.Response(status=204)
    person = state.persons[chat.person_id]
    return web.json_response({"messages": [_item(message, person) for message in newest_first]})


def _message(accepted: Accepted, message_id: str) -> Message:
    message = accepted.sandbox.state.messages.get(message_id)
    if message is None or message.scope_id != accepted.connection.scope_id:
        raise not_found("no such message")
    return message


def _check_error(status: Status) -> None:
    if status.code != FAILED:
        return  # a published example sends an error code with "read": tolerated
    if status.error_code not in ERROR_CODES:
        raise bad_request("error_code: 901..905 is required with status -1")
    if status.error_code == ERROR_NEEDING_TEXT and not status.error:
        raise bad_request("error: required with error_code 905")


def _reacting(accepted: Accepted, wanted: React) -> str:
    connection, state = accepted.connection, accepted.sandbox.state
    if wanted.user.ref_id is not None:
        known = {user.id for user in connection.account.users} | {connection.channel.bot.id}
        person = state.persons.get(wanted.user.ref_id)
        if wanted.user.ref_id in known or (person and person.scope_id == connection.scope_id):
            return wanted.user.ref_id
    else:
        person = state.find_person(connection.scope_id, wanted.user.id or "")
        if person is not None:
            return person.id
    raise people.unknown("user")


def _whole(accepted: Accepted, name: str, default: int) -> int:
    text = accepted.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise bad_request(f"{name}: must be a whole number")
    return int(text)


def _item(message: Message, person: Person) -> Json:
    author = {"id": message.author.id, "name": message.author.name}
    members = ("id", "client_id", "name", "avatar", "phone", "email")
    item: Json = {
        "timestamp": message.at_ms // 1000,
        "msec_timestamp": message.at_ms,
        "sender": author if message.direction == "out" else _filled(person, members),
    }
    if message.direction == "out":
        item["receiver"] = _filled(person, members)
    content = {**message.content.view(), "id": message.id, "client_id": message.client_id}
    item["message"] = {name: value for name, value in content.items() if value not in ("", 0, None)}
    return item


def _filled(person: Person, members: tuple[str, ...]) -> Json:
    """Members that are known; the real amojo leaves the others out."""
    view = person.view()
    return {name: view[name] for name in members if view[name]}
