import json
from typing import Any

import pytest

from chatbridge.connectors.website import events
from chatbridge.model import (
    ContactCard,
    Content,
    Location,
    MessageType,
    Person,
    Reaction,
    Typing,
)
from tests.factories import make_message
from tests.fakes import BEGINNING

VISITOR = "v-1"
OPERATOR = Person(name="Olga", avatar_url="https://bridge/media/olga")


def shown(**changes: Any) -> dict[str, Any]:
    message = make_message("a-1", sender=OPERATOR, **changes)
    written = events.written(message, VISITOR, by_operator=True)
    assert events.decode(events.encode(written)) == written
    found: dict[str, Any] = json.loads(events.encode(written))
    return found


def test_a_message_is_as_documented() -> None:
    assert shown() == {
        "type": "message", "id": "a-1", "from": "operator", "at": "2026-09-21T14:13:20.000Z", "name": "Olga",
        "avatar_url": "https://bridge/media/olga", "kind": "text", "text": "This one?", "file": None,
        "location": None, "contact": None, "reply_to": None, "buttons": [],
    }  # fmt: skip


def test_what_may_be_in_a_message() -> None:
    file = Content(
        type=MessageType.PICTURE,
        media_url="https://bridge/media/x",
        file_name="a.png",
        file_size=7,
        content_type="image/png",
    )
    said = shown(content=file, reply_to=f"{VISITOR}:m-1")
    assert said["file"] == {
        "url": "https://bridge/media/x", "name": "a.png", "size": 7, "content_type": "image/png",
    }  # fmt: skip
    assert (said["text"], said["reply_to"]) == (None, "m-1")
    place = Content(type=MessageType.LOCATION, location=Location(lat=1.5, lon=2.5))
    assert shown(content=place)["location"] == {"lat": 1.5, "lon": 2.5}
    card = Content(type=MessageType.CONTACT, contact=ContactCard(name="Ivan", phone="+7"))
    assert shown(content=card)["contact"] == {"name": "Ivan", "phone": "+7"}


def test_buttons_and_lists() -> None:
    buttons = [[{"text": "Yes"}, {"text": "Site", "url": "https://a.example"}], [{"text": ""}], "?"]
    said = shown(extras={"markup": {"mode": "inline", "buttons": buttons}})
    assert said["buttons"] == [
        [{"text": "Yes", "url": None}, {"text": "Site", "url": "https://a.example"}]
    ]
    rows = [{"title": "Red", "callback_data": "r-1", "description": "x"}, {"title": None}, 7]
    listed = {"header": "Colours", "body": "Which?", "footer": "", "sections": [{"rows": rows}, {}]}
    said = shown(extras={"markup": {"list_message": listed}})
    assert said["buttons"] == [[{"text": "Red", "url": None, "data": "r-1"}]]
    assert said["text"] == "This one?\nColours\nWhich?"


@pytest.mark.parametrize(
    "markup", [None, [], "x", {"buttons": 1}, {"buttons": [[1]]}, {"list_message": []}]
)
def test_strange_markup_is_no_markup(markup: Any) -> None:
    assert shown(extras={"markup": markup})["buttons"] == []


def test_reactions_name_messages_as_the_page_knows_them() -> None:
    for own, theirs, name in ((f"{VISITOR}:m-1", None, "m-1"), (None, "a-1", "a-1")):
        reaction = Reaction(
            message_id=own, amojo_message_id=theirs, reacted_at=0, by=OPERATOR, emoji="👍"
        )
        body = json.loads(events.encode(events.reacted(reaction, VISITOR)))
        assert body == {
            "type": "reaction", "message_id": name, "from": "operator", "emoji": "👍", "removed": False,
        }  # fmt: skip


def test_typing_says_for_how_long() -> None:
    typing = Typing(conversation_id=VISITOR, by=OPERATOR, until=BEGINNING + 5_000_000)
    said = json.loads(events.types(typing, now=BEGINNING + 1_000_000))
    assert said == {"type": "typing", "name": "Olga", "milliseconds": 4_000}
    assert json.loads(events.types(typing, now=BEGINNING + 9_000_000))["milliseconds"] == 0
