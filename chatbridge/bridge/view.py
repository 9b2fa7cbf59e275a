"""What a caller of the management API sees of a server: what is not of their workspace does not exist for them."""

from chatbridge.bridge.directory import Directory, no_channel, no_link, no_messenger
from chatbridge.errors import Forbidden
from chatbridge.model import Channel, Link, Messenger, Permission, Principal


class View:
    """The directory through somebody's eyes."""

    def __init__(self, directory: Directory, principal: Principal) -> None:
        """Show what this caller may see."""
        self._directory, self._principal = directory, principal

    def messengers(self) -> list[Messenger]:
        """Return every messenger, oldest first."""
        sees = self._principal.sees
        return [each for each in self._directory.messengers() if sees(each.workspace_id)]

    def messenger(self, messenger_id: str) -> Messenger:
        """Return a messenger.

        Raises:
            NotFound: there is none.

        """
        found = self._directory.messenger(messenger_id)
        if not self._principal.sees(found.workspace_id):
            raise no_messenger(messenger_id)
        return found

    def channels(self) -> list[Channel]:
        """Return every channel that may be connected, the server's own included, oldest first."""
        return [each for each in self._directory.channels() if self._may_use(each)]

    def channel(self, name: str) -> Channel:
        """Return the channel with this id or code.

        Raises:
            NotFound: there is none.

        """
        found = self._directory.find_channel(name)
        if found is None or not self._may_use(found):
            raise no_channel(name)
        return found

    def own_channel(self, name: str) -> Channel:
        """Return a channel that this caller may change.

        Raises:
            NotFound: there is none.
            Forbidden: it is the server's.

        """
        channel = self.channel(name)
        if channel.workspace_id is None and not self._principal.may(Permission.SERVER):
            raise Forbidden("The channel is the server's: its operator changes it.")
        return channel

    def links(self) -> list[Link]:
        """Return every link, oldest first, disconnected ones included."""
        return [each for each in self._directory.links() if self._sees(each)]

    def link(self, scope_id: str) -> Link:
        """Return a link.

        Raises:
            NotFound: there is none.

        """
        found = self._directory.find_link(scope_id)
        if found is None or not self._sees(found):
            raise no_link(scope_id)
        return found

    @property
    def is_partial(self) -> bool:
        """Return whether there may be something that is not visible."""
        return self._principal.workspace_id is not None

    def link_ids(self) -> tuple[int, ...] | None:
        """Return the numbers of the links that are visible, None if all are."""
        return tuple(link.id for link in self.links()) if self.is_partial else None

    def scope_ids(self) -> tuple[str, ...] | None:
        """Return the scopes of the links that are visible, None if all are."""
        return tuple(link.scope_id for link in self.links()) if self.is_partial else None

    def _may_use(self, channel: Channel) -> bool:
        return channel.workspace_id is None or self._principal.sees(channel.workspace_id)

    def _sees(self, link: Link) -> bool:
        return self._principal.sees(self._directory.messenger(link.messenger_id).workspace_id)
