"""Finds out whose a quoted message is: amoCRM wants its own ids for what operators wrote."""

from msgspec.structs import replace

from chatbridge.bridge.accepting import entry_key
from chatbridge.model import Direction, Kind, Message, Messenger, Quote
from chatbridge.store.engine import Store
from chatbridge.store.far_ids import FarName
from chatbridge.store.targets import find_target


async def with_quotes(store: Store, messenger: Messenger, message: Message) -> Message:
    """Return a client's message whose quote and forward are named as amoCRM knows them."""
    if message.reply_to is not None:
        quote = await _named(store, messenger, Quote(id=message.reply_to))
        message = replace(message, quote=quote)
    if message.forward is not None and message.forward.id is not None:
        message = replace(message, forward=await _named(store, messenger, message.forward))
    return message


async def _named(store: Store, messenger: Messenger, quote: Quote) -> Quote:
    name = quote.id or ""
    key = entry_key(messenger, Direction.TO_MESSENGER, Kind.MESSAGE, name)
    operators = await store.read(find_target, (key,), FarName(messenger.id, name))
    return quote if operators is None else replace(quote, id=None, amojo_id=operators.message_id)
