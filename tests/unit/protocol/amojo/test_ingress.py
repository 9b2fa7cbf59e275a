"""What integrations say, read. Published bodies are amoCRM's own samples; the rest follows the reference."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.errors import UnreadablePayload
from chatbridge.model import (
    MEDIA_TYPES,
    ContactCard,
    Content,
    Edit,
    FailureReason,
    Location,
    Mark,
    Message,
    MessageType,
    Person,
    Post,
    Quote,
    Reaction,
    Status,
    StatusBody,
)
from chatbridge.protocol.amojo import (
    ingress,
    ingress_answers,
    ingress_wire,
    notes,
    payloads,
    replies,
)
from chatbridge.protocol.amojo.ingress import Edited, New, Reported
from tests.unit.factories import ACCOUNT_ID, NOW, SCOPE_ID, VECTORS, make_message, make_response

PUBLISHED = {row["id"]: row["body"].encode() for row in VECTORS["requests_current"]}


def new(body: bytes) -> New:
    read = ingress.read_event(body, now=NOW)
    assert isinstance(read, New)
    return read


def edited(body: bytes) -> Edited:
    read = ingress.read_event(body, now=NOW)
    assert isinstance(read, Edited)
    return read


def event(payload: dict[str, Any], kind: str = "new_message") -> bytes:
    return json.dumps({"event_type": kind, "payload": payload}).encode()


LEAST = {
    "msgid": "m-1",
    "conversation_id": "c-1",
    "sender": {"id": "u-1"},
    "message": {"type": "text", "text": "hi"},
}
EDIT = {"msgid": "m-1", "message": {"type": "text", "text": "hi"}}

# --- published samples --------------------------------------------------------------------------


def test_the_published_message() -> None:
    assert new(PUBLISHED["B7"]) == New(
        timed=True,
        message=Message(
            id="my_int-5f2836a8ca481",
            conversation_id="my_int-d5a421f7f218",
            sent_at=1639738768457000,
            sender=Person(
                id="my_int-1376265f-86df-4c49-a0c3-a4816df41af8",
                name="Вася клиент",
                avatar_url="https://images.pexels.com/photos/10050979/pexels-photo-10050979.jpeg"
                "?auto=compress&cs=tinysrgb&dpr=2&w=500",
                phone="+79151112233",
                email="example.client@example.com",
                profile_url="https://example.com/profile/example.client",
            ),
            content=Content(type=MessageType.TEXT, text="Сообщение от клиента"),
            source="79039876543",
        ),
    )


def test_the_other_published_bodies() -> None:
    connect = ingress_wire.decode(ingress_wire.Connect, PUBLISHED["B1"])
    assert (connect.hook_api_version, connect.title) == ("v2", "ChatsIntegration")
    assert ingress_wire.decode(ingress_wire.Disconnect, PUBLISHED["B2"]).account_id
    # With "read" stands an error code, which means nothing there.
    message_id = "079e44fb-fc22-476b-9e8a-421b688ec53b"
    assert ingress.read_delivery(PUBLISHED["B3"], message_id) == Reported(mark=Mark.READ)
    typing = ingress_wire.decode(ingress_wire.Typing, PUBLISHED["B4"])
    assert typing.conversation_id == "my_int-d5a421f7f218"
    chat = ingress_wire.decode(ingress_wire.CreateChat, PUBLISHED["B6"])
    assert chat.user.name == "Имя клиента"


# --- messages -----------------------------------------------------------------------------------


def test_the_least_message_is_of_now() -> None:
    assert new(event(LEAST)) == New(
        message=make_message(
            conversation_id="c-1",
            sent_at=NOW,
            sender=Person(id="u-1"),
            content=Content(type=MessageType.TEXT, text="hi"),
        ),
        timed=False,
    )


TOLERATED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a phone of 2017": ({"sender": {"id": "u-1", "profile": {"phone": 79000000001}}}, {}),
    "an unknown member": ({"account_id": "a-1", "message": {"type": "text", "text": "hi"}}, {}),
    "null for absent": ({"receiver": None, "silent": None, "source": {"external_id": None}}, {}),
    "seconds alone": ({"timestamp": NOW // 1_000_000}, {"sent_at": NOW}),
    "silence": ({"silent": True}, {"silent": True}),
    "no text beside media": (
        {"message": {"type": "voice", "media": "https://a.b/o.ogg", "text": None}},
        {"content": Content(type=MessageType.VOICE, media_url="https://a.b/o.ogg")},
    ),
    "no name and size of a picture": (
        {"message": {"type": "picture", "media": "https://a.b/p.jpg", "file_name": ""}},
        {"content": Content(type=MessageType.PICTURE, media_url="https://a.b/p.jpg")},
    ),
    "a comment": (
        {"message": LEAST["message"] | {"post": {"id": "p-1", "url": "https://a.b", "x": 1}}},
        {"post": Post(id="p-1", url="https://a.b")},
    ),
    "a quote by id": (
        {"reply_to": {"message": {"id": "a-1"}}},
        {"quote": Quote(amojo_id="a-1")},
    ),
    "a whole number as a float": (
        {"message": {"type": "location", "location": {"lon": 37, "lat": 55.5}}},
        {"content": Content(type=MessageType.LOCATION, location=Location(lon=37.0, lat=55.5))},
    ),
}


@pytest.mark.parametrize(("changes", "wanted"), TOLERATED.values(), ids=TOLERATED)
def test_what_amojo_tolerates_is_tolerated(changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    message = new(event(LEAST | changes)).message
    assert {name: getattr(message, name) for name in wanted} == wanted


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an id as a number": ({"msgid": 5}, "payload.msgid: Expected `str`, got `int`"),
    "an empty id": ({"msgid": ""}, "payload.msgid: Expected `str` of length >= 1"),
    "an unprintable id": (
        {"conversation_id": "a\nb"},
        "payload.conversation_id: must be printable",
    ),
    "an endless id": ({"sender": {"id": "x" * 256}}, "payload.sender.id: Expected"),
    "no sender": ({"sender": None}, "payload.sender: Expected `object`, got `null`"),
    "a nameless sender": ({"sender": {}}, "payload.sender.id: required"),
    "a nameless receiver": ({"receiver": {"name": "A"}}, "payload.receiver.id: required"),
    "no conversation": ({"conversation_id": None}, "payload.conversation_id: required"),
    "a time as text": ({"timestamp": "1"}, "payload.timestamp: Expected `int | null`"),
    "a time beyond calendars": ({"msec_timestamp": 10**18}, "payload.msec_timestamp: Expected"),
    "a long source": ({"source": {"external_id": "x" * 41}}, "payload.source.external_id: "),
    "image": ({"message": {"type": "image"}}, "payload.message.type: Invalid enum value"),
    "no text": ({"message": {"type": "text"}}, "payload.message.text: required"),
    "no media": ({"message": {"type": "file", "media": ""}}, "payload.message.media: required"),
    "no place": ({"message": {"type": "location"}}, "payload.message.location: required"),
    "half a place": (
        {"message": {"type": "location", "location": {"lon": 1.5}}},
        "payload.message.location.lat: required",
    ),
    "a status": (
        {"message": LEAST["message"] | {"delivery_status": {"status_code": 1}}},
        "payload.message.delivery_status: is taken by the call delivery_status alone",
    ),
    "two forwards": (
        {"forwards": {"messages": [{"id": "a"}, {"id": "b"}]}},
        "payload.forwards.messages: Expected `array` of length <= 1",
    ),
    "a quote of nothing": (
        {"reply_to": {"message": {"text": "old"}}},
        "payload.reply_to.message.type: required where there is neither id nor msgid",
    ),
    "a quote without a time": (
        {"reply_to": {"message": {"type": "text", "text": "old", "sender": {"name": "B"}}}},
        "payload.reply_to.message.timestamp: required",
    ),
}


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED)
def test_what_amojo_refuses_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UnreadablePayload) as raised:
        ingress.read_event(event(LEAST | changes), now=NOW)
    assert str(raised.value).startswith(words)


def test_an_edit_names_its_message_by_either_id_or_both() -> None:
    for names in ({"msgid": "m-1"}, {"id": "a-1"}, {"msgid": "m-1", "id": "a-1"}):
        read = edited(event({"message": EDIT["message"]} | names, "edit_message"))
        assert (read.message_id, read.answered_id) == (names.get("msgid"), names.get("id"))
    with pytest.raises(UnreadablePayload, match=r"payload\.msgid: required"):
        ingress.read_event(event({"message": EDIT["message"]}, "edit_message"), now=NOW)


def test_an_edit_may_leave_the_file_as_it_is_and_says_nothing_of_it() -> None:
    picture = {"msgid": "m-1", "message": {"type": "picture", "text": "or not"}}
    content = edited(event(picture, "edit_message")).content
    assert content == Content(type=MessageType.PICTURE, text="or not")
    said = Edit(message_id="m-1", conversation_id="c-1", edited_at=NOW, content=content)
    sent = orjson.loads(payloads.edit_message(said))["payload"]["message"]
    assert sent == {"type": "picture", "text": "or not"}


def test_the_same_edit_of_the_same_moment_has_one_name() -> None:
    timed = EDIT | {"timestamp": 1_736_847_000}
    names = [
        edited(event(payload, "edit_message")).name
        for payload in (
            timed,
            dict(reversed(timed.items())),
            timed | {"timestamp": 1_736_847_001},
            timed | {"msgid": "m-2"},
            timed | {"message": {"type": "text", "text": "ho"}},
        )
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 4
    assert edited(event(EDIT, "edit_message")).name is None


# --- statuses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", StatusBody)
@pytest.mark.parametrize("reason", [None, *FailureReason])
@pytest.mark.parametrize("mark", Mark)
def test_what_we_tell_amojo_is_read_as_we_meant_it(
    mark: Mark, reason: FailureReason | None, body: StatusBody
) -> None:
    status = Status(amojo_message_id="a-1", mark=mark, marked_at=NOW, reason=reason, text="why")
    read = ingress.read_delivery(notes.delivery_status(status, body), "a-1")
    if mark is Mark.FAILED:
        assert read == Reported(mark=mark, reason=reason or FailureReason.OTHER, text="why")
    else:
        assert read == Reported(mark=mark)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"status_code": 0}, Reported(mark=None)),
        ({"delivery_status": 1, "error_code": None, "error": None}, Reported(mark=Mark.DELIVERED)),
        ({"status_code": -1}, Reported(mark=Mark.FAILED, reason=FailureReason.OTHER)),
        (
            {"status_code": -1, "error": "a\x00\nb "},
            Reported(mark=Mark.FAILED, reason=FailureReason.OTHER, text="a  b"),
        ),
    ],
)
def test_statuses_as_clients_write_them(body: dict[str, Any], wanted: Reported) -> None:
    assert ingress.read_delivery(orjson.dumps(body), "a-1") == wanted


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "status_code: required"),
        ({"status_code": 3}, "status_code: Invalid enum value 3"),
        ({"status_code": "1"}, "status_code: Expected"),
        ({"delivery_status": 1, "msgid": "a-2"}, "msgid: must be the id in the address"),
        ({"status_code": -1, "error_code": 906}, "error_code: must be 901"),
    ],
)
def test_statuses_that_amojo_does_not_have(body: dict[str, Any], words: str) -> None:
    with pytest.raises(UnreadablePayload) as raised:
        ingress.read_delivery(orjson.dumps(body), "a-1")
    assert str(raised.value).startswith(words)


# --- what we write ourselves is read as we meant it ---------------------------------------------

IDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=40)
SAID = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
NAMES = st.none() | SAID
PERSONS = st.builds(
    Person, id=IDS, amojo_id=st.none() | IDS, name=SAID, phone=NAMES, email=NAMES, avatar_url=NAMES
)
MOMENTS = st.integers(0, 4_000_000_000_000).map(lambda milliseconds: milliseconds * 1_000)
WHOLE = st.none() | st.integers(0, 2**40)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    kind = draw(st.sampled_from(MessageType))
    members: dict[str, Any] = {"text": draw(SAID if kind is MessageType.TEXT else NAMES)}
    if kind in MEDIA_TYPES:
        members |= {"media_url": draw(SAID), "file_name": draw(SAID), "file_size": draw(WHOLE) or 1}
    if kind in {MessageType.VOICE, MessageType.AUDIO, MessageType.VIDEO}:
        members["duration"] = draw(WHOLE)
    if kind is MessageType.LOCATION:
        degrees = st.floats(-90, 90)
        members["location"] = Location(lat=draw(degrees), lon=draw(degrees))
    if kind is MessageType.CONTACT:
        members["contact"] = ContactCard(name=draw(SAID), phone=draw(SAID))
    return Content(type=kind, **members)


QUOTES = st.builds(Quote, id=st.none() | IDS, amojo_id=IDS, sent_at=st.none() | MOMENTS)
MESSAGES = st.builds(
    Message,
    id=IDS,
    conversation_id=IDS,
    amojo_conversation_id=st.none() | IDS,
    sent_at=MOMENTS,
    sender=PERSONS,
    receiver=st.none() | PERSONS,
    content=contents(),
    quote=st.none() | QUOTES,
    forward=st.none() | QUOTES,
    post=st.none() | st.builds(Post, id=IDS, url=SAID, caption=NAMES),
    silent=st.booleans(),
    source=st.none() | st.from_regex(r"[ -~]{1,40}", fullmatch=True),
)


@given(MESSAGES)
def test_a_message_that_we_send_is_read_as_the_same(message: Message) -> None:
    assert new(payloads.new_message(message)) == New(message=message, timed=True)


@given(reacted=IDS, by=IDS, removed=st.booleans())
def test_a_reaction_that_we_send_is_read_as_the_same(
    reacted: str, by: str, *, removed: bool
) -> None:
    reaction = Reaction(
        message_id=reacted,
        conversation_id="c-1",
        reacted_at=NOW,
        by=Person(id=by),
        emoji="👍",
        removed=removed,
    )
    read = ingress_wire.decode(ingress_wire.React, notes.react(reaction))
    assert (read.msgid, read.user.id, read.emoji) == (reacted, by, "👍")
    assert read.type == ("unreact" if removed else "react")


# --- whatever may come --------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
MEMBERS = st.sampled_from([*LEAST, "id", "receiver", "reply_to", "forwards", "timestamp", "source"])
PAYLOADS = st.dictionaries(MEMBERS, JSON, max_size=4).map(lambda changes: LEAST | changes)
BODIES = st.binary() | st.builds(
    lambda kind, payload: json.dumps({"event_type": kind, "payload": payload}).encode(),
    st.sampled_from(["new_message", "edit_message"]) | JSON,
    PAYLOADS | JSON,
)


@given(BODIES)
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    try:
        read = ingress.read_event(body, now=NOW)
    except UnreadablePayload as error:
        assert 0 < len(str(error)) <= 300  # noqa: PT017 - both ends are right
    else:
        assert isinstance(read, (New, Edited))


def test_a_body_nested_absurdly_is_refused() -> None:
    deep = b'{"event_type":"new_message","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(UnreadablePayload, match="not JSON"):
        ingress.read_event(deep, now=NOW)


# --- answers ------------------------------------------------------------------------------------


def test_an_error_is_in_the_form_that_was_captured_from_amojo() -> None:
    kind = ingress_answers.ErrorType.INVALID_SIGNATURE
    assert ingress_answers.refused(403, kind, "invalid signature") == (
        b'{"status":0,"error_code":403,"error_type":"ORIGIN_INVALID_SIGNATURE",'
        b'"error_description":"invalid signature"}'
    )


def test_our_own_reader_understands_our_answers() -> None:
    asked = ingress_wire.Connect(account_id=ACCOUNT_ID)
    body = ingress_answers.connected(asked, SCOPE_ID, title="Shop")
    assert replies.read_connected(make_response(200, body)) == SCOPE_ID
    assert orjson.loads(body) == {
        "account_id": ACCOUNT_ID,
        "scope_id": SCOPE_ID,
        "title": "Shop",
        "hook_api_version": "v1",
        "is_time_window_disabled": False,
    }
    taken = ingress_answers.Sent(message_id="m-1", answered_id="a-1", conversation_id="c-9")
    read = replies.read_sent(make_response(200, ingress_answers.sent(taken)))
    assert (read.message_id, read.conversation_id) == ("a-1", "c-9")
