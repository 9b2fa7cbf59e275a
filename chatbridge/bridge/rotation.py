"""Replaces keys of messengers; the one before stays valid for a while, so that nobody has to change both sides at once."""

from collections.abc import Callable
from typing import Any, NamedTuple

from chatbridge.bridge.directory import Directory
from chatbridge.clock import Clock
from chatbridge.errors import RotationUnderWay
from chatbridge.ids import api_key_hash
from chatbridge.model import Messenger

_HOUR = 3600 * 1_000_000


class Rotated(NamedTuple):
    """A key that was replaced."""

    new: str
    old_until: int
    """Until then the one before is valid too."""


class Rotation:
    """Both keys of a messenger. At any time one old key of each is valid at most."""

    def __init__(
        self,
        *,
        directory: Directory,
        clock: Clock,
        new_secret: Callable[[], str],
        new_api_key: Callable[[], str],
    ) -> None:
        """Make new keys with these."""
        self._directory, self._clock = directory, clock
        self._new_secret, self._new_api_key = new_secret, new_api_key

    async def webhook_secret(self, messenger: Messenger, overlap_hours: int) -> Rotated:
        """Replace the secret of webhooks; for so many hours they are signed with the old one as well.

        Raises:
            RotationUnderWay: the one before is still valid. Without an overlap it ends instead.

        """
        new, now = self._new_secret(), self._clock.now()
        until = now + overlap_hours * _HOUR

        def replaced(stored: Messenger) -> dict[str, Any]:
            _check(stored.old_webhook_secret_until, now=now, until=until)
            return {
                "webhook_secret": new,
                "old_webhook_secret": stored.webhook_secret if until > now else None,
                "old_webhook_secret_until": until,
            }

        await self._directory.revise_messenger(messenger, replaced)
        return Rotated(new, until)

    async def api_key(self, messenger: Messenger, overlap_hours: int) -> Rotated:
        """Replace the API key; for so many hours the old one opens the same.

        Raises:
            RotationUnderWay: the one before is still valid. Without an overlap it ends instead.

        """
        new, now = self._new_api_key(), self._clock.now()
        until = now + overlap_hours * _HOUR

        def replaced(stored: Messenger) -> dict[str, Any]:
            _check(stored.old_api_key_until, now=now, until=until)
            return {
                "api_key_hash": api_key_hash(new),
                "old_api_key_hash": stored.api_key_hash if until > now else None,
                "old_api_key_until": until,
            }

        await self._directory.revise_messenger(messenger, replaced)
        return Rotated(new, until)


def _check(old_until: int, *, now: int, until: int) -> None:
    if old_until > now and until > now:
        raise RotationUnderWay
