"""Texts that visitors keep and only this server can make: who they are, and which files are theirs. Pure.

A text is what it says, readable, and a MAC. The MAC covers the messenger and the purpose as well, so a text of one is nothing for another.
"""

import base64
import hmac
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

_DOT: Final = "."
_LIFETIME: Final = 180 * 86_400 * 1_000_000
"""Microseconds that a session is good for."""


class Sealed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What can be sealed."""


class Session(Sealed, frozen=True):
    """Whoever has it is this visitor."""

    visitor: str
    at: int
    """When it was given, microseconds."""

    def is_good(self, now: int) -> bool:
        """Return whether it still counts; every welcome gives a new one."""
        return self.at + _LIFETIME > now


class Ticket(Sealed, frozen=True):
    """A file that a visitor uploaded."""

    visitor: str
    media_id: str
    url: str
    content_type: str
    size: int
    file_name: str | None


Kind = TypeVar("Kind", bound=Sealed)


class Seals:
    """Seals for one messenger."""

    def __init__(self, keys: Sequence[bytes], messenger_id: str) -> None:
        """Seal with the first of these keys; all of them open."""
        self._keys, self._messenger_id = keys, messenger_id

    def seal(self, value: Sealed) -> str:
        """Return a value as a text that nobody can change."""
        said = msgspec.json.encode(value)
        return f"{_text(said)}{_DOT}{_text(self._tag(self._keys[0], type(value), said))}"

    def open(self, text: str, kind: type[Kind]) -> Kind | None:
        """Return what was sealed; None if this is no text of ours, or of another kind or messenger."""
        said, _, tag = text.partition(_DOT)
        try:
            data, given = _bytes(said), _bytes(tag)
        except ValueError:
            return None
        genuine = [hmac.compare_digest(self._tag(key, kind, data), given) for key in self._keys]
        return msgspec.json.decode(data, type=kind) if any(genuine) else None

    def _tag(self, key: bytes, kind: type[Sealed], said: bytes) -> bytes:
        context = msgspec.json.encode((kind.__name__, self._messenger_id))
        return hmac.digest(key, context + said, "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
