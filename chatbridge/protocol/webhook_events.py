"""What a messenger's backend is told, as it reads it: the JSON of webhooks and of the event stream. Pure.

Members without a value are left out. `message_id` is always the id under which the messenger knows a message: its own for what it
sent, amoCRM's for what an operator wrote.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from chatbridge.model import (
    Content,
    LinkEvent,
    Message,
    Person,
    Reaction,
    Report,
    Started,
    Typing,
)


class Account(msgspec.Struct, frozen=True, gc=False):
    """Whose operators speak."""

    scope_id: str
    account_id: str


class _Person(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    id: str | None = None
    amojo_id: str | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None


class _Written(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    id: str
    scope_id: str
    account_id: str
    conversation_id: str | None = None
    amojo_conversation_id: str | None = None
    sent_at: str
    sender: _Person
    receiver: _Person
    message: Content
    reply_to: str | None = None
    source: str | None = None
    extras: dict[str, Any] | None = None


class _Reacted(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    scope_id: str
    account_id: str
    conversation_id: str | None = None
    amojo_conversation_id: str | None = None
    message_id: str | None = None
    by: _Person
    emoji: str | None = None


class _Types(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    scope_id: str
    account_id: str
    conversation_id: str | None = None
    amojo_conversation_id: str | None = None
    by: _Person
    until: str


class _Started(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    scope_id: str
    account_id: str
    amojo_conversation_id: str
    receiver: _Person
    source: str | None = None


class _Reported(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    scope_id: str
    account_id: str
    message_id: str
    status: str
    conversation_id: str | None = None
    amojo_message_id: str | None = None
    amojo_conversation_id: str | None = None
    code: str | None = None
    detail: str | None = None


class _Linked(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    scope_id: str
    account_id: str


class _Tried(msgspec.Struct, kw_only=True, gc=False):
    messenger_id: str
    note: str = "A test: nobody wrote anything. Answer 2xx and do nothing."


class WebhookEvent(msgspec.Struct, kw_only=True, gc=False):
    """An event."""

    type: str
    timestamp: str
    data: _Written | _Reacted | _Types | _Started | _Reported | _Linked | _Tried


def format_time(at: int) -> str:
    """Return microseconds as `2026-11-20T12:00:00.123Z`."""
    seconds, rest = divmod(at, 1_000_000)
    return f"{_second(seconds)}.{rest // 1_000:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def message_created(message: Message, account: Account) -> WebhookEvent:
    """Return the event `message.created`: an operator wrote."""
    sent_at = format_time(message.sent_at)
    data = _Written(
        id=message.id,
        scope_id=account.scope_id,
        account_id=account.account_id,
        conversation_id=message.conversation_id,
        amojo_conversation_id=message.amojo_conversation_id,
        sent_at=sent_at,
        sender=_person(message.sender),
        receiver=_Person() if message.receiver is None else _person(message.receiver),
        message=message.content,
        reply_to=message.reply_to,
        source=message.source,
        extras=message.extras or None,
    )
    return WebhookEvent(type="message.created", timestamp=sent_at, data=data)


def reaction_changed(reaction: Reaction, account: Account) -> WebhookEvent:
    """Return the event `reaction.added` or `reaction.removed`: an operator reacted to a message."""
    return WebhookEvent(
        type="reaction.removed" if reaction.removed else "reaction.added",
        timestamp=format_time(reaction.reacted_at),
        data=_Reacted(
            scope_id=account.scope_id,
            account_id=account.account_id,
            conversation_id=reaction.conversation_id,
            amojo_conversation_id=reaction.amojo_conversation_id,
            message_id=reaction.message_id or reaction.amojo_message_id,
            by=_person(reaction.by),
            emoji=reaction.emoji,
        ),
    )


def typing_started(typing: Typing, account: Account, *, now: int) -> WebhookEvent:
    """Return the event `typing.started`: an operator is typing."""
    return WebhookEvent(
        type="typing.started",
        timestamp=format_time(now),
        data=_Types(
            scope_id=account.scope_id,
            account_id=account.account_id,
            conversation_id=typing.conversation_id,
            amojo_conversation_id=typing.amojo_conversation_id,
            by=_person(typing.by),
            until=format_time(typing.until),
        ),
    )


def conversation_started(started: Started, account: Account) -> WebhookEvent:
    """Return the event `conversation.started`: an operator writes first, to somebody with this phone number."""
    return WebhookEvent(
        type="conversation.started",
        timestamp=format_time(started.started_at),
        data=_Started(
            scope_id=account.scope_id,
            account_id=account.account_id,
            amojo_conversation_id=started.amojo_conversation_id,
            receiver=_person(started.receiver),
            source=started.source,
        ),
    )


def message_status(report: Report, account: Account) -> WebhookEvent:
    """Return the event `message.status`: a client's message has reached amoCRM, or was given up."""
    return WebhookEvent(
        type="message.status",
        timestamp=format_time(report.ended_at),
        data=_Reported(
            scope_id=account.scope_id,
            account_id=account.account_id,
            message_id=report.message_id,
            status=report.mark,
            conversation_id=report.conversation_id,
            amojo_message_id=report.amojo_message_id,
            amojo_conversation_id=report.amojo_conversation_id,
            code=report.code,
            detail=report.detail,
        ),
    )


def link_changed(event: LinkEvent, account: Account) -> WebhookEvent:
    """Return the event `link.connected` or `link.disconnected`: the messenger got a link to an account, or lost it."""
    return WebhookEvent(
        type=f"link.{event.state}",
        timestamp=format_time(event.changed_at),
        data=_Linked(scope_id=account.scope_id, account_id=account.account_id),
    )


def test_event(messenger_id: str, *, now: int) -> WebhookEvent:
    """Return the event `test`: somebody wants to know whether the webhook works."""
    return WebhookEvent(
        type="test", timestamp=format_time(now), data=_Tried(messenger_id=messenger_id)
    )


def _person(person: Person) -> _Person:
    return _Person(
        id=person.id,
        amojo_id=person.amojo_id,
        name=person.name,
        phone=person.phone,
        email=person.email,
    )
