"""The endpoint of a conversation's history."""

from chatbridge.bridge.history import Item
from chatbridge.bridge.tracking import state_of
from chatbridge.model import Direction, Reaction
from chatbridge.web.endpoint import Call
from chatbridge.web.history_schemas import (
    ContentOut,
    HistoryItem,
    HistoryPage,
    HistoryQuery,
    PersonOut,
    ReactionOut,
)
from chatbridge.web.parked import direction_name
from chatbridge.web.times import to_datetime


async def list_messages(call: Call[None]) -> HistoryPage:
    """Show what was said in a conversation."""
    query: HistoryQuery = call.query
    items, following = await call.services.history.load_page(
        call.messenger,
        call.path["conversation_id"],
        scope_id=query.scope_id,
        before=query.after,
        limit=query.limit,
    )
    return HistoryPage(
        items=[_to_out(item) for item in items],
        next=None if following is None else str(following),
    )


def _to_out(item: Item) -> HistoryItem:
    passport, message = item.passport, item.passport.message
    is_clients = passport.direction is Direction.TO_AMOJO and message.receiver is None
    return HistoryItem(
        id=message.id,
        direction=direction_name(passport.direction),
        author="client" if is_clients else "operator",
        sent_at=to_datetime(message.sent_at),
        sender=PersonOut.model_validate(message.sender, extra="ignore"),
        message=ContentOut.model_validate(item.content, extra="ignore"),
        reply_to=message.reply_to,
        state=state_of(passport).value,
        amojo_id=passport.amojo_id,
        edited_at=None if item.edited_at is None else to_datetime(item.edited_at),
        reactions=[_reaction(reaction) for reaction in item.reactions],
    )


def _reaction(reaction: Reaction) -> ReactionOut:
    return ReactionOut(
        emoji=reaction.emoji,
        user=PersonOut.model_validate(reaction.by),
        reacted_at=to_datetime(reaction.reacted_at),
    )
