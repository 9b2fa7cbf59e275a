"""What clients and operators say to each other in the tests of a connector."""

from typing import Final

from chatbridge.model import ContactCard, Location, MessageType
from chatbridge.testing.far_side import File, Said

FILES: Final = {
    MessageType.PICTURE: File(
        "photo.png",
        "image/png",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0" + b"\0" * 40,
    ),
    MessageType.FILE: File("price list.pdf", "application/pdf", b"%PDF-1.7\n" + b"x" * 40),
    MessageType.VIDEO: File(
        "film.mp4", "video/mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 40
    ),
    MessageType.VOICE: File(
        "voice.ogg", "audio/ogg", b"OggS\0\2" + b"\0" * 22 + b"OpusHead" + b"\0" * 40
    ),
    MessageType.AUDIO: File("song.mp3", "audio/mpeg", b"ID3\4\0\0" + b"\0" * 60),
    MessageType.STICKER: File("sticker.webp", "image/webp", b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 40),
}
"""A small file of each kind, by the type of message that carries it."""

PLACE: Final = Location(lat=55.751244, lon=37.618423)
CARD: Final = ContactCard(name="Maria Ivanova", phone="+79031112233")
CAPTION: Final = "Look at this"

TEXTS: Final = {
    "html": "<b>5 < 6</b> & \"quotes\" 'too' &amp; <script>alert(1)</script>",
    "markdown": "*bold* _under_ ~strike~ `code` ||spoiler|| [a](b) # - + = | { } . ! \\ >quoted",
    "emoji": "👩🏽‍🔧 ok 👍🏿 🏳️‍🌈 1️⃣ 🇷🇺",
    "right to left": "שלום \u200fمرحبا\u200e abc 123",  # noqa: RUF001
    "lines": "first\nsecond\n\n    fourth, indented\nlast",
    "odd": "zero\u200bwidth no\u00a0break tab\there \\0 %00 \\u0000 ␀ {{x}} ${y} %s",
    "languages": "Здравствуйте, ё! 你好 ไทย Ελλάδα ßẞ",
    "address": "https://shop.example.com/?a=1&b=2#top or +7 (915) 000-00-00",
}
"""Texts that formats and encodings stumble over."""


def said_of(kind: MessageType, *, captions: bool) -> Said:
    """Return a client's message of this type."""
    if kind is MessageType.TEXT:
        return Said(text="Is it still there?")
    if kind is MessageType.LOCATION:
        return Said(type=kind, location=PLACE)
    if kind is MessageType.CONTACT:
        return Said(type=kind, contact=CARD)
    captions = captions and kind is not MessageType.STICKER
    return Said(type=kind, file=FILES[kind], text=CAPTION if captions else None)


def words(length: int) -> str:
    """Return a text of so many characters, each word of it another."""
    text, number = "", 0
    while len(text) < length:
        number += 1
        text += f"word{number} "
    return text[: length - 1] + "."


def check_file(found: bytes | None, wanted: bytes) -> None:
    """Fail unless a file arrived byte for byte; without showing it."""
    if found is None:
        raise AssertionError(f"no file arrived, of {len(wanted)} bytes")
    if found != wanted:
        raise AssertionError(f"a file of {len(wanted)} bytes arrived as another of {len(found)}")
