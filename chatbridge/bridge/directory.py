"""Who is who: channels, messengers and links, kept in memory because every request asks for them.

The database is written first, then memory. There are thousands of them at most, and they change rarely.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog

from chatbridge.bridge.second_look import Flight, SecondLook
from chatbridge.clock import Clock
from chatbridge.errors import NotFound, StoreUnavailable
from chatbridge.ids import api_key_hash
from chatbridge.model import Channel, Link, LinkEvent, LinkState, Messenger
from chatbridge.store import directory as rows
from chatbridge.store import link_events
from chatbridge.store.directory import Names
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer

log = structlog.get_logger()


class Directory:
    """Channels, messengers and links of this server."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        """Begin empty; `load` fills it."""
        self._store, self._sealer, self._clock = store, sealer, clock
        self._channels: dict[str, Channel] = {}
        self._messengers: dict[str, Messenger] = {}
        self._by_key: dict[bytes, Messenger] = {}
        self._by_old_key: dict[bytes, Messenger] = {}
        self._by_amojo: dict[str, Messenger] = {}
        self._links: dict[int, Link] = {}
        self._by_scope: dict[str, Link] = {}
        self._by_messenger: dict[str, dict[int, Link]] = {}
        self._queued: Callable[[Iterable[int]], None] = _nobody
        self._changes = 0
        """Changes made here so far."""
        # One reading at a time: what an older one saw must not replace what a newer one did.
        self._reading = Flight(self._read, clock)
        self._second_look = SecondLook(self._look_for, clock)

    def tell(self, queued: Callable[[Iterable[int]], None]) -> None:
        """Tell somebody, from now on, of lanes in which events about links were queued."""
        self._queued = queued

    async def load(self) -> None:
        """Read everything from the database.

        Raises:
            ConfigurationError: the secret key does not open the secrets.
            StoreUnavailable: the database is away.

        """
        await self._reading()

    async def _read(self) -> None:
        before = None
        while before != self._changes:
            # What is changed here while it is read may not be in it yet.
            before = self._changes
            # Links first: what they refer to was there before them.
            links = await self._store.read(rows.list_links)
            channels = await self._store.read(rows.list_channels, self._sealer)
            messengers = await self._store.read(rows.list_messengers, self._sealer)
        self._by_key.clear()
        self._by_old_key.clear()
        for channel in channels:
            self._channels[channel.id] = channel
        for messenger in messengers:
            self._keep_messenger(messenger)
        for link in links:
            self._keep_link(link)

    async def catch_up(self) -> None:
        """Read again what other nodes have changed; if the database is away, what is known stays."""
        try:
            await self.load()
        except StoreUnavailable as error:
            log.warning("directory_not_read", reason=str(error))

    async def look_for(
        self,
        *,
        api_key: str | None = None,
        scope_id: str | None = None,
        messenger_id: str | None = None,
        amojo_channel: str | None = None,
    ) -> bool:
        """Look into the database for what is not known here, before a caller is refused; return whether to ask again.

        Where no other node could have stored it, nothing is done. `messenger_id` stands for a messenger and its links,
        `amojo_channel` for the messenger with this identity.

        Raises:
            StoreUnavailable: the database is away.

        """
        if not self._store.shared:
            return False
        names = Names(
            key_hashes=frozenset() if api_key is None else frozenset({api_key_hash(api_key)}),
            scopes=frozenset() if scope_id is None else frozenset({scope_id}),
            messengers=frozenset() if messenger_id is None else frozenset({messenger_id}),
            amojo_channels=frozenset() if amojo_channel is None else frozenset({amojo_channel}),
        )
        return await self._second_look.at(names)

    async def _look_for(self, names: Names) -> None:
        keys, links = await self._store.read(rows.find_names, names)
        if any(key not in self._by_key for key in keys) or any(
            self._links.get(link.id) != link for link in links
        ):
            await self.load()

    # --- channels ---

    def channels(self) -> list[Channel]:
        """Return every channel, oldest first."""
        return list(self._channels.values())

    def find_channel(self, name: str) -> Channel | None:
        """Return the channel with this id or code."""
        by_code = (channel for channel in self._channels.values() if channel.code == name)
        return self._channels.get(name) or next(by_code, None)

    def channel(self, name: str) -> Channel:
        """Return the channel with this id or code.

        Raises:
            NotFound: there is none.

        """
        channel = self.find_channel(name)
        if channel is None:
            raise no_channel(name)
        return channel

    async def add_channel(self, channel: Channel) -> Channel:
        """Store a new channel.

        Raises:
            AlreadyExists: its id or code is taken.

        """
        await self._store.write(rows.add_channel, channel, self._sealer)
        self._changes += 1
        self._channels[channel.id] = channel
        return channel

    async def change_channel(self, channel: Channel, changes: dict[str, Any]) -> Channel:
        """Store and return the channel with these members changed."""
        changes = changes | {"updated_at": self._clock.now()}
        changed = await self._store.write(rows.change_channel, channel.id, changes, self._sealer)
        self._changes += 1
        self._channels[changed.id] = changed
        return changed

    # --- messengers ---

    def messengers(self) -> list[Messenger]:
        """Return every messenger, oldest first."""
        return list(self._messengers.values())

    def messenger(self, messenger_id: str) -> Messenger:
        """Return a messenger.

        Raises:
            NotFound: there is none.

        """
        found = self._messengers.get(messenger_id)
        if found is None:
            raise no_messenger(messenger_id)
        return found

    async def find_messenger(self, messenger_id: str) -> Messenger | None:
        """Return a messenger whose id somebody names; one that another node made a moment ago is looked for.

        Raises:
            StoreUnavailable: the database is away, and it is not known here.

        """
        if messenger_id not in self._messengers:
            await self.look_for(messenger_id=messenger_id)
        return self._messengers.get(messenger_id)

    def messenger_by_key(self, api_key: str) -> Messenger | None:
        """Return the messenger an API key belongs to: its own, or for a while the one before that."""
        given = api_key_hash(api_key)
        found = self._by_key.get(given)
        if found is not None:
            return found
        former = self._by_old_key.get(given)
        return former if former and self._clock.now() < former.old_api_key_until else None

    def messenger_by_amojo(self, channel_id: str) -> Messenger | None:
        """Return the messenger with this channel id in its amojo identity."""
        return self._by_amojo.get(channel_id)

    async def add_messenger(self, messenger: Messenger) -> Messenger:
        """Store a new messenger."""
        await self._store.write(rows.add_messenger, messenger, self._sealer)
        self._changes += 1
        self._keep_messenger(messenger)
        return messenger

    async def change_messenger(self, messenger: Messenger, changes: dict[str, Any]) -> Messenger:
        """Store and return the messenger with these members changed."""
        return await self.revise_messenger(messenger, lambda _: changes)

    async def revise_messenger(
        self, messenger: Messenger, revise: Callable[[Messenger], dict[str, Any]]
    ) -> Messenger:
        """Store and return the messenger with the members changed that `revise` says, given what is stored now."""
        now = self._clock.now()
        changed = await self._store.write(
            rows.revise_messenger,
            messenger.id,
            lambda stored: revise(stored) | {"updated_at": now},
            self._sealer,
        )
        self._changes += 1
        self._keep_messenger(changed)
        return changed

    # --- links ---

    def links(self) -> list[Link]:
        """Return every link, oldest first, disconnected ones included."""
        return list(self._links.values())

    def link_by_id(self, link_id: int) -> Link:
        """Return a link by the number entries refer to it with."""
        return self._links[link_id]

    def find_link_by_id(self, link_id: int) -> Link | None:
        """Return the link with this number, if it is known here."""
        return self._links.get(link_id)

    async def link_made_lately(self, link_id: int) -> Link:
        """Return a link that another node made a moment ago."""
        await self.catch_up()
        return self._links[link_id]

    def find_link(self, scope_id: str) -> Link | None:
        """Return the link with this scope."""
        return self._by_scope.get(scope_id)

    def links_of(self, messenger: Messenger) -> list[Link]:
        """Return the connected links of a messenger."""
        links = self._by_messenger.get(messenger.id, {}).values()
        return [link for link in links if link.state is LinkState.CONNECTED]

    def all_links_of(self, messenger: Messenger) -> list[Link]:
        """Return the links of a messenger, disconnected ones included."""
        return list(self._by_messenger.get(messenger.id, {}).values())

    async def add_link(self, link: Link, events: Sequence[LinkEvent] = ()) -> Link:
        """Store a new link, with events that tell of it, and return it with its number.

        Raises:
            AlreadyExists: the account is linked to the channel already.

        """
        stored, lanes = await self._store.write(link_events.add_link, link, events)
        self._changes += 1
        self._keep_link(stored)
        self._queued(lanes)
        return stored

    async def change_link(
        self, link: Link, events: Sequence[LinkEvent] = (), **changes: Any
    ) -> Link:
        """Store the link with these members changed, with events that tell of it; return it."""
        changed, lanes = await self._store.write(link_events.change_link, link.id, changes, events)
        self._changes += 1
        self._keep_link(changed)
        self._queued(lanes)
        return changed

    def _keep_messenger(self, messenger: Messenger) -> None:
        before = self._messengers.get(messenger.id)
        if before is not None:
            self._by_key.pop(before.api_key_hash, None)
            self._by_old_key.pop(before.old_api_key_hash or b"", None)
        self._messengers[messenger.id] = messenger
        self._by_key[messenger.api_key_hash] = messenger
        if messenger.old_api_key_hash is not None:
            self._by_old_key[messenger.old_api_key_hash] = messenger
        self._by_amojo[messenger.amojo.channel_id] = messenger

    def _keep_link(self, link: Link) -> None:
        before = self._links.get(link.id)
        if before is not None:
            del self._by_messenger[before.messenger_id][link.id]
            del self._by_scope[before.scope_id]
        self._links[link.id] = link
        self._by_scope[link.scope_id] = link
        self._by_messenger.setdefault(link.messenger_id, {})[link.id] = link


def no_messenger(messenger_id: str) -> NotFound:
    """Return the refusal of who names a messenger that does not exist, or not for them."""
    return NotFound(f"There is no messenger {messenger_id!r}. Make one with POST /v1/messengers.")


def no_channel(name: str) -> NotFound:
    """Do as `no_messenger` for a channel."""
    return NotFound(f"There is no channel {name!r}. Register it with POST /v1/channels.")


def no_link(scope_id: str) -> NotFound:
    """Do as `no_messenger` for a link."""
    return NotFound(f"There is no link {scope_id!r}. Make it with POST /v1/links.")


def _nobody(_: Iterable[int]) -> None:
    """Take note of nothing."""
