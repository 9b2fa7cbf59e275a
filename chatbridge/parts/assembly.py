"""Everything that a server is made of, but for its web side."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from chatbridge import ids
from chatbridge.bridge.accepting import Acceptor
from chatbridge.bridge.afterthoughts import Afterthoughts
from chatbridge.bridge.attaching import Attachments
from chatbridge.bridge.caretaking import Caretaker
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.feed_retention import FeedRetention
from chatbridge.bridge.feeds import Feeds
from chatbridge.bridge.history import History
from chatbridge.bridge.importing import Importing
from chatbridge.bridge.inbound import ClientDoor
from chatbridge.bridge.intake import Intake
from chatbridge.bridge.marks import Marks
from chatbridge.bridge.replies import Replies
from chatbridge.bridge.typing import TypingRelay
from chatbridge.bridge.webhooks import Webhooks
from chatbridge.clock import Clock
from chatbridge.config import Settings
from chatbridge.connectors.base import Connector
from chatbridge.connectors.registry import load_connectors
from chatbridge.delivery.courier import Courier
from chatbridge.delivery.ownership import Ownership
from chatbridge.parts.connectors import host_of
from chatbridge.parts.delivery import assemble_courier, assemble_marks, ownership_of
from chatbridge.parts.ground import Ground, lay
from chatbridge.parts.media import MediaParts, assemble_media
from chatbridge.parts.replies import assemble_replies
from chatbridge.store.engine import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that a server is made of, but for its web side."""

    ground: Ground
    stopping: asyncio.Event
    """Is set when the server stops."""
    connectors: Mapping[str, Connector]
    caretaker: Caretaker
    inbound: ClientDoor
    ownership: Ownership
    courier: Courier
    acceptor: Acceptor
    media: MediaParts
    feeds: Feeds
    feed_retention: FeedRetention
    webhooks: Webhooks
    marks: Marks
    typing: TypingRelay
    intake: Intake
    afterthoughts: Afterthoughts
    replies: Replies
    history: History
    importing: Importing

    @property
    def store(self) -> Store:
        """Return the database."""
        return self.ground.store

    @property
    def directory(self) -> Directory:
        """Return who is who."""
        return self.ground.directory


def assemble(settings: Settings, clock: Clock, *, worker: int | None) -> Parts:
    """Make every part. Nothing is opened yet.

    Args:
        settings: what the parts are told.
        clock: theirs.
        worker: see `Metrics`.

    Raises:
        ConfigurationError: a setting is wrong.

    """
    ground = lay(settings, clock, worker=worker)
    store, directory, transport = ground.store, ground.directory, ground.transport
    connectors: dict[str, Connector] = {}
    media, stopping = assemble_media(ground, connectors), asyncio.Event()
    feeds = Feeds(store=store, clock=clock, new_id=ids.new_uuid)
    connectors |= load_connectors(host_of(ground, media, feeds, stopping))
    attachments = Attachments(store=store, copier=media.copier, links=media.links)
    ownership = ownership_of(ground)
    webhooks = Webhooks(
        store=store,
        clock=clock,
        metrics=ground.metrics,
        pause_after_hours=settings.delivery.pause_after_hours,
    )
    courier = assemble_courier(
        ground, connectors, attachments=attachments, webhooks=webhooks, ownership=ownership
    )
    acceptor = Acceptor(
        store=store, clock=clock, metrics=ground.metrics, queue=courier, copier=media.copier
    )
    typing = TypingRelay(
        directory=directory,
        transport=transport,
        connectors=connectors,
        webhooks=webhooks,
        clock=clock,
        new_id=ids.new_uuid,
    )
    intake = Intake(store=store, directory=directory, acceptor=acceptor, uploads=media.uploads)
    afterthoughts = Afterthoughts(
        store=store,
        clock=clock,
        directory=directory,
        acceptor=acceptor,
        uploads=media.uploads,
        new_id=ids.new_uuid,
    )
    marks = assemble_marks(ground, connectors, courier, acceptor)
    feeds.tell(marks.fetched)
    return Parts(
        ground=ground,
        stopping=stopping,
        connectors=connectors,
        caretaker=Caretaker(
            directory=directory,
            clock=clock,
            connectors=connectors,
            partitions=lambda: courier.partitions,
        ),
        inbound=ClientDoor(
            intake=intake,
            afterthoughts=afterthoughts,
            marks=marks,
            typing=typing,
            uploads=media.uploads,
        ),
        ownership=ownership,
        courier=courier,
        acceptor=acceptor,
        media=media,
        feeds=feeds,
        feed_retention=FeedRetention(
            store=store,
            clock=clock,
            days=settings.feed.retention_days,
            partitions=lambda: courier.partitions,
        ),
        webhooks=webhooks,
        marks=marks,
        typing=typing,
        intake=intake,
        afterthoughts=afterthoughts,
        replies=assemble_replies(ground, acceptor=acceptor, typing=typing, courier=courier),
        history=History(
            store=store,
            clock=clock,
            directory=directory,
            attachments=attachments,
            partitions=lambda: courier.partitions,
        ),
        importing=Importing(
            store=store,
            clock=clock,
            directory=directory,
            intake=intake,
            partitions=lambda: courier.partitions,
        ),
    )
