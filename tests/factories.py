"""Values with defaults: name what the test is about, the rest is made up."""

import itertools
from typing import Any

from chatbridge.ids import fingerprint
from chatbridge.model import (
    AmojoIdentity,
    Channel,
    Content,
    Direction,
    HookVersion,
    Link,
    LinkState,
    Message,
    MessageType,
    Messenger,
    Person,
    Signing,
    StatusBody,
    WebhookFormat,
    encode_event,
)
from chatbridge.store.entries import ConversationKey, Draft, Entry, Outcome, OutcomeKind
from tests.fakes import BEGINNING

_numbers = itertools.count(1)


def make_channel(**changes: Any) -> Channel:
    number = next(_numbers)
    values = {
        "id": f"5a0db0c4-0000-4000-8000-{number:012d}",
        "code": f"amo.ext.test{number}",
        "secret": "f2d7f8704eff95087ed45b23ba99c0b5aac8278e",
        "base_url": "http://127.0.0.1:1",
        "signing": Signing.CURRENT,
        "hook_version": HookVersion.V2,
        "status_body": StatusBody.CURRENT,
        "bot_id": None,
        "title": None,
        "created_at": BEGINNING + number,
        "updated_at": BEGINNING + number,
    }
    return Channel(**values | changes)


def make_messenger(**changes: Any) -> Messenger:
    number = next(_numbers)
    values = {
        "id": f"msgr_{number}",
        "name": "Shop",
        "kind": "backend",
        "webhook_url": None,
        "webhook_format": WebhookFormat.STANDARD,
        "webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "api_key_hash": fingerprint(str(number)) * 2,
        "amojo": AmojoIdentity(
            channel_id=f"c-{number}",
            secret="00112233445566778899aabbccddeeff01234567",
            account_id=f"a-{number}",
        ),
        "settings": {},
        "created_at": BEGINNING + number,
        "updated_at": BEGINNING + number,
    }
    return Messenger(**values | changes)


def make_link(channel: Channel, messenger: Messenger, **changes: Any) -> Link:
    account = f"52e591f7-c98f-4255-8495-{next(_numbers):012d}"
    values = {
        "id": 0,
        "scope_id": f"{channel.id}_{account}",
        "channel_id": channel.id,
        "account_id": account,
        "messenger_id": messenger.id,
        "title": None,
        "state": LinkState.CONNECTED,
        "hook_version": HookVersion.V2,
        "created_at": BEGINNING,
        "connected_at": BEGINNING,
    }
    return Link(**values | changes)


def make_message(message_id: str = "m-1", **changes: Any) -> Message:
    values = {
        "id": message_id,
        "conversation_id": "c-1",
        "sent_at": BEGINNING,
        "sender": Person(id="u-1", name="Anna"),
        "content": Content(type=MessageType.TEXT, text="This one?"),
    }
    return Message(**values | changes)


def make_draft(
    link: Link, message_id: str, *, conversation: str | None = "c-1", **changes: Any
) -> Draft:
    """A client's text. `amojo` names the conversation by amoCRM's id as well; `said` is what is digested."""
    amojo, said = changes.pop("amojo", None), changes.pop("said", "text")
    direction = changes.pop("direction", Direction.TO_AMOJO)
    values = {
        "conversation": ConversationKey(link_id=link.id, external_id=conversation, amojo_id=amojo),
        "direction": direction,
        "kind": "message",
        "key": fingerprint(str(link.id), direction.name, message_id),
        "digest": fingerprint(said),
        "message_id": message_id,
        "body": encode_event(make_message(message_id, conversation_id=conversation)),
        "received_at": BEGINNING,
    }
    return Draft(**values | changes)


def make_outcome(entry: Entry, kind: OutcomeKind, **changes: Any) -> Outcome:
    values = {"entry": entry, "kind": kind, "signed_at": BEGINNING, "answered_at": BEGINNING + 5}
    if kind is OutcomeKind.RETRY:
        values |= {"code": "far_side_down", "detail": "HTTP 500", "due_at": BEGINNING + 1_000_000}
    if kind is OutcomeKind.PARKED:
        values |= {"code": "rejected", "detail": "HTTP 400"}
    return Outcome(**values | changes)
