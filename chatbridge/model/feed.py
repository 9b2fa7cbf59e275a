"""Events that wait until their messenger fetches them."""

import msgspec


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event at its place in a messenger's feed."""

    position: int
    """From 1, without gaps: a reader that has seen one asks for what comes after it."""
    topic: str
    """The messenger's id of its conversation, "" if it has none."""
    body: bytes
    """JSON."""
    created_at: int
