"""Every amojo call as a signed request ("Chats API reference" for paths and methods).

A request is made when it is sent, never earlier: its signature lives for 15 minutes.
"""

from urllib.parse import quote

from msgspec.structs import replace

from chatbridge.model import Channel, Edit, HookVersion, Message, Reaction, Signing, Status
from chatbridge.protocol.amojo import notes, payloads, signing
from chatbridge.protocol.http import Request

BASE_PATH = "/v2/origin/custom"


def connect(channel: Channel, account_id: str, *, title: str | None, now: int) -> Request:
    """Return the call that connects an account to the channel. Safe to repeat; needed after each reinstall."""
    if channel.signing is Signing.LEGACY and channel.hook_version is HookVersion.V1:
        body = payloads.legacy_connect(account_id)
    else:
        body = payloads.connect(account_id, title=title, hook_version=channel.hook_version)
    return _signed(channel, "POST", f"{BASE_PATH}/{channel.id}/connect", body, now)


def disconnect(channel: Channel, account_id: str, *, now: int) -> Request:
    """Return the call that stops callbacks of the account."""
    body = payloads.disconnect(account_id)
    return _signed(channel, "DELETE", f"{BASE_PATH}/{channel.id}/disconnect", body, now)


def send_message(channel: Channel, scope_id: str, message: Message, *, now: int) -> Request:
    """Return the call that publishes a client's message."""
    return _signed(channel, "POST", f"{BASE_PATH}/{scope_id}", payloads.new_message(message), now)


def edit_message(channel: Channel, scope_id: str, edit: Edit, *, now: int) -> Request:
    """Return the call that gives a message new content."""
    return _signed(channel, "POST", f"{BASE_PATH}/{scope_id}", payloads.edit_message(edit), now)


def delivery_status(channel: Channel, scope_id: str, status: Status, *, now: int) -> Request:
    """Return the call that tells what became of an operator's message."""
    path = f"{BASE_PATH}/{scope_id}/{quote(status.amojo_message_id, safe='')}/delivery_status"
    return _signed(channel, "POST", path, notes.delivery_status(status, channel.status_body), now)


def react(channel: Channel, scope_id: str, reaction: Reaction, *, now: int) -> Request:
    """Return the call that adds a reaction or takes it back."""
    return _signed(channel, "POST", f"{BASE_PATH}/{scope_id}/react", notes.react(reaction), now)


def typing(
    channel: Channel,
    scope_id: str,
    conversation_id: str,
    client_id: str,
    *,
    duration: int,
    now: int,
) -> Request:
    """Return the call that says that a client types, for so many milliseconds."""
    body = notes.typing(conversation_id, client_id, duration=duration)
    return _signed(channel, "POST", f"{BASE_PATH}/{scope_id}/typing", body, now)


def create_chat(channel: Channel, scope_id: str, body: bytes, *, now: int) -> Request:
    """Return the call that makes a chat without a message, with a body that somebody else wrote."""
    return _signed(channel, "POST", f"{BASE_PATH}/{scope_id}/chats", body, now)


def history(
    channel: Channel, scope_id: str, amojo_id: str, *, offset: int, limit: int, now: int
) -> Request:
    """Return the call that asks for messages of a conversation, newest first, 50 at most. The query is not signed."""
    path = f"{BASE_PATH}/{scope_id}/chats/{quote(amojo_id, safe='')}/history"
    request = _signed(channel, "GET", path, b"", now)
    return replace(request, url=f"{request.url}?offset={offset}&limit={limit}")


def _signed(channel: Channel, method: str, path: str, body: bytes, now: int) -> Request:
    headers = signing.request_headers(
        channel.secret, method, path, body, now=now, signing=channel.signing
    )
    return Request(method=method, url=channel.base_url + path, headers=headers, body=body)
