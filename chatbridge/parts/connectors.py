"""The connectors that are installed, each with the server as it sees it."""

import asyncio
import hmac
from functools import partial

from chatbridge import ids
from chatbridge.bridge.reading import FileReader
from chatbridge.connectors.feed import Feed
from chatbridge.connectors.host import Host
from chatbridge.model import Messenger
from chatbridge.parts.ground import Ground
from chatbridge.parts.media import MediaParts


def host_of(ground: Ground, media: MediaParts, feed: Feed, stopping: asyncio.Event) -> Host:
    """Return the server as connectors see it."""
    directory = ground.directory

    def messengers(kind: str) -> list[Messenger]:
        return [messenger for messenger in directory.messengers() if messenger.kind == kind]

    return Host(
        public_url=ground.settings.public_url.rstrip("/"),
        clock=ground.clock,
        transport=ground.transport,
        http=ground.http,
        new_id=ids.new_uuid,
        keys=partial(_keys, tuple(ground.settings.secret_keys)),
        messengers=messengers,
        find_messenger=directory.find_messenger,
        open_file=FileReader(
            store=ground.store,
            files=media.files,
            downloader=media.downloader,
            links=media.links,
        ).open,
        max_bytes=ground.settings.media.max_bytes,
        feed=feed,
        stopping=stopping,
    )


def _keys(passphrases: tuple[str, ...], purpose: str) -> list[bytes]:
    """Return a key for a purpose from each passphrase, newest first."""
    said = f"chatbridge connector {purpose}".encode()
    return [hmac.digest(passphrase.encode(), said, "sha256") for passphrase in passphrases]
