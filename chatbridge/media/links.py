"""Links by which files are fetched: whoever has one may read this file, and nobody can make one up. Pure."""

import base64
import hmac
from collections.abc import Sequence
from typing import Final

from chatbridge.media.kinds import extension_of

_ID: Final = 16
_TAG: Final = 16
PATH: Final = "/media/"


class MediaLinks:
    """Makes links, and reads them. A link lives as long as the file."""

    def __init__(self, public_url: str, keys: Sequence[str]) -> None:
        """Sign with a key derived from the first of these passphrases; all of them open."""
        self._before = public_url.rstrip("/") + PATH
        self._keys = [
            hmac.digest(key.encode(), b"chatbridge media links v1", "sha256") for key in keys
        ]

    def link(self, media_id: bytes, content_type: str) -> str:
        """Return the link of a file."""
        token = base64.urlsafe_b64encode(media_id + _tag(self._keys[0], media_id))
        return f"{self._before}{token.decode().rstrip('=')}{extension_of(content_type)}"

    def read(self, name: str) -> bytes | None:
        """Return the id of the file whose link ends with this name, None if it is no link of ours."""
        token = name.partition(".")[0]
        try:
            signed = base64.b64decode(
                token + "=" * (-len(token) % 4), altchars=b"-_", validate=True
            )
        except ValueError:
            return None
        media_id, tag = signed[:_ID], signed[_ID:]
        genuine = [hmac.compare_digest(_tag(key, media_id), tag) for key in self._keys]
        return media_id if any(genuine) else None

    def read_url(self, url: str) -> bytes | None:
        """Return the id of the file that a link of ours leads to, None for every other link."""
        return self.read(url.removeprefix(self._before)) if url.startswith(self._before) else None


def _tag(key: bytes, media_id: bytes) -> bytes:
    return hmac.digest(key, media_id, "sha256")[:_TAG]
