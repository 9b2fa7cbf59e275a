"""The parts that take callbacks, and that stand against their loss."""

from chatbridge import ids
from chatbridge.bridge.callbacks import Callbacks
from chatbridge.bridge.heartbeat import Heartbeat
from chatbridge.bridge.histories import Histories
from chatbridge.bridge.recovery import Recovery
from chatbridge.bridge.replies import Replies
from chatbridge.bridge.spooling import Spool
from chatbridge.delivery.courier import Courier
from chatbridge.parts.ground import Ground
from chatbridge.parts.messages import MessageParts


def assemble_replies(ground: Ground, *, messages: MessageParts, courier: Courier) -> Replies:
    """Make what takes callbacks; what stands against their loss hears of gaps from the heartbeat."""
    store, clock, directory, settings = (
        ground.store,
        ground.clock,
        ground.directory,
        ground.settings,
    )
    recovering = settings.recovery
    tolerance = recovering.tolerance_shared if store.shared else recovering.tolerance
    heartbeat = Heartbeat(store=store, clock=clock, tolerance=tolerance)
    spool = Spool(
        folder=settings.spool.folder,
        limit=settings.spool.max_bytes,
        clock=clock,
        metrics=ground.metrics,
        new_id=ids.new_uuid,
        refused=heartbeat.refused,
    )
    callbacks = Callbacks(
        store=store,
        clock=clock,
        directory=directory,
        metrics=ground.metrics,
        acceptor=messages.acceptor,
        typists=messages.typing,
        spool=spool,
        new_id=ids.new_uuid,
    )
    recovery = Recovery(
        store=store,
        clock=clock,
        directory=directory,
        histories=Histories(
            directory=directory,
            transport=ground.transport,
            clock=clock,
            rate=recovering.calls_per_second,
        ),
        callbacks=callbacks,
        partitions=lambda: courier.partitions,
        days=recovering.days,
    )
    heartbeat.tell(recovery.wake)
    return Replies(
        acceptor=messages.acceptor,
        callbacks=callbacks,
        spool=spool,
        heartbeat=heartbeat,
        recovery=recovery,
    )
