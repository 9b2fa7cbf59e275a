"""The chats of a server: each messenger of kind `website` with what follows from its settings."""

from dataclasses import dataclass

from yarl import URL

from chatbridge.connectors.host import Host
from chatbridge.connectors.website.seals import Seals
from chatbridge.connectors.website.settings import WebsiteSettings
from chatbridge.connectors.website.sites import Sites, canonical
from chatbridge.errors import NotFound, OriginRefused
from chatbridge.limits import Limit
from chatbridge.model import Messenger


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One messenger's."""

    messenger: Messenger
    settings: WebsiteSettings
    sites: Sites
    seals: Seals
    messages: Limit
    """By visitor."""

    def admit(self, origin: str | None) -> str:
        """Return the origin of a page that may call.

        Raises:
            OriginRefused: it may not.

        """
        if origin is None or not self.sites.allow(origin):
            raise OriginRefused
        return origin


class Chats:
    """All of them."""

    def __init__(self, kind: str, host: Host) -> None:
        """Find the messengers of this kind at `host`."""
        self._kind, self._host = kind, host
        self._own = canonical(str(URL(host.public_url).origin()))
        self._keys = host.keys("website session")
        self._known: dict[str, Chat] = {}

    async def get(self, messenger_id: str) -> Chat:
        """Return a chat as it is set up now.

        Raises:
            NotFound: there is none.
            StoreUnavailable: the database is away, and it is not known here.

        """
        messenger = await self._host.find_messenger(messenger_id)
        if messenger is None or messenger.kind != self._kind:
            raise NotFound("There is no such chat.")
        known = self._known.get(messenger_id)
        if known is None or known.messenger is not messenger:
            known = self._known[messenger_id] = self._made(messenger)
        return known

    def _made(self, messenger: Messenger) -> Chat:
        settings = WebsiteSettings.model_validate(messenger.settings)
        return Chat(
            messenger=messenger,
            settings=settings,
            sites=Sites([self._own, *settings.sites]),
            seals=Seals(self._keys, messenger.id),
            messages=Limit(settings.messages_per_minute),
        )
