"""What a file is, by its first bytes: never by its name, nor by what its sender says. Pure."""

import mimetypes
from typing import Final

import filetype  # type: ignore[import-untyped]  # it has no annotations

from chatbridge.model import MessageType

ENOUGH: Final = 8192
"""Bytes from the beginning of a file that tell what it is."""
UNKNOWN: Final = "application/octet-stream"

SHOWN: Final = frozenset(
    {
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/heic", "image/bmp",
        "audio/mpeg", "audio/ogg", "audio/mp4", "audio/x-wav", "audio/aac", "audio/amr", "audio/x-flac",
        "video/mp4", "video/webm", "video/quicktime", "video/x-matroska", "video/3gpp",
    }
)  # fmt: skip
"""Types that a browser may show at our address: none of them can carry a script."""

_PAGES: Final = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<iframe")
_FAMILIES: Final = {
    MessageType.PICTURE: ("image/",),
    MessageType.STICKER: ("image/", "video/", "application/gzip"),
    MessageType.VIDEO: ("video/",),
    MessageType.VOICE: ("audio/", "video/"),
    MessageType.AUDIO: ("audio/", "video/"),
}
"""What a message of a type may carry. Some sound comes in containers that may hold a film too."""
_EXTENSIONS: Final = {
    "image/jpeg": ".jpg",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "audio/x-wav": ".wav",
    "text/plain": ".txt",
    UNKNOWN: "",
}


def content_type_of(start: bytes) -> str:
    """Return the MIME type of a file that begins like this; `application/octet-stream` if it cannot be told."""
    found = filetype.guess_mime(start[:ENOUGH])
    if found is not None:
        return str(found)
    begin = start[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if begin.startswith(_PAGES):
        return "text/html"
    if begin.startswith((b"<svg", b"<?xml")):
        return "image/svg+xml" if b"<svg" in begin else "text/xml"
    return "text/plain" if _is_text(start[:ENOUGH]) else UNKNOWN


def fits(kind: MessageType, content_type: str) -> bool:
    """Return whether a message of this type may carry such a file, as far as that can be told."""
    families = _FAMILIES.get(kind)
    if families is None:
        return True
    if content_type == UNKNOWN:
        return kind is not MessageType.PICTURE  # every picture can be told
    return content_type.startswith(families) and content_type != "image/svg+xml"


def extension_of(content_type: str) -> str:
    """Return how names of such files end, with the dot; empty if that cannot be told."""
    known = _EXTENSIONS.get(content_type)
    return mimetypes.guess_extension(content_type) or "" if known is None else known


def _is_text(start: bytes) -> bool:
    if not start or b"\0" in start:
        return False
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(start) - 3  # cut off within a character
    return True
