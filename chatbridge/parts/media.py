"""The parts that have to do with files."""

from collections.abc import Mapping
from dataclasses import dataclass

from chatbridge import ids
from chatbridge.bridge.copying import Copier, Deliverer
from chatbridge.bridge.fetching import fetching
from chatbridge.bridge.retention import Retention
from chatbridge.bridge.uploading import Uploads
from chatbridge.clients.downloads import Downloader
from chatbridge.connectors.base import Connector
from chatbridge.media.files import Files
from chatbridge.media.links import MediaLinks
from chatbridge.parts.ground import USER_AGENT, Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaParts:
    """What has to do with files."""

    files: Files
    links: MediaLinks
    downloader: Downloader
    copier: Copier
    uploads: Uploads
    retention: Retention

    async def open(self, now: int) -> None:
        """Open the place of files.

        Raises:
            ConfigurationError: the place cannot be used.

        """
        await self.files.open(now / 1_000_000)
        await self.downloader.start()

    def start(self, deliverer: Deliverer) -> None:
        """Go on with what was left; `deliverer` hears whose files are there."""
        self.copier.start(deliverer)

    async def stop(self) -> None:
        """Begin nothing new, break off what is being copied."""
        await self.copier.stop()
        await self.downloader.close()


def assemble_media(ground: Ground, connectors: Mapping[str, Connector]) -> MediaParts:
    """Make every part. Nothing is opened yet; `connectors` are looked up when a file has no link.

    Raises:
        ConfigurationError: a setting is wrong.

    """
    settings, store, clock = ground.settings, ground.store, ground.clock
    media, network = settings.media, settings.network
    options = {name: value.get_secret_value() for name, value in media.options.items()}
    files, links = Files(media.url, options), MediaLinks(settings.public_url, settings.secret_keys)
    downloader = Downloader(
        ground.guard,
        connect_timeout=network.connect_timeout,
        user_agent=USER_AGENT,
        proxy=network.proxy.get_secret_value(),
    )
    return MediaParts(
        files=files,
        links=links,
        downloader=downloader,
        copier=Copier(
            store=store,
            clock=clock,
            metrics=ground.metrics,
            files=files,
            downloader=downloader,
            fetch=fetching(ground.directory, connectors),
            links=links,
            max_bytes=media.max_bytes,
        ),
        uploads=Uploads(
            store=store,
            clock=clock,
            files=files,
            links=links,
            max_bytes=media.max_bytes,
            new_id=ids.new_media_id,
        ),
        retention=Retention(store=store, clock=clock, files=files, days=media.retention_days),
    )
