"""Everything that a server is made of, but for its web side."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatbridge import ids
from chatbridge.bridge.attaching import Attachments
from chatbridge.bridge.caretaking import Caretaker
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.feeds import Feeds
from chatbridge.bridge.history import History
from chatbridge.bridge.importing import Importing
from chatbridge.bridge.periodic import Periodic
from chatbridge.bridge.replies import Replies
from chatbridge.bridge.webhooks import Webhooks
from chatbridge.clock import Clock
from chatbridge.config import Settings
from chatbridge.connectors.base import Connector
from chatbridge.connectors.registry import load_connectors
from chatbridge.delivery.courier import Courier
from chatbridge.delivery.ownership import Ownership
from chatbridge.parts.chores import chores_of
from chatbridge.parts.connectors import host_of
from chatbridge.parts.crm import CrmParts, assemble_crm, crm_chores
from chatbridge.parts.delivery import assemble_courier, ownership_of
from chatbridge.parts.ground import Ground, lay
from chatbridge.parts.media import MediaParts, assemble_media
from chatbridge.parts.messages import MessageParts, assemble_messages
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
    ownership: Ownership
    courier: Courier
    media: MediaParts
    feeds: Feeds
    webhooks: Webhooks
    messages: MessageParts
    replies: Replies
    history: History
    importing: Importing
    crm: CrmParts
    chores: Sequence[Periodic]

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
    # Files and connectors need each other: the one fetch through what the others bring, once there is something to fetch.
    connectors: dict[str, Connector] = {}
    media, stopping = assemble_media(ground, connectors), asyncio.Event()
    feeds = Feeds(store=ground.store, clock=clock, new_id=ids.new_uuid)
    connectors |= load_connectors(host_of(ground, media, feeds, stopping))
    webhooks = Webhooks(
        store=ground.store,
        clock=clock,
        metrics=ground.metrics,
        pause_after_hours=settings.delivery.pause_after_hours,
    )
    ownership = ownership_of(ground)
    attachments = Attachments(store=ground.store, copier=media.copier, links=media.links)
    courier = assemble_courier(
        ground, connectors, attachments=attachments, webhooks=webhooks, ownership=ownership
    )
    messages = assemble_messages(
        ground, connectors, media=media, courier=courier, webhooks=webhooks
    )
    feeds.tell(messages.marks.fetched)
    history = History(
        store=ground.store,
        clock=clock,
        directory=ground.directory,
        attachments=attachments,
        partitions=lambda: courier.partitions,
    )
    crm = assemble_crm(ground)
    return Parts(
        ground=ground,
        stopping=stopping,
        connectors=connectors,
        caretaker=Caretaker(
            directory=ground.directory,
            clock=clock,
            connectors=connectors,
            partitions=lambda: courier.partitions,
        ),
        ownership=ownership,
        courier=courier,
        media=media,
        feeds=feeds,
        webhooks=webhooks,
        messages=messages,
        replies=assemble_replies(ground, messages=messages, courier=courier),
        history=history,
        importing=Importing(
            store=ground.store,
            clock=clock,
            directory=ground.directory,
            intake=messages.intake,
            partitions=lambda: courier.partitions,
        ),
        crm=crm,
        chores=(
            *chores_of(ground, media=media, history=history, courier=courier),
            *crm_chores(clock, crm),
        ),
    )
