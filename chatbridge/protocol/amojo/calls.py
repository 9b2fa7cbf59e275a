"""Every amojo call as a signed request ("Chats API reference" for paths and methods).

A request is made when it is sent, never earlier: its signature lives for 15 minutes.
"""

from chatbridge.model import Channel, HookVersion, Message, Signing
from chatbridge.protocol.amojo import payloads, signing
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


def _signed(channel: Channel, method: str, path: str, body: bytes, now: int) -> Request:
    headers = signing.request_headers(
        channel.secret, method, path, body, now=now, signing=channel.signing
    )
    return Request(method=method, url=channel.base_url + path, headers=headers, body=body)
