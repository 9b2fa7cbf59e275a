"""Typing and reaction callbacks, in the shapes of the documentation's tables and of its examples."""

from typing import Any

import orjson
import pytest

from chatbridge.model import Person, Reaction, Typing
from chatbridge.protocol.amojo.callbacks import OtherEvent, Said, read_callback
from tests.unit.factories import NOW

CONVERSATION = {"id": "chat-1", "client_id": "conv-1"}
USER = {"id": "op-1"}


def read(**action: Any) -> Said:
    body = {"account_id": "acc-1", "time": 1_736_847_058, "action": action}
    return read_callback(orjson.dumps(body), fresh_id=lambda: "fresh", now=NOW)


TYPES = Typing(
    conversation_id="conv-1",
    amojo_conversation_id="chat-1",
    by=Person(amojo_id="op-1"),
    until=1_736_847_063_000_000,
)


@pytest.mark.parametrize("nested", [True, False], ids=["as in the example", "as in the table"])
def test_an_operator_types(*, nested: bool) -> None:
    typing = {"conversation": CONVERSATION, "expired_at": 1_736_847_063}
    action = {"typing": typing | {"user": USER}} if nested else {"typing": typing, "user": USER}
    assert read(**action) == TYPES


def test_without_an_end_the_dots_vanish_after_five_seconds() -> None:
    said = read(typing={"user": USER, "conversation": CONVERSATION})
    assert isinstance(said, Typing)
    assert said.until == NOW + 5_000_000


MESSAGE = {"id": "a-1", "client_id": "m-1", "sender": {"id": "cl-1"}}
REACTS = Reaction(
    message_id="m-1",
    amojo_message_id="a-1",
    conversation_id="conv-1",
    amojo_conversation_id="chat-1",
    reacted_at=NOW,
    by=Person(amojo_id="op-1"),
    emoji="👍",
)


def reaction(**members: Any) -> Said:
    wire = {"user": USER, "conversation": CONVERSATION, "type": "react", "emoji": "👍"}
    return read(reaction=wire | members)


def test_an_operator_reacts() -> None:
    assert reaction(message=MESSAGE) == REACTS


def test_before_2023_a_reaction_named_the_message_by_amocrms_id_alone() -> None:
    said = reaction(msgid="a-1")
    assert isinstance(said, Reaction)
    assert (said.message_id, said.amojo_message_id) == (None, "a-1")


def test_a_reaction_is_taken_back_without_an_emoji() -> None:
    said = reaction(message=MESSAGE, type="unreact", emoji=None)
    assert isinstance(said, Reaction)
    assert said.removed
    assert said.emoji is None


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"message": {"id": ["a-1"]}},
        {"message": MESSAGE, "type": "shrug"},
        {"message": MESSAGE, "emoji": ""},
        {"message": MESSAGE, "type": ["react"]},
        {"message": MESSAGE, "conversation": {}},
    ],
)
def test_half_a_reaction_is_told_by_its_kind(wire: dict[str, Any]) -> None:
    assert reaction(**wire) == OtherEvent(kind="reaction")


def test_somebody_has_to_type_somewhere() -> None:
    assert read(typing={"user": USER}) == OtherEvent(kind="typing")
