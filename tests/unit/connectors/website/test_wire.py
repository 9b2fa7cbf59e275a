import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.connectors.website import wire
from chatbridge.errors import UnreadablePayload

UUID = "0b8f8f1e-6f0a-4a52-9d0c-0d7f1b0f2a11"
HELLO = {
    "type": "hello",
    "session": None,
    "after": None,
    "language": "ru",
    "page": None,
    "profile": None,
}
SAY = {
    "type": "message",
    "id": UUID,
    "at": "2026-11-22T10:00:00.000Z",
    "text": "Hi",
    "media_id": None,
    "file_name": None,
    "reply_to": None,
    "button": None,
}
GOOD: list[dict[str, Any]] = [
    HELLO,
    {"type": "hello", "session": "s", "after": 0},
    HELLO | {"now": "2026-11-22T10:00:00.000Z", "profile": {"name": "Anna", "phone": None, "email": None}},
    HELLO | {"page": {"url": "https://a.example/", "title": None, "referrer": None, "utm": {"source": "x"}}},
    SAY,
    {"type": "message", "id": UUID, "at": "2026-11-22T10:00:00+03:00", "text": "x"},
    {"type": "received", "position": 1},
    {"type": "read", "position": 2},
    {"type": "typing"},
    {"type": "profile", "name": None, "phone": "1", "email": None},
    {"type": "page", "url": "https://a.example/", "title": "A"},
    {"type": "history", "before": 12},
    {"type": "ping"},
]  # fmt: skip
BAD: list[Any] = [
    None,
    [],
    {},
    "hello",
    {"type": "welcome"},
    {"type": "hello"},
    HELLO | {"more": 1},
    HELLO | {"after": -1},
    HELLO | {"after": 2**60},
    HELLO | {"after": 1.5},
    HELLO | {"session": 1},
    HELLO | {"now": "2026-11-22T10:00:00"},
    HELLO | {"page": {"utm": {"source": 1}}},
    HELLO | {"page": {"utm": [[[]]]}},
    SAY | {"id": "m-1"},
    SAY | {"id": UUID.upper()},
    SAY | {"id": UUID + "\n"},
    SAY | {"at": "yesterday"},
    SAY | {"at": 1_790_000_000},
    SAY | {"text": ["Hi"]},
    SAY | {"reply_to": "x" * 256},
    {"type": "received"},
    {"type": "read", "position": "1"},
    {"type": "read", "position": True},
    {"type": "typing", "on": True},
    {"type": "history", "before": None},
]


@pytest.mark.parametrize("frame", GOOD, ids=lambda frame: frame["type"])
def test_what_a_page_may_say(frame: dict[str, Any]) -> None:
    assert wire.read_frame(json.dumps(frame))


@pytest.mark.parametrize("frame", BAD, ids=str)
def test_what_is_no_frame(frame: Any) -> None:
    with pytest.raises(UnreadablePayload):
        wire.read_frame(json.dumps(frame))


@pytest.mark.parametrize(
    "data", ["", "{", "{}{}", "\x00", '{"type":"read","position":1', "[" * 60_000]
)
def test_what_is_no_json(data: str) -> None:
    with pytest.raises(UnreadablePayload):
        wire.read_frame(data)


@given(
    st.text()
    | st.recursive(st.none() | st.integers() | st.text() | st.floats(), st.lists).map(json.dumps)
)
def test_anything_is_a_frame_or_refused(data: str) -> None:
    with pytest.raises(UnreadablePayload):
        wire.read_frame(data)


@given(st.sampled_from(GOOD), st.data())
def test_a_frame_with_anything_in_a_member_is_a_frame_or_refused(
    frame: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(list(frame)))
    strange = st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.text())
    with suppress(UnreadablePayload):
        wire.read_frame(json.dumps(frame | {name: data.draw(strange)}))


def test_what_a_visitor_wrote_is_not_in_the_refusal() -> None:
    with pytest.raises(UnreadablePayload) as refused:
        wire.read_frame(json.dumps(SAY | {"id": "a secret", "text": "my number is 12345"}))
    assert "12345" not in str(refused.value)
    assert "a secret" not in str(refused.value)


def test_an_event_gets_its_position() -> None:
    body = b'{"type":"message","text":"</script>\\u2028"}'
    assert json.loads(wire.placed(body, 58)) == {"position": 58} | json.loads(body)


def test_answers_are_as_documented() -> None:
    assert json.loads(wire.welcome("s", 57, reset=False)) == {
        "type": "welcome", "session": "s", "position": 57, "reset": False,
    }  # fmt: skip
    assert json.loads(wire.accepted(UUID, 60)) == {"type": "accepted", "id": UUID, "position": 60}
    assert json.loads(wire.refused(UUID, "too_many", "Slow", 3.0)) == {
        "type": "refused", "id": UUID, "code": "too_many", "detail": "Slow", "retry_after": 3.0,
    }  # fmt: skip
    assert json.loads(wire.history([b'{"a":1}'], more=True)) == {
        "type": "history", "events": [{"a": 1}], "more": True,
    }  # fmt: skip
