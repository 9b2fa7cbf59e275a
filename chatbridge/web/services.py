"""What the endpoints work with, under one typed key of the application."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from chatbridge.bridge.afterthoughts import Afterthoughts
from chatbridge.bridge.audit import Audit
from chatbridge.bridge.callbacks import Callbacks
from chatbridge.bridge.crm.accounts import Accounts
from chatbridge.bridge.crm.authorizing import Authorizing
from chatbridge.bridge.crm.consenting import Consenting
from chatbridge.bridge.crm.integrations import Integrations
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.feeds import Feeds
from chatbridge.bridge.heartbeat import Heartbeat
from chatbridge.bridge.history import History
from chatbridge.bridge.importing import Importing
from chatbridge.bridge.ingress import Ingress
from chatbridge.bridge.intake import Intake
from chatbridge.bridge.linking import Linking
from chatbridge.bridge.marks import Marks
from chatbridge.bridge.parking import Parking
from chatbridge.bridge.people import People
from chatbridge.bridge.recovery import Recovery
from chatbridge.bridge.rotation import Rotation
from chatbridge.bridge.sign_in import SignIn
from chatbridge.bridge.typing import TypingRelay
from chatbridge.bridge.uploading import Uploads
from chatbridge.bridge.webhooks import Webhooks
from chatbridge.clock import Clock
from chatbridge.connectors.base import Connector
from chatbridge.connectors.capabilities import EVERYTHING, Capabilities
from chatbridge.delivery.courier import Courier
from chatbridge.media.files import Files
from chatbridge.media.links import MediaLinks
from chatbridge.model import Messenger
from chatbridge.observability.metrics import Metrics
from chatbridge.store.engine import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases and the few settings that endpoints need."""

    public_url: str
    default_base_url: str
    body_limit: int
    body_timeout: float
    connectors: Mapping[str, Connector]
    refusal_of_url: Callable[[str], str | None]
    clock: Clock
    store: Store
    directory: Directory
    intake: Intake
    callbacks: Callbacks
    sign_in: SignIn
    people: People
    audit: Audit
    integrations: Integrations
    consenting: Consenting
    authorizing: Authorizing
    accounts: Accounts
    linking: Linking
    rotation: Rotation
    webhooks: Webhooks
    parking: Parking
    marks: Marks
    afterthoughts: Afterthoughts
    history: History
    importing: Importing
    typing: TypingRelay
    uploads: Uploads
    files: Files
    media_links: MediaLinks
    ingress: Ingress
    feeds: Feeds
    recovery: Recovery
    heartbeat: Heartbeat
    courier: Courier
    metrics: Metrics
    stopping: asyncio.Event
    """Is set when the server stops: answers without an end come to one."""

    def capabilities(self, messenger: Messenger) -> Capabilities:
        """Return what a messenger can take, as its connector says."""
        connector = self.connectors.get(messenger.kind)
        return EVERYTHING if connector is None else connector.capabilities(messenger)

    @property
    def redirect_uri(self) -> str:
        """Return where amoCRM sends codes."""
        return f"{self.public_url.rstrip('/')}/oauth/redirect"

    def callback_url(self, scope: str = ":scope_id") -> str:
        """Return where amoCRM sends callbacks of a scope."""
        return f"{self.public_url.rstrip('/')}/location/{scope}"


SERVICES = web.AppKey("SERVICES", Services)
OPENAPI = web.AppKey("OPENAPI", Mapping[str, object])
