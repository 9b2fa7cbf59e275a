"""Answers with a history: operators' messages are told from clients' and from what came through the integration."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.errors import DeliveryError, FarSideDown, Misconfigured
from chatbridge.model import Content, Message, MessageType, Person
from chatbridge.protocol.amojo.histories import Page, read_history
from chatbridge.protocol.http import Response
from tests.unit.factories import NOW, make_response

CLIENT = {"id": "f0f0", "client_id": "cust-1", "name": "Ann", "phone": "+79000000001"}
OPERATOR = {"id": "op-1", "name": "Kate"}
REPLY: dict[str, Any] = {
    "timestamp": 1_736_847_060,
    "msec_timestamp": 1_736_847_060_500,
    "sender": OPERATOR,
    "receiver": CLIENT,
    "message": {"id": "a-2", "type": "text", "text": "Yes, two left", "media": "", "file_size": 0},
}
ASKED: dict[str, Any] = {
    "timestamp": 1_736_847_000,
    "msec_timestamp": 1_736_847_000_123,
    "sender": CLIENT,
    "message": {"id": "a-1", "client_id": "m-1", "type": "text", "text": "Is it in stock?"},
}
IN_A_NAME = REPLY | {"message": REPLY["message"] | {"id": "a-3", "client_id": "m-9"}}


def read(*items: Any) -> Page:
    return page(make_response(200, {"messages": items}))


def page(response: Response) -> Page:
    return read_history(response, conversation_id="conv-1", amojo_conversation_id="chat-1", now=NOW)


def test_the_documented_example() -> None:
    assert read(REPLY, ASKED) == Page(
        replies=(
            Message(
                id="a-2",
                conversation_id="conv-1",
                amojo_conversation_id="chat-1",
                sent_at=1_736_847_060_500_000,
                sender=Person(amojo_id="op-1", name="Kate"),
                receiver=Person(id="cust-1", amojo_id="f0f0", name="Ann", phone="+79000000001"),
                content=Content(type=MessageType.TEXT, text="Yes, two left"),
            ),
        ),
        size=2,
        oldest=1_736_847_000_123_000,
        unreadable=0,
    )


@pytest.mark.parametrize(
    "item",
    [ASKED, IN_A_NAME, REPLY | {"receiver": {}}, REPLY | {"sender": CLIENT}],
    ids=["a client's", "imported in somebody's name", "without a receiver", "from a client"],
)
def test_what_no_operator_wrote_is_left_alone(item: dict[str, Any]) -> None:
    found = read(item)
    assert (found.replies, found.size, found.unreadable) == ((), 1, 0)


def test_media_come_as_in_callbacks() -> None:
    media = {"type": "picture", "media": "https://amojo.example/p.jpg", "file_name": "p.jpg"}
    media |= {"id": "a-2", "file_size": 20_480, "media_group_id": "g-1"}
    (reply,) = read(REPLY | {"message": media}).replies
    assert reply.content == Content(
        type=MessageType.PICTURE,
        media_url="https://amojo.example/p.jpg",
        file_name="p.jpg",
        file_size=20_480,
        media_group_id="g-1",
    )


def test_one_that_cannot_be_read_takes_no_other_with_it() -> None:
    found = read(REPLY | {"message": {"id": "a-9", "type": "hologram"}}, "nonsense", REPLY)
    assert ([reply.id for reply in found.replies], found.size, found.unreadable) == (["a-2"], 3, 1)


def test_no_chat_and_no_messages_are_an_empty_page() -> None:
    empty = Page(replies=(), size=0, oldest=None, unreadable=0)
    assert page(make_response(204)) == empty
    assert read() == empty


@pytest.mark.parametrize("body", [b"<html>", b'{"messages":', b"[]", b"", {"messages": {}}])
def test_what_is_no_history_is_asked_for_again(body: Any) -> None:
    with pytest.raises(FarSideDown):
        page(make_response(200, body))


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_says_what_to_mend(status: int) -> None:
    with pytest.raises(Misconfigured):
        page(make_response(status))


json_ = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "messages",
                    "message",
                    "sender",
                    "receiver",
                    "id",
                    "client_id",
                    "type",
                    "timestamp",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.lists(json_, max_size=3))
def test_any_history_is_read_or_refused(items: list[Any]) -> None:
    try:
        body = orjson.dumps({"messages": items})
    except orjson.JSONEncodeError:
        return
    try:
        found = page(make_response(200, body))
    except DeliveryError:
        return
    assert found.size == len(items)
