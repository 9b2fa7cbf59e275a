"""What operators do in the inbox: their part of the control API, and the hooks it causes."""

from dataclasses import replace

from aiohttp import web

from chatbridge.sandbox import hook_bodies
from chatbridge.sandbox.control_bodies import (
    ControlError,
    OperatorContent,
    OperatorMessage,
    OperatorReaction,
    OperatorTyping,
    WriteFirst,
    read_json,
)
from chatbridge.sandbox.hooks import HookKind
from chatbridge.sandbox.parts import SANDBOX, Sandbox
from chatbridge.sandbox.records import (
    Author,
    Chat,
    Connection,
    Content,
    Json,
    Message,
    Named,
    Person,
)

PASSED_ON = ("markup", "template", "post")


def routes() -> list[web.RouteDef]:
    """Calls of the operators."""
    return [
        web.get("/sandbox/chats", list_chats),
        web.post("/sandbox/chats", write_first),
        web.get("/sandbox/chats/{chat}/messages", list_messages),
        web.post("/sandbox/chats/{chat}/messages", write),
        web.post("/sandbox/chats/{chat}/typing", typing),
        web.post("/sandbox/chats/{chat}/read", read),
        web.post("/sandbox/messages/{message}/reaction", react),
    ]


async def list_chats(request: web.Request) -> web.Response:
    """All chats, newest first."""
    state = request.app[SANDBOX].state
    return web.json_response({"chats": [state.chat_view(chat) for chat in state.newest_first()]})


async def list_messages(request: web.Request) -> web.Response:
    """Messages of a chat, oldest first."""
    state, chat = request.app[SANDBOX].state, _chat(request)
    views = [message.view() for message in state.chat_messages(chat.id)]
    return web.json_response({"messages": views})


async def write(request: web.Request) -> web.Response:
    """An operator writes; the hook is sent before the answer."""
    sandbox, body = request.app[SANDBOX], await read_json(request, OperatorMessage)
    chat = _chat(request)
    connection = _connection(sandbox, chat.scope_id)
    message, hook = await _send(sandbox, connection, chat, body)
    return web.json_response({"message": message.view(), "hook": hook}, status=201)


async def write_first(request: web.Request) -> web.Response:
    """An operator begins a chat: its hooks carry no `client_id` until the other side binds it."""
    sandbox, body = request.app[SANDBOX], await read_json(request, WriteFirst)
    connection = _connection(sandbox, body.scope_id)
    if connection.hook_api_version != "v2":
        raise ControlError(409, "needs_hook_v2", "writing first needs a connection with hooks v2")
    _user(connection, body.user_id)
    person = sandbox.state.save_person(
        Person(
            id=sandbox.new_id(),
            scope_id=body.scope_id,
            client_id=None,
            name=body.name,
            phone=body.phone,
        )
    )
    chat = sandbox.state.save_chat(
        Chat(
            id=sandbox.new_id(),
            scope_id=body.scope_id,
            client_id=None,
            person_id=person.id,
            source=body.source,
        )
    )
    message, hook = await _send(sandbox, connection, chat, body)
    chat_now = sandbox.state.chats.get(chat.id)
    if chat_now is None:
        raise ControlError(409, "reset", "the sandbox was reset before the hook was answered")
    view = sandbox.state.chat_view(chat_now)
    return web.json_response({"chat": view, "message": message.view(), "hook": hook}, status=201)


async def typing(request: web.Request) -> web.Response:
    """An operator types. Hooks v1 know no typing: then `hook` is null."""
    sandbox, body = request.app[SANDBOX], await read_json(request, OperatorTyping)
    chat = _chat(request)
    connection = _connection(sandbox, chat.scope_id)
    user, now = _user(connection, body.user_id), int(sandbox.now())
    hook = hook_bodies.typing(_setting(sandbox, connection, chat), user.id, now)
    return web.json_response({"hook": await _send_v2(sandbox, connection, "typing", hook)})


async def read(request: web.Request) -> web.Response:
    """An operator has read the chat."""
    chat = _chat(request)
    if chat.unread:
        request.app[SANDBOX].state.save_chat(replace(chat, unread=0))
    return web.Response(status=204)


async def react(request: web.Request) -> web.Response:
    """An operator reacts. Hooks v1 know no reactions: then `hook` is null."""
    sandbox, body = request.app[SANDBOX], await read_json(request, OperatorReaction)
    message = sandbox.state.messages.get(request.match_info["message"])
    if message is None:
        raise ControlError(404, "not_found", "there is no such message")
    if body.type == "react" and not body.emoji:
        raise ControlError(400, "bad_request", "emoji: required to react")
    chat = sandbox.state.chats[message.chat_id]
    connection = _connection(sandbox, chat.scope_id)
    user = _user(connection, body.user_id)
    reactions = [pair for pair in message.reactions if pair[0] != user.id]
    if body.type == "react":
        reactions.append((user.id, body.emoji))
    sandbox.state.change_message(replace(message, reactions=tuple(reactions)), event="reaction")
    change: Json = {"user": {"id": user.id}, "type": body.type, "emoji": body.emoji}
    now = int(sandbox.now())
    hook = hook_bodies.reaction(_setting(sandbox, connection, chat), message, change, now)
    return web.json_response({"hook": await _send_v2(sandbox, connection, "reaction", hook)})


async def _send(
    sandbox: Sandbox, connection: Connection, chat: Chat, body: OperatorMessage
) -> tuple[Message, Json]:
    user, at_ms = _user(connection, body.user_id), int(sandbox.now() * 1000)
    message = Message(
        id=sandbox.new_id(),
        client_id=None,
        chat_id=chat.id,
        scope_id=chat.scope_id,
        direction="out",
        author=Author(id=user.id, name=user.name, kind="user"),
        content=_content(body.message),
        at_ms=at_ms,
        reply_to=_quoted(sandbox, chat, body.message.reply_to),
        forwards=_forwarded(sandbox, chat, body.message),
    )
    sandbox.state.add_message(message)
    setting = _setting(sandbox, connection, chat)
    if connection.hook_api_version == "v1":
        hook = hook_bodies.message_v1(setting, message)
    else:
        extra = {name: getattr(body.message, name) for name in PASSED_ON}
        extra = {name: value for name, value in extra.items() if value is not None}
        hook = hook_bodies.message_v2(setting, message, extra)
    row = await sandbox.hooks.send(connection, "message", hook)
    return sandbox.state.messages.get(message.id, message), row


def _setting(sandbox: Sandbox, connection: Connection, chat: Chat) -> hook_bodies.Setting:
    person = sandbox.state.persons[chat.person_id]
    return hook_bodies.Setting(
        connection=connection, chat=chat, person=person, switches=sandbox.switches
    )


async def _send_v2(
    sandbox: Sandbox, connection: Connection, kind: HookKind, body: Json
) -> Json | None:
    if connection.hook_api_version != "v2":
        return None
    return await sandbox.hooks.send(connection, kind, body)


def _content(given: OperatorContent) -> Content:
    return Content(
        type=given.type,
        text=given.text,
        media=given.media,
        thumbnail=given.thumbnail,
        file_name=given.file_name,
        file_size=given.file_size,
        media_duration=given.media_duration,
        sticker_id=given.sticker_id,
        location=given.location.model_dump() if given.location is not None else None,
        contact=given.contact.model_dump() if given.contact is not None else None,
        media_group_id=given.media_group_id,
    )


def _quoted(sandbox: Sandbox, chat: Chat, message_id: str | None) -> Json | None:
    if message_id is None:
        return None
    message = sandbox.state.messages.get(message_id)
    if message is None or message.chat_id != chat.id:
        raise ControlError(400, "bad_request", "message.reply_to: no such message in this chat")
    return {"message": hook_bodies.embedded(message)}


def _forwarded(sandbox: Sandbox, chat: Chat, given: OperatorContent) -> Json | None:
    if given.forward is None:
        return given.forwards
    message = sandbox.state.messages.get(given.forward)
    if message is None or message.scope_id != chat.scope_id:
        raise ControlError(400, "bad_request", "message.forward: no such message")
    return {
        "messages": [hook_bodies.embedded(message)],
        "conversation_ref_id": message.chat_id,
    }


def _chat(request: web.Request) -> Chat:
    chat = request.app[SANDBOX].state.chats.get(request.match_info["chat"])
    if chat is None:
        raise ControlError(404, "not_found", "there is no such chat")
    return chat


def _connection(sandbox: Sandbox, scope_id: str) -> Connection:
    connection = sandbox.state.find_connection(scope_id)
    if connection is None:
        sentence = "the account is not connected to the channel: connect first, then write"
        raise ControlError(409, "not_connected", sentence)
    return connection


def _user(connection: Connection, user_id: str | None) -> Named:
    users = connection.account.users
    if not users:
        raise ControlError(409, "no_users", "the account has no users who could write")
    for user in users:
        if user_id in {None, user.id}:
            return user
    raise ControlError(400, "bad_request", "user_id: the account has no such user")
