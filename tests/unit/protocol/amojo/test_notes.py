"""What amojo is told beside messages ("Chats API reference": delivery status, react, typing)."""

from typing import Any

import orjson
import pytest

from chatbridge.model import FailureReason, Mark, Person, Reaction, Status, StatusBody
from chatbridge.protocol.amojo import notes
from tests.unit.factories import NOW

CURRENT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"mark": Mark.DELIVERED}, {"status_code": 1}),
    ({"mark": Mark.READ}, {"status_code": 2}),
    (
        {"mark": Mark.FAILED, "reason": FailureReason.NO_CONVERSATION, "text": "No such number"},
        {"status_code": -1, "error_code": 904, "error": "No such number"},
    ),
    (
        {"mark": Mark.FAILED, "reason": FailureReason.CONVERSATION_REMOVED},
        {"status_code": -1, "error_code": 901},
    ),
    (
        {"mark": Mark.FAILED, "reason": FailureReason.MESSENGER_OFF},
        {"status_code": -1, "error_code": 902},
    ),
    (
        {"mark": Mark.FAILED, "reason": FailureReason.INTERNAL},
        {"status_code": -1, "error_code": 903},
    ),
    # What went wrong is said of failures only, as Kommo's page asks.
    ({"mark": Mark.READ, "text": "left over"}, {"status_code": 2}),
]


def status(**members: Any) -> Status:
    return Status(amojo_message_id="a-1", marked_at=NOW, **members)


@pytest.mark.parametrize(("members", "body"), CURRENT)
def test_a_status_in_the_current_body(members: dict[str, Any], body: dict[str, Any]) -> None:
    assert orjson.loads(notes.delivery_status(status(**members), StatusBody.CURRENT)) == body


@pytest.mark.parametrize(("members", "body"), CURRENT)
def test_the_old_body_names_the_message_and_spells_the_status_otherwise(
    members: dict[str, Any], body: dict[str, Any]
) -> None:
    said = orjson.loads(notes.delivery_status(status(**members), StatusBody.OLD))
    number = body["status_code"]
    rest = {name: value for name, value in body.items() if name != "status_code"}
    assert said == {"msgid": "a-1", "delivery_status": number} | rest


def test_the_code_that_demands_a_text_always_has_one() -> None:
    said = orjson.loads(notes.delivery_status(status(mark=Mark.FAILED), StatusBody.CURRENT))
    assert said["error_code"] == 905
    assert said["error"]


def reaction(**members: Any) -> dict[str, Any]:
    given = {"reacted_at": NOW, "by": Person(id="u-1"), "conversation_id": "c-1"} | members
    body: dict[str, Any] = orjson.loads(notes.react(Reaction(**given)))
    return body


def test_a_reaction_to_the_clients_own_message() -> None:
    assert reaction(message_id="m-1", emoji="👍") == {
        "conversation_id": "c-1",
        "msgid": "m-1",
        "user": {"id": "u-1"},
        "type": "react",
        "emoji": "👍",
    }


def test_a_reaction_to_an_operators_message_is_taken_back() -> None:
    body = reaction(amojo_message_id="a-1", amojo_conversation_id="chat-1", removed=True)
    assert body == {
        "conversation_id": "c-1",
        "id": "a-1",
        "user": {"id": "u-1"},
        "type": "unreact",
    }


def test_a_conversation_without_our_id_is_named_by_theirs() -> None:
    body = reaction(
        conversation_id=None, amojo_conversation_id="chat-1", message_id="m-1", emoji="👍"
    )
    assert body["conversation_ref_id"] == "chat-1"
    assert "conversation_id" not in body


def test_typing() -> None:
    assert orjson.loads(notes.typing("c-1", "u-1", duration=3000)) == {
        "conversation_id": "c-1",
        "sender": {"id": "u-1"},
        "duration_ms": 3000,
    }
