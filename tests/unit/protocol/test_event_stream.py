"""Server-sent events, read back by the rules of the specification."""

import pytest

from chatbridge.protocol.event_stream import HEARTBEAT, build_event, build_gap, build_retry
from tests.unit.factories import NOW

TABLE = [
    (b'{"type":"a.b"}', 7, b'id: 7\nevent: a.b\ndata: {"type":"a.b"}\n\n'),
    (b'{"type":"a.b"}', None, b'event: a.b\ndata: {"type":"a.b"}\n\n'),
    (b'{"data":1}', 1, b'id: 1\nevent: message\ndata: {"data":1}\n\n'),
    (b'{"type":5}', 1, b'id: 1\nevent: message\ndata: {"type":5}\n\n'),
    (b'{"type":"a\\ndata: b"}', 1, b'id: 1\nevent: message\ndata: {"type":"a\\ndata: b"}\n\n'),
    (b"no JSON", 1, b"id: 1\nevent: message\ndata: no JSON\n\n"),
    (b"", 1, b"id: 1\nevent: message\ndata: \n\n"),
    ('{"type":"ж"}'.encode(), 1, 'id: 1\nevent: ж\ndata: {"type":"ж"}\n\n'.encode()),
    (b"{\n}", 1, b"id: 1\nevent: message\ndata: {\ndata: }\n\n"),
    (b"{\r\n}", 1, b"id: 1\nevent: message\ndata: {\ndata: }\n\n"),
    (b"{\r}\n", 1, b"id: 1\nevent: message\ndata: {\ndata: }\ndata: \n\n"),
]


@pytest.mark.parametrize(("body", "number", "wire"), TABLE)
def test_an_event_on_the_wire(body: bytes, number: int | None, wire: bytes) -> None:
    assert build_event(body, event_id=number) == wire


def test_what_is_no_event() -> None:
    assert build_retry(2000) == b"retry: 2000\n\n"
    assert HEARTBEAT == b":\n\n"


def test_a_gap_puts_the_cursor_at_its_end() -> None:
    head, event, data, *rest = build_gap(after=3, before=9, now=NOW).split(b"\n")
    assert (head, event, rest) == (b"id: 8", b"event: stream.gap", [b"", b""])
    assert b'"data":{"after":3,"before":9}' in data
    assert b'"timestamp":"2025-01-14T09:30:00.000Z"' in data
