"""Messages as what happened afterwards has made them."""

from typing import Any

import pytest

from chatbridge.bridge.history import Item, items_of
from chatbridge.model import Content, Direction, Edit, MessageType, Person, Reaction
from chatbridge.store.passport import Passport
from tests.unit.bridge.test_tracking import attempt
from tests.unit.factories import make_message


def passport(message_id: str, direction: Direction, *attempts: Any) -> Passport:
    return Passport(
        entry_id=1,
        key=message_id.encode(),
        direction=direction,
        message=make_message(id=message_id),
        received_at=1,
        stored_at=2,
        waiting=False,
        due_at=None,
        parked=False,
        attempts=attempts,
    )


CLIENTS = passport("m-1", Direction.TO_AMOJO, attempt(1, "delivered", far_id="a-1"))
OPERATORS = passport("a-9", Direction.TO_MESSENGER)


def edit(message_id: str, text: str, at: int) -> Edit:
    content = Content(type=MessageType.TEXT, text=text)
    return Edit(message_id=message_id, conversation_id="c", edited_at=at, content=content)


def reaction(emoji: str | None, by: str = "u-1", **members: Any) -> Reaction:
    values = {"message_id": "m-1", "reacted_at": 1, "by": Person(id=by), "emoji": emoji}
    return Reaction(**values | members)


def shown(*events: Edit | Reaction) -> list[Item]:
    return items_of([CLIENTS, OPERATORS], [(b"key", event) for event in events])


def test_the_last_edit_wins() -> None:
    first, second = shown(edit("m-1", "one", 5), edit("m-1", "two", 4), edit("a-9", "no", 6))
    assert (first.content.text, first.edited_at, first.key) == ("two", 4, b"key")
    assert (second.content, second.edited_at) == (OPERATORS.message.content, None)


@pytest.mark.parametrize(
    ("events", "emojis"),
    [
        ([reaction("A"), reaction("B")], ["A", "B"]),
        ([reaction("A"), reaction("A")], ["A"]),
        ([reaction("A"), reaction("A", "u-2")], ["A", "A"]),
        ([reaction("A"), reaction("B"), reaction("A", removed=True)], ["B"]),
        ([reaction("A"), reaction("B"), reaction(None, removed=True)], []),
        ([reaction("A"), reaction(None, "u-2", removed=True)], ["A"]),
        ([reaction("A", removed=True)], []),
    ],
)
def test_reactions_are_those_that_were_not_taken_back(
    events: list[Reaction], emojis: list[str]
) -> None:
    first, second = shown(*events)
    assert [one.emoji for one in first.reactions] == emojis
    assert second.reactions == []


def test_a_reaction_finds_its_message_by_either_sides_id() -> None:
    by_operator = {"message_id": None, "by": Person(amojo_id="user")}
    first, second = shown(
        reaction("A", amojo_message_id="a-1", **by_operator),
        reaction("B", amojo_message_id="a-9", **by_operator),
        reaction("C", amojo_message_id="unknown", **by_operator),
    )
    assert [one.emoji for one in first.reactions] == ["A"]
    assert [one.emoji for one in second.reactions] == ["B"]
