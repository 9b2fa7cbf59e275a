"""Callbacks that we write in amoCRM's own forms: what our own reader makes of them is the message they came from."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chatbridge.model import Content, Location, Message, MessageType, Person
from chatbridge.protocol.amojo import hooks, signing
from chatbridge.protocol.amojo.callbacks import read_callback
from chatbridge.protocol.http import Request
from tests.unit.factories import ACCOUNT_ID, NOW, SCOPE_ID, SECRET, make_message, make_messenger

IDENTITY = make_messenger().amojo
URL = "https://backend.example.org/location/:scope_id"


def read(request: Request) -> Message:
    event = read_callback(request.body, fresh_id=lambda: "fresh", now=0)
    assert isinstance(event, Message)
    return event


def v2(message: Message) -> Request:
    return hooks.build_v2(IDENTITY, URL, message, now=NOW)


def test_a_text_looks_as_the_live_service_writes_it() -> None:
    message = make_message(
        id="a-1",
        amojo_conversation_id="chat-1",
        sender=Person(amojo_id="op-1", name="Kate"),
        receiver=Person(id="cust-1", amojo_id="cl-1", name="Ann", phone="+7900"),
        source="line-1",
        extras={"markup": {"mode": "inline"}},
    )
    assert orjson.loads(v2(message).body) == {
        "account_id": ACCOUNT_ID,
        "time": 1736847000,
        "message": {
            "receiver": {
                "id": "cl-1",
                "client_id": "cust-1",
                "name": "Ann",
                "phone": "+7900",
                "email": "",
            },
            "sender": {"id": "op-1", "name": "Kate"},
            "conversation": {"id": "chat-1", "client_id": "conv-1"},
            "source": {"external_id": "line-1"},
            "timestamp": 1736847000,
            "msec_timestamp": 1736847000123,
            "message": {
                "id": "a-1",
                "type": "text",
                "text": "Is it in stock?",
                "markup": {"mode": "inline"},
                "tag": "",
                "media": "",
                "thumbnail": "",
                "file_name": "",
                "file_size": 0,
            },
        },
    }


def test_the_flat_form_has_no_ids_of_amocrm() -> None:
    message = make_message(receiver=Person(id="cust-1", amojo_id="cl-1"))
    assert orjson.loads(hooks.build_v1(IDENTITY, URL, message).body) == {
        "receiver": "cust-1",
        "conversation_id": "conv-1",
        "msec_timestamp": 1736847000123,
        "type": "text",
        "text": "Is it in stock?",
        "media": "",
        "thumbnail": "",
        "file_name": "",
        "file_size": 0,
    }


@pytest.mark.parametrize(
    "request_",
    [v2(make_message()), hooks.build_v1(IDENTITY, URL, make_message())],
    ids=["v2", "v1"],
)
def test_a_newline_follows_that_is_not_signed(request_: Request) -> None:
    assert request_.method == "POST"
    assert request_.url == f"https://backend.example.org/location/{SCOPE_ID}"
    assert request_.body.endswith(b"}\n")
    signature = request_.headers["X-Signature"]
    assert request_.headers == {"Content-Type": "application/json", "X-Signature": signature}
    assert signature == signing.sign_body(SECRET, request_.body[:-1])
    assert signing.callback_matches(SECRET, request_.body, signature)


# --- round trips --------------------------------------------------------------------------------

IDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=255)
WORDS = st.none() | st.text(min_size=1)
PEOPLE = st.builds(
    Person, id=st.none() | IDS, amojo_id=st.none() | IDS, name=WORDS, phone=WORDS, email=WORDS
)
OPERATORS = st.builds(Person, amojo_id=st.none() | IDS, name=WORDS)
DEGREES = st.floats(allow_nan=False, allow_infinity=False)
CONTENTS = st.builds(
    Content,
    type=st.sampled_from(MessageType),
    text=WORDS,
    media_url=WORDS,
    thumbnail_url=WORDS,
    file_name=WORDS,
    file_size=st.none() | st.integers(1, 2**53 - 1),
    duration=st.none() | st.integers(0, 2**53 - 1),
    sticker_id=WORDS,
    media_group_id=WORDS,
    location=st.none() | st.builds(Location, lat=DEGREES, lon=DEGREES),
)
MARKUPS = st.dictionaries(st.text(), st.lists(st.text()), min_size=1)
MESSAGES = st.builds(
    Message,
    id=IDS,
    conversation_id=IDS,
    amojo_conversation_id=st.none() | IDS,
    sent_at=st.integers(0, 253_402_300_799_999).map(lambda ms: ms * 1000),
    sender=OPERATORS,
    receiver=PEOPLE,
    content=CONTENTS,
    source=WORDS,
    extras=st.fixed_dictionaries({}, optional={"markup": MARKUPS, "template": MARKUPS}),
)


@given(MESSAGES)
def test_v2_keeps_the_whole_message(message: Message) -> None:
    assert read(v2(message)) == message


@given(MESSAGES)
def test_v1_keeps_what_its_form_has_room_for(message: Message) -> None:
    kept: dict[str, Any] = {
        "amojo_conversation_id": None,
        "sender": Person(),
        "receiver": Person(id=message.receiver.id if message.receiver else None),
        "source": None,
        "extras": {},
    }
    came_back = read(hooks.build_v1(IDENTITY, URL, message))
    assert came_back == replace(message, **kept, id=came_back.id)


def test_v2_keeps_a_conversation_that_only_amocrm_knows() -> None:
    message = make_message(conversation_id=None, amojo_conversation_id="chat-1")
    conversation = orjson.loads(v2(message).body)["message"]["conversation"]
    assert conversation == {"id": "chat-1"}
