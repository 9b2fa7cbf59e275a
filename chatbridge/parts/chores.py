"""What the server does every now and then, each told by itself."""

from chatbridge.bridge.feed_retention import FeedRetention
from chatbridge.bridge.history import History
from chatbridge.bridge.periodic import Periodic
from chatbridge.delivery.courier import Courier
from chatbridge.parts.ground import Ground
from chatbridge.parts.media import MediaParts

_HOUR = 3600.0


def chores_of(
    ground: Ground, *, media: MediaParts, history: History, courier: Courier
) -> tuple[Periodic, ...]:
    """Return all of them; they are to be started."""
    clock = ground.clock
    feeds = FeedRetention(
        store=ground.store,
        clock=clock,
        days=ground.settings.feed.retention_days,
        partitions=lambda: courier.partitions,
    )
    return (
        Periodic(history.walk_on, clock=clock, every=1.0, name="history"),
        Periodic(media.retention.remove_all, clock=clock, every=_HOUR, name="retention"),
        Periodic(feeds.remove_all, clock=clock, every=_HOUR, name="feed-retention"),
    )
