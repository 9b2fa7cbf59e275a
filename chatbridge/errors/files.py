"""A file on its way to us."""

from typing import ClassVar

from chatbridge.errors.base import ChatbridgeError


class MediaError(ChatbridgeError):
    """A file could not be copied. The sentence names no more of its address than the host."""

    again: ClassVar[bool] = False


class MediaForbidden(MediaError):
    """The link leads where this server must not call, or is none."""

    code = "media_forbidden"


class MediaGone(MediaError):
    """Whoever has the file does not give it out (any more)."""

    code = "media_gone"


class MediaTooLarge(MediaError):
    """The file is larger than `media.max_bytes`, or than its messenger gives out."""

    code = "media_too_large"


class MediaUnreachable(MediaError):
    """The file did not come, or not whole, or too slowly."""

    code, again = "media_unreachable", True


class MediaNotKept(MediaError):
    """The place where files are kept (`media.url`) did not take it."""

    code, again = "media_not_kept", True
