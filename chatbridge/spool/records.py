"""Records of the spool: length, checksum, payload. What a crash left unfinished at the end of a file is recognised as such.

4 bytes  length of the payload, big-endian
4 bytes  CRC-32 of the payload
payload  arrival (8 bytes, microseconds), length of the scope (2 bytes), scope, body
"""

import struct
import zlib
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct(">II")
_BEGIN: Final = struct.Struct(">QH")


class Spooled(NamedTuple):
    """A callback whose signature was right."""

    scope_id: str
    arrived_at: int
    body: bytes


class Decoded(NamedTuple):
    """What was read from the start of some bytes."""

    records: list[Spooled]
    size: int
    """How many bytes they take. What follows is no whole record."""


def encode(record: Spooled) -> bytes:
    """Return a record as bytes."""
    scope = record.scope_id.encode(errors="surrogateescape")
    payload = _BEGIN.pack(record.arrived_at, len(scope)) + scope + record.body
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def decode(data: bytes) -> Decoded:
    """Return the whole records at the start of these bytes, up to the first that is cut off or damaged."""
    records, at = [], 0
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        payload = data[at + _HEAD.size : end]
        if length < _BEGIN.size or len(payload) < length or zlib.crc32(payload) != checksum:
            break
        records.append(_read(payload))
        at = end
    return Decoded(records, at)


def _read(payload: bytes) -> Spooled:
    arrived_at, length = _BEGIN.unpack_from(payload)
    body = _BEGIN.size + length
    scope = payload[_BEGIN.size : body].decode(errors="surrogateescape")
    return Spooled(scope, arrived_at, payload[body:])
