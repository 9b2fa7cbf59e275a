"""amoCRM's callbacks as the documentation and captured ones show them ("Chats webhooks"), ids invented."""

import copy
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.errors import UnreadablePayload
from chatbridge.model import (
    ContactCard,
    Content,
    Kind,
    Location,
    Message,
    MessageType,
    Person,
    Reaction,
    Typing,
    decode_event,
    encode_event,
)
from chatbridge.protocol.amojo.callbacks import (
    OtherEvent,
    Said,
    read_callback,
    read_tolerantly,
)
from chatbridge.protocol.amojo.plain_callbacks import read_plain_message
from chatbridge.protocol.webhook_events import (
    Account,
    message_created,
    reaction_changed,
    typing_started,
)
from tests.unit.factories import NOW, VECTORS
from tests.unit.protocol.amojo.hook_samples import (
    CHAT,
    CLIENT,
    FLAT,
    FULL,
    MARKUP,
    OPERATOR,
    TEMPLATE,
    Wire,
    changed,
)


def read(body: Wire | bytes, *, fresh_id: str = "fresh", now: int = NOW) -> Said:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return read_callback(data, fresh_id=lambda: fresh_id, now=now)


def message_in(body: Wire | bytes, **arguments: Any) -> Message:
    said = read(body, **arguments)
    assert isinstance(said, Message)
    return said


# --- v2 -----------------------------------------------------------------------------------------


def test_a_full_v2_message() -> None:
    assert message_in(FULL) == Message(
        id="bbbbbbbb-0000-4111-8222-cccccccccccc",
        conversation_id="conv-1",
        amojo_conversation_id=CHAT,
        sent_at=1736847060_500_000,
        sender=Person(amojo_id=OPERATOR, name="Kate"),
        receiver=Person(id="cust-1", amojo_id=CLIENT, name="Ann", phone="+79000000001"),
        content=Content(
            type=MessageType.PICTURE,
            text="Offer for order 42",
            media_url="https://amojo.example/attachments/p.jpg",
            thumbnail_url="https://amojo.example/attachments/p_320x200.jpg",
            file_name="p.jpg",
            file_size=20480,
            media_group_id="album-1",
        ),
        source="line-1",
        extras={"markup": MARKUP, "template": TEMPLATE},
    )


def test_a_text_as_captured_from_the_live_service() -> None:
    """Empty strings and zeros stand for what is not there."""
    row = next(row for row in VECTORS["body_only"] if row["id"] == "H1")
    assert message_in(row["body"].encode() + b"\n") == Message(
        id="bbbbbbbb-0000-4111-8222-cccccccccccc",
        conversation_id="conv-1",
        amojo_conversation_id=CHAT,
        sent_at=1736847060_500_000,
        sender=Person(amojo_id=OPERATOR),
        receiver=Person(id="cust-1", amojo_id=CLIENT, name="Анна"),
        content=Content(type=MessageType.TEXT, text="Добрый день"),
    )


def test_the_least_a_v2_message_can_be() -> None:
    least = {"message": {"conversation": {"id": CHAT}, "message": {"id": "a-1", "type": "text"}}}
    assert message_in(least) == Message(
        id="a-1",
        conversation_id=None,
        amojo_conversation_id=CHAT,
        sent_at=NOW,
        sender=Person(),
        receiver=Person(),
        content=Content(type=MessageType.TEXT),
    )


def test_an_operator_who_writes_first_is_known_by_amocrms_ids_and_a_phone() -> None:
    first = changed(FULL, "message.conversation.client_id", ...)
    first = changed(first, "message.receiver.client_id", ...)
    message = message_in(first)
    assert (message.conversation_id, message.amojo_conversation_id) == (None, CHAT)
    assert message.receiver == Person(amojo_id=CLIENT, name="Ann", phone="+79000000001")


@pytest.mark.parametrize(
    ("quoted", "id_"),
    [
        ({"id": "amo-1", "msgid": "m-1"}, "m-1"),
        ({"id": "amo-1"}, "amo-1"),
        ({"type": "text", "text": "old words"}, None),
        ("m-1", None),
    ],
)
def test_a_quote_names_our_id_where_amocrm_gives_it(quoted: object, id_: str | None) -> None:
    hook = changed(FULL, "message.message.reply_to", {"message": quoted})
    message = message_in(hook)
    assert message.reply_to == id_
    assert message.extras["reply_to"] == {"message": quoted}


@pytest.mark.parametrize("name", ["markup", "template", "reply_to", "forwards", "post"])
@pytest.mark.parametrize("nothing", [None, {}, "", ...])
def test_extras_hold_only_what_is_there(name: str, nothing: object) -> None:
    hook = changed(FULL, f"message.message.{name}", None)
    assert name not in message_in(changed(hook, f"message.message.{name}", nothing)).extras


SAID = [
    ("voice", {"media": "https://a.example/o.ogg", "media_duration": 7}, {"duration": 7}),
    ("sticker", {"media": "https://a.example/s.webp", "sticker_id": "p:1"}, {"sticker_id": "p:1"}),
    (
        "location",
        {"media": "", "location": {"lon": 37, "lat": 55.75}},
        {"location": Location(lat=55.75, lon=37.0)},
    ),
    (
        "contact",
        {"media": "", "contact": {"name": "Bob", "phone": "+7900"}},
        {"contact": ContactCard(name="Bob", phone="+7900")},
    ),
    (
        "contact",
        {"media": "", "contact": {"phone": "+7900"}},
        {"contact": ContactCard(name="+7900", phone="+7900")},
    ),
]


@pytest.mark.parametrize(("kind", "wire", "members"), SAID)
def test_what_each_type_carries(kind: str, wire: Wire, members: Wire) -> None:
    hook = copy.deepcopy(FULL)
    inner = {"id": "a-1", "type": kind, "text": "", **wire}
    hook["message"]["message"] = inner
    expected = {"type": MessageType(kind), "media_url": wire["media"] or None} | members
    assert message_in(hook).content == Content(**expected)


# Official material contradicts itself; each of these is a form that was printed or captured somewhere.
TOLERATED = {
    "no source": ("message.source", ...),
    "no name of the sender": ("message.sender.name", ...),
    "no phone key": ("message.receiver.phone", ...),
    "no e-mail key": ("message.receiver.email", ...),
    "null e-mail": ("message.receiver.email", None),
    "null markup": ("message.message.markup", None),
    "no markup": ("message.message.markup", ...),
    "no tag": ("message.message.tag", ...),
    "no file size": ("message.message.file_size", ...),
    "file size as text": ("message.message.file_size", "20480"),
    "no account": ("account_id", ...),
    "no time": ("time", ...),
    "a member of tomorrow": ("message.message.sparkle", {"a": [1]}),
}


@pytest.mark.parametrize(("path", "value"), TOLERATED.values(), ids=TOLERATED)
def test_contradictions_of_the_documentation_are_tolerated(path: str, value: object) -> None:
    message = message_in(changed(FULL, path, value))
    assert message.id == "bbbbbbbb-0000-4111-8222-cccccccccccc"
    assert message.content.media_url == "https://amojo.example/attachments/p.jpg"


NEEDED = {
    "no id": ("message.message.id", ..., "message.message.id"),
    "an id that is a number": ("message.message.id", 5, "message.message.id"),
    "an id with a control character": ("message.message.id", "a\nb", "message.message.id"),
    "an endless id": ("message.message.id", "a" * 256, "message.message.id"),
    "no inner message": ("message.message", ..., "message.message.id"),
    "no conversation": ("message.conversation", ..., "message.conversation"),
    "no type": ("message.message.type", ..., "a type this server does not know"),
    "a type of tomorrow": ("message.message.type", "hologram", "a type this server does not know"),
}


@pytest.mark.parametrize(("path", "value", "words"), NEEDED.values(), ids=NEEDED)
def test_a_message_cannot_do_without_these(path: str, value: object, words: str) -> None:
    with pytest.raises(UnreadablePayload, match=words):
        read(changed(FULL, path, value))


# --- times --------------------------------------------------------------------------------------

LAST = 253_402_300_799  # the last second of the year 9999


@pytest.mark.parametrize(
    ("msec_timestamp", "timestamp", "sent_at"),
    [
        (1736847060500, 1736847060, 1736847060_500_000),
        (..., 1736847060, 1736847060_000_000),
        ("1736847060500", 1736847060, 1736847060_000_000),
        (-1, ..., NOW),
        (..., ..., NOW),
        (LAST * 1000 + 999, ..., LAST * 1_000_000 + 999_000),
        (..., LAST, LAST * 1_000_000),
        # milliseconds in the place of seconds and the like: no calendar has that year
        (..., 1736847060500, NOW),
        (LAST * 1000 + 1000, LAST + 1, NOW),
        (2**53 - 1, 2**53 - 1, NOW),
    ],
)
def test_when_a_message_was_sent(msec_timestamp: object, timestamp: object, sent_at: int) -> None:
    hook = changed(FULL, "message.msec_timestamp", msec_timestamp)
    assert message_in(changed(hook, "message.timestamp", timestamp)).sent_at == sent_at


# --- v1 -----------------------------------------------------------------------------------------


def test_a_v1_message_is_flat() -> None:
    message = message_in(FLAT)
    assert message == Message(
        id=message.id,
        conversation_id="conv-1",
        sent_at=1531000060_123_000,
        sender=Person(),
        receiver=Person(id="cust-1"),
        content=Content(
            type=MessageType.PICTURE,
            media_url="https://amojo.example/attachments/p.jpg",
            thumbnail_url="https://amojo.example/attachments/p_320x200.jpg",
            file_name="p.jpg",
            file_size=20480,
        ),
    )


def test_v1_bytes_with_a_time_are_one_message_however_often_they_come() -> None:
    body = orjson.dumps(FLAT)
    once, again = message_in(body, fresh_id="a"), message_in(body + b"\r\n", fresh_id="b")
    other = message_in(changed(FLAT, "msec_timestamp", 1531000060124), fresh_id="a")
    assert once == again
    assert once.id.startswith("v1-")
    assert once.id != other.id


def test_v1_bytes_without_a_time_are_a_new_message_each_time() -> None:
    """An operator may have written "ok" twice."""
    row = next(row for row in VECTORS["body_only"] if row["id"] == "H2")
    body = row["body"].encode()
    assert message_in(body, fresh_id="a").id == "v1-a"
    assert message_in(body, fresh_id="b").id == "v1-b"
    assert message_in(body).sent_at == NOW


@pytest.mark.parametrize(
    ("path", "value"),
    [("conversation_id", ""), ("conversation_id", 5), ("conversation_id", None), ("type", None)],
)
def test_a_v1_message_needs_conversation_and_type(path: str, value: object) -> None:
    with pytest.raises(UnreadablePayload):
        read(changed(FLAT, path, value))


# --- what is not a message ----------------------------------------------------------------------

TYPING = {
    "user": {"id": OPERATOR},
    "conversation": {"id": CHAT, "client_id": "conv-1"},
    "expired_at": 1736847063,
}
OTHERS = [
    ({"action": {"typing": {}}}, "typing"),
    ({"action": {"reaction": {"message": {"id": "a-1"}, "type": "react"}}}, "reaction"),
    ({"action": {"reaction": {"msgid": "a-1", "type": "unreact"}}}, "reaction"),
    ({"action": {"dance": {}}}, "unknown"),
    ({"action": {}}, "unknown"),
    ({"account_id": "a", "time": 1}, "unknown"),
    ({"message": "no object"}, "unknown"),
    ({}, "unknown"),
]


@pytest.mark.parametrize(("body", "kind"), OTHERS)
def test_other_events_are_told_by_their_kind(body: Wire, kind: str) -> None:
    assert read(body) == OtherEvent(kind=kind)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'"text"', b"null", b"1", b"NaN"])
def test_what_is_not_a_json_object_cannot_be_read(body: bytes) -> None:
    with pytest.raises(UnreadablePayload, match="JSON"):
        read(body)


def test_a_member_nested_too_deeply_to_be_kept_is_left_out_and_stops_no_message() -> None:
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    said = read(orjson.dumps(FULL).replace(b'"inline"', deep))
    assert isinstance(said, Message)
    assert "markup" not in said.extras
    assert "template" in said.extras


# --- whatever may come --------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([0, 2**53 - 1, 2**53, LAST, LAST + 1])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
NAMES = st.text() | st.sampled_from(
    ["message", "action", "conversation", "conversation_id", "id", "client_id", "type", "receiver"]
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))


def check(body: bytes) -> None:
    """Whatever is read must survive the whole way: into the journal, out again, and to a messenger."""
    try:
        event = read(body)
    except UnreadablePayload:
        return
    if isinstance(event, Message):
        assert decode_event(Kind.MESSAGE, encode_event(event)) == event
        msgspec.json.encode(message_created(event, Account("s", "a")))
    elif isinstance(event, Reaction):
        assert decode_event(Kind.REACTION, encode_event(event)) == event
        msgspec.json.encode(reaction_changed(event, Account("s", "a")))
    elif isinstance(event, Typing):
        msgspec.json.encode(typing_started(event, Account("s", "a"), now=NOW))


PLAIN = orjson.loads(
    b"""{"account_id": "acc-1", "time": 1639660529, "message": {
    "receiver": {"id": "cl-1", "phone": "+7900", "email": "", "client_id": "cust-1", "name": "Ann"},
    "sender": {"id": "op-1", "name": "Kate"},
    "conversation": {"id": "chat-1", "client_id": "conv-1"},
    "source": {"external_id": "line-1"}, "timestamp": 1639660529, "msec_timestamp": 1639660529379,
    "message": {"id": "a-1", "type": "file", "text": "look", "markup": null, "tag": "",
    "media": "https://amojo.example/f.pdf", "thumbnail": "", "file_name": "f.pdf", "file_size": 20480,
    "media_duration": 0, "sticker_id": "", "media_group_id": "g-1"}}}"""
)
"""The form that is read without tolerance."""


def tolerantly(body: bytes) -> Said | str:
    try:
        return read_tolerantly(body, fresh_id=lambda: "fresh", now=0)
    except UnreadablePayload as error:
        return str(error)


def test_the_plain_form_is_read_as_any_other() -> None:
    plain = read_plain_message(orjson.dumps(PLAIN))
    assert plain is not None
    assert tolerantly(orjson.dumps(PLAIN)) == plain


@pytest.mark.parametrize("hook", [PLAIN, FULL], ids=["plain", "full"])
@given(data=st.data())
def test_what_passes_for_plain_is_read_as_any_other(hook: Wire, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in paths(hook) if path]))
    body = orjson.dumps(changed(hook, ".".join(path), data.draw(SCALARS | JSON)))
    plain = read_plain_message(body)
    assert plain is None or tolerantly(body) == plain


@given(st.binary())
def test_random_bytes_are_read_or_unreadable(body: bytes) -> None:
    check(body)


@given(JSON)
def test_random_json_is_read_or_unreadable(value: object) -> None:
    check(orjson.dumps(value))


def paths(value: object, so_far: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return [so_far]
    return [so_far, *(path for name in value for path in paths(value[name], (*so_far, name)))]


@pytest.mark.parametrize("hook", [FULL, FLAT], ids=["v2", "v1"])
@given(data=st.data())
def test_hooks_with_any_member_replaced_are_read_or_unreadable(
    hook: Wire, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from([path for path in paths(hook) if path]))
    check(orjson.dumps(changed(hook, ".".join(path), data.draw(JSON))))
