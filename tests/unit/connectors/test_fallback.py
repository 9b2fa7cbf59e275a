"""What a messenger cannot show comes as the nearest thing that it can, and nothing is lost on the way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.connectors.capabilities import EVERYTHING, Capabilities
from chatbridge.connectors.fallback import adapt, as_text
from chatbridge.model import ContactCard, Content, Location, MessageType, Person, Reaction
from tests.unit.factories import NOW, make_message

ONLY_TEXT = Capabilities(types=frozenset({MessageType.TEXT}))


def content(kind: MessageType, **members: Any) -> Content:
    return Content(type=kind, media_url="https://a.example/f", file_name="f.bin", **members)


NEAREST = [
    (MessageType.STICKER, {"picture", "file"}, MessageType.PICTURE),
    (MessageType.STICKER, {"file"}, MessageType.FILE),
    (MessageType.VOICE, {"audio", "file"}, MessageType.AUDIO),
    (MessageType.AUDIO, {"voice"}, MessageType.VOICE),
    (MessageType.VIDEO, {"file", "picture"}, MessageType.FILE),
    (MessageType.PICTURE, {"file"}, MessageType.FILE),
    (MessageType.FILE, {"picture"}, MessageType.TEXT),
    (MessageType.VOICE, set(), MessageType.TEXT),
]


@pytest.mark.parametrize(("kind", "taken", "becomes"), NEAREST)
def test_media_come_as_the_nearest_type(
    kind: MessageType, taken: set[str], becomes: MessageType
) -> None:
    can = Capabilities(types=frozenset(map(MessageType, taken | {"text"})))
    adapted = adapt(make_message(content=content(kind, text="look")), can)
    said = adapted.message.content
    assert said.type is becomes
    assert adapted.changes == (f"{kind} sent as {becomes}",)
    whole = f"{said.text} {said.media_url}"
    assert "look" in whole
    assert "https://a.example/f" in whole


def test_a_file_beyond_the_limit_comes_as_a_link() -> None:
    can = Capabilities(max_bytes=10)
    small = make_message(content=content(MessageType.FILE, file_size=10))
    large = make_message(content=content(MessageType.FILE, file_size=11))
    assert adapt(small, can).message == small
    adapted = adapt(large, can)
    assert adapted.message.content == Content(
        type=MessageType.TEXT, text="📎 f.bin https://a.example/f"
    )
    assert adapted.changes == ("file is too large, sent as text",)


@pytest.mark.parametrize(
    ("mime", "content_type", "taken"),
    [
        ({"image/*"}, "image/png", True),
        ({"image/png", "application/pdf"}, "application/pdf", True),
        ({"image/*"}, "application/pdf", False),
        (set(), "image/png", False),
        ({"*/*"}, "text/html", True),
        ({"image/*"}, None, True),
    ],
)
def test_a_file_of_a_foreign_type_comes_as_a_link(
    mime: set[str], content_type: str | None, *, taken: bool
) -> None:
    said = content(MessageType.FILE, content_type=content_type)
    adapted = adapt(make_message(content=said), Capabilities(mime=frozenset(mime)))
    if taken:
        assert adapted.message.content == said
        assert adapted.changes == ()
    else:
        assert adapted.message.content.text == "📎 f.bin https://a.example/f"
        assert adapted.changes == (f"file is {content_type}, sent as text",)


def test_a_place_and_a_card_can_be_read() -> None:
    place = Content(type=MessageType.LOCATION, location=Location(lat=55.75, lon=37.62))
    card = Content(type=MessageType.CONTACT, contact=ContactCard(name="Bob", phone="+7900"))
    texts = [
        adapt(make_message(content=each), ONLY_TEXT).message.content.text for each in (place, card)
    ]
    assert texts == [
        "📍 https://www.openstreetmap.org/?mlat=55.75&mlon=37.62",
        "👤 Bob, +7900",
    ]


EXTRAS = {
    "reply_to": {"message": {"id": "a-0", "type": "text", "text": "two\nlines"}},
    "forwards": {
        "messages": [{"type": "text", "text": "passed on", "sender": {"name": "Kate"}}],
    },
    "markup": {
        "mode": "inline",
        "buttons": [[{"text": "Yes"}, {"text": "Site", "url": "https://x.example"}]],
    },
}


def test_quotes_stand_above_and_buttons_below() -> None:
    can = Capabilities(quotes=False, forwards=False, buttons=False)
    adapted = adapt(make_message(extras=EXTRAS), can)
    assert adapted.message.content.text == (
        "> two lines\n↪ Kate: passed on\nIs it in stock?\n▫ Yes\n▫ Site https://x.example"
    )
    assert len(adapted.changes) == 3


def test_a_list_can_be_read() -> None:
    shown = {
        "header": "Sizes",
        "body": "Choose one",
        "button": "Open",
        "sections": [
            {"title": "Adults", "rows": [{"callback_data": "m", "title": "M", "description": "42"}]}
        ],
    }
    message = make_message(extras={"markup": {"list_message": shown}})
    adapted = adapt(message, Capabilities(buttons=False))
    assert adapted.message.content.text == ("Is it in stock?\nSizes\nChoose one\nAdults\n▫ M 42")


def test_who_can_show_everything_gets_it_as_it_is() -> None:
    message = make_message(extras=EXTRAS)
    assert adapt(message, EVERYTHING).message is message
    assert adapt(message, Capabilities()) == (message, ())


@pytest.mark.parametrize(("removed", "text"), [(False, "❤"), (True, "↩ ❤")])
def test_a_reaction_as_a_message(*, removed: bool, text: str) -> None:
    reaction = Reaction(
        message_id="m-1",
        conversation_id="c-1",
        reacted_at=NOW,
        by=Person(amojo_id="op-1"),
        emoji="❤",
        removed=removed,
    )
    message = as_text(reaction, "r-1")
    assert message.content == Content(type=MessageType.TEXT, text=text)
    assert (message.conversation_id, message.reply_to) == ("c-1", "m-1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["message", "messages", "text", "buttons", "sections", "rows", "sender"]
            ),
            inner,
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["reply_to", "forwards", "markup"]), JSON))
def test_whatever_amocrm_wrote_something_can_be_sent(extras: dict[str, Any]) -> None:
    can = Capabilities(quotes=False, forwards=False, buttons=False)
    assert adapt(make_message(extras=extras), can).message.content.type is MessageType.TEXT
