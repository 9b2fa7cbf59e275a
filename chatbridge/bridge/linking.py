"""Connects accounts to channels at amojo, and disconnects them."""

from collections.abc import Callable

from chatbridge.bridge.directory import Directory
from chatbridge.clock import Clock
from chatbridge.connectors.base import Notice
from chatbridge.errors import (
    AlreadyExists,
    DeliveryError,
    Duplicate,
    FarSideRefused,
    FarSideUnreachable,
    Misconfigured,
    Rejected,
    RequestRefused,
    Throttled,
)
from chatbridge.model import Channel, Link, LinkEvent, LinkState, Messenger
from chatbridge.protocol.amojo import calls, replies
from chatbridge.protocol.http import Transport


class Linking:
    """Makes and ends links."""

    def __init__(
        self,
        *,
        directory: Directory,
        transport: Transport,
        clock: Clock,
        wants: Callable[[Messenger, Notice], bool],
    ) -> None:
        """Call amojo through `transport`; messengers that want it are told of changes."""
        self._directory, self._transport, self._clock = directory, transport, clock
        self._wants = wants

    async def connect(
        self, channel: Channel, messenger: Messenger, account_id: str, title: str | None
    ) -> Link:
        """Connect the account at amojo and store the link. Repeating it after a reinstall resumes conversations.

        Raises:
            AlreadyExists: the account is linked to this channel with another messenger.
            FarSideRefused, FarSideUnreachable: amojo said no, or nothing; nothing was stored.

        """
        known = self._known(channel, account_id)
        if known is not None:
            self._check_free(known, messenger)
        scope_id = await self._call_connect(channel, account_id, title)
        now = self._clock.now()
        if known is not None:
            resumed = known.state is LinkState.DISCONNECTED or known.messenger_id != messenger.id
            return await self._directory.change_link(
                known,
                self._gained(messenger.id) if resumed else [],
                state=LinkState.CONNECTED,
                scope_id=scope_id,
                messenger_id=messenger.id,
                title=title or known.title,
                hook_version=channel.hook_version,
                connected_at=now,
            )
        return await self._directory.add_link(
            Link(
                id=0,
                scope_id=scope_id,
                channel_id=channel.id,
                account_id=account_id,
                messenger_id=messenger.id,
                title=title,
                state=LinkState.CONNECTED,
                hook_version=channel.hook_version,
                created_at=now,
                connected_at=now,
            ),
            self._gained(messenger.id),
        )

    async def change(self, link: Link, messenger: Messenger, title: str | None) -> Link:
        """Move a link to another messenger or rename it; a new title is told to amojo.

        Raises:
            FarSideRefused, FarSideUnreachable: amojo said no, or nothing; nothing was changed.

        """
        if title != link.title and link.state is LinkState.CONNECTED:
            await self._call_connect(
                self._directory.channel(link.channel_id), link.account_id, title
            )
        moved = messenger.id != link.messenger_id and link.state is LinkState.CONNECTED
        # In this order: whoever has it now need not wait for a webhook that may be dead.
        events = [*self._gained(messenger.id), *self._lost(link.messenger_id)] if moved else []
        return await self._directory.change_link(
            link, events, messenger_id=messenger.id, title=title
        )

    async def disconnect(self, link: Link) -> None:
        """Stop callbacks at amojo and close the link; its conversations and history stay.

        Raises:
            FarSideRefused, FarSideUnreachable: amojo said no, or nothing; the link stays as it is.

        """
        channel = self._directory.channel(link.channel_id)
        request = calls.disconnect(channel, link.account_id, now=self._clock.wall())
        try:
            replies.read_done(await self._transport.send(request))
        except DeliveryError as error:
            raise refusal(error) from error
        connected = link.state is LinkState.CONNECTED
        await self._directory.change_link(
            link,
            self._lost(link.messenger_id) if connected else [],
            state=LinkState.DISCONNECTED,
        )

    def _check_free(self, link: Link, messenger: Messenger) -> None:
        """Refuse to take a link from somebody."""
        if link.messenger_id == messenger.id:
            return
        if self._directory.messenger(link.messenger_id).workspace_id != messenger.workspace_id:
            # Its conversations are what somebody's clients said: they do not change hands, connected or not.
            raise AlreadyExists(
                "The account belongs to another workspace of this server. Its operator can tell more."
            )
        if link.state is LinkState.CONNECTED:
            raise AlreadyExists(
                f"{link.scope_id} belongs to another messenger. Move it with PATCH /v1/links/{link.scope_id}."
            )

    def _gained(self, messenger_id: str) -> list[LinkEvent]:
        return self._event(messenger_id, LinkState.CONNECTED, Notice.LINK_CONNECTED)

    def _lost(self, messenger_id: str) -> list[LinkEvent]:
        return self._event(messenger_id, LinkState.DISCONNECTED, Notice.LINK_DISCONNECTED)

    def _event(self, messenger_id: str, state: LinkState, notice: Notice) -> list[LinkEvent]:
        """Return the event that tells a messenger of its link, if it wants it."""
        if not self._wants(self._directory.messenger(messenger_id), notice):
            return []
        now = self._clock.now()
        return [LinkEvent(messenger_id=messenger_id, state=state, changed_at=now)]

    def _known(self, channel: Channel, account_id: str) -> Link | None:
        return next(
            (
                link
                for link in self._directory.links()
                if link.channel_id == channel.id and link.account_id == account_id
            ),
            None,
        )

    async def _call_connect(self, channel: Channel, account_id: str, title: str | None) -> str:
        named = title or channel.title or channel.code
        request = calls.connect(channel, account_id, title=named, now=self._clock.wall())
        try:
            return replies.read_connected(await self._transport.send(request))
        except DeliveryError as error:
            raise refusal(error) from error


def refusal(error: DeliveryError) -> RequestRefused:
    """Return what a caller is told of a call that amojo did not carry out, amojo's own code and text included."""
    far = {"status": error.status, "code": error.far_code, "detail": str(error)}
    told = {name: value for name, value in far.items() if value is not None}
    said_no = isinstance(error, (Duplicate, Misconfigured, Rejected, Throttled))
    answered = error.status is not None and said_no
    kind = FarSideRefused if answered else FarSideUnreachable
    return kind(str(error), far=told)
