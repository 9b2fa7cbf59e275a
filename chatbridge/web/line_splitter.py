"""Cuts a stream of bytes into lines. Pure; what it holds is never more than one line of the size that is allowed."""

from collections.abc import Iterator
from typing import NamedTuple


class RawLine(NamedTuple):
    """A line as it came, without its end."""

    number: int
    """From 1."""
    data: bytes | None
    """None if it was too long: nothing of it was kept."""


class LineSplitter:
    """Cuts what it is fed at line feeds. Empty lines are counted and passed over."""

    def __init__(self, *, limit: int) -> None:
        """Keep lines of so many bytes at most."""
        self._limit = limit
        self._begun = bytearray()
        self._number = 1
        self._too_long = False

    def feed(self, piece: bytes) -> Iterator[RawLine]:
        """Return the lines that end in this piece."""
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._add(part)
            yield from self.end()
            self._number += 1
        self._add(rest)

    def end(self) -> Iterator[RawLine]:
        """Return the line that was begun, as if it ended here."""
        data = bytes(self._begun)
        if self._too_long:
            yield RawLine(self._number, None)
        elif data.strip():
            yield RawLine(self._number, data)
        self._begun.clear()
        self._too_long = False

    def _add(self, part: bytes) -> None:
        if len(self._begun) + len(part) > self._limit:
            self._too_long = True
            self._begun.clear()
        if not self._too_long:
            self._begun += part
