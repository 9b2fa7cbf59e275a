"""What nodes tell each other of feeds, as words of notifications. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

MOST: Final = 7_900
"""Bytes of a notification at most; PostgreSQL takes fewer than 8,000."""

Place = tuple[str, str]
"""A messenger and a topic."""


class News(msgspec.Struct, array_like=True, frozen=True):
    """Where there is something new, or what is whispered there."""

    node: str
    """Who tells it."""
    places: list[Place]
    whisper: str | None = None


_READ: Final = msgspec.json.Decoder(News)


def words_of(node: str, places: Iterable[Place]) -> list[str]:
    """Return the words that tell of these places, in as many notifications as it takes."""
    empty = len(msgspec.json.encode(News(node, [])))
    told: list[list[Place]] = []
    room = 0
    for place in sorted(places):
        size = len(msgspec.json.encode(place)) + 1
        if size > room:
            told.append([])
            room = MOST - empty
        told[-1].append(place)
        room -= size
    return [_encode(News(node, some)) for some in told]


def words_of_whisper(node: str, place: Place, body: bytes) -> str | None:
    """Return the words that carry a whisper; None if it is too long for them."""
    words = _encode(News(node, [place], body.decode()))
    return words if len(words.encode()) <= MOST else None


def read_news(words: str) -> News:
    """Return what another node told."""
    return _READ.decode(words)


def _encode(news: News) -> str:
    return msgspec.json.encode(news).decode()
