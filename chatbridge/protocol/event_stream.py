"""Server-sent events as bytes (WHATWG HTML, section 9.2 "Server-sent events"). Pure."""

from typing import Final

import msgspec

from chatbridge.protocol.webhook_events import format_time

CONTENT_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = b":\n\n"
"""A comment. It says that the connection is alive, and nothing else."""
_DEFAULT: Final = "message"
"""The type of an event that names none, as readers have it."""


class _Typed(msgspec.Struct):
    type: str = _DEFAULT


class _Missing(msgspec.Struct):
    after: int
    before: int


class _Gap(msgspec.Struct):
    timestamp: str
    data: _Missing
    type: str = "stream.gap"


_READ: Final = msgspec.json.Decoder(_Typed)


def build_retry(milliseconds: int) -> bytes:
    """Return what tells a reader how long to wait before it comes again after a lost connection."""
    return b"retry: %d\n\n" % milliseconds


def build_event(data: bytes, *, event_id: int | None = None) -> bytes:
    """Return an event of the type that its data name.

    A reader remembers the id of the last event that had any, and names it when it comes again (`Last-Event-ID`). Data of several
    lines are told line by line; a reader takes a CR for the end of one as well.
    """
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    head = b"" if event_id is None else b"id: %d\n" % event_id
    named = b"event: %s\n" % _type_of(data).encode()
    return b"".join((head, named, *(b"data: %s\n" % line for line in lines), b"\n"))


def build_gap(*, after: int, before: int, now: int) -> bytes:
    """Return the event `stream.gap`: nothing between these positions is kept any more."""
    missing = _Gap(timestamp=format_time(now), data=_Missing(after=after, before=before))
    return build_event(msgspec.json.encode(missing), event_id=before - 1)


def _type_of(data: bytes) -> str:
    try:
        named = _READ.decode(data).type
    except msgspec.MsgspecError:
        return _DEFAULT
    # Whatever has an end of line in it would be read as more than a type.
    return named if named.isprintable() else _DEFAULT
