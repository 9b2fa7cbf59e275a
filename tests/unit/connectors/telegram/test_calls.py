"""What an operator does becomes calls of the Bot API within its limits, and nothing of it is left out."""

from typing import Any

import pytest
from aiogram.types import BufferedInputFile, CallbackQuery
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.connectors.telegram.calls import (
    build_message,
    build_reaction,
    length,
    method_for,
    split,
)
from chatbridge.connectors.telegram.keyboards import build_keyboard, list_text, read_press
from chatbridge.errors import Rejected
from chatbridge.model import (
    ContactCard,
    Content,
    FailureReason,
    Location,
    Message,
    MessageType,
    Person,
    Reaction,
)

FILE = BufferedInputFile(b"x", "x.bin")
MEGABYTE = 1_048_576


def message(content: Content, **members: Any) -> Message:
    values = {"id": "amo-1", "conversation_id": "501", "sent_at": 0, "sender": Person(name="Kate")}
    return Message(**values | {"content": content} | members)


def shown(said: Message, *, file: bool = False) -> list[dict[str, Any]]:
    """The calls as Telegram sees them, with the name of the method."""
    calls = build_message(said, FILE if file else None)
    return [
        {"method": call.__api_method__}
        | {k: v for k, v in call.model_dump(exclude_unset=True).items() if v is not None}
        for call in calls
    ]


def text(words: str, **members: Any) -> Content:
    return Content(type=MessageType.TEXT, text=words, **members)


def test_words_are_one_message() -> None:
    assert shown(message(text("Hi"))) == [{"method": "sendMessage", "chat_id": 501, "text": "Hi"}]


def test_a_place_and_a_card() -> None:
    place = Content(type=MessageType.LOCATION, location=Location(lat=55.7, lon=37.6))
    card = Content(type=MessageType.CONTACT, contact=ContactCard(name="Kate", phone="+7999"))
    assert shown(message(place)) == [
        {"method": "sendLocation", "chat_id": 501, "latitude": 55.7, "longitude": 37.6}
    ]
    assert shown(message(card)) == [
        {"method": "sendContact", "chat_id": 501, "phone_number": "+7999", "first_name": "Kate"}
    ]


METHODS = [
    ("picture", "image/jpeg", 1, "sendPhoto"),
    ("picture", "image/jpeg", 11 * MEGABYTE, "sendDocument"),
    ("picture", "image/svg+xml", 1, "sendDocument"),
    ("picture", "image/gif", 1, "sendAnimation"),
    ("picture", None, None, "sendPhoto"),
    ("picture", None, 11 * MEGABYTE, "sendDocument"),
    ("file", "image/jpeg", 1, "sendDocument"),
    ("video", "video/mp4", 1, "sendVideo"),
    ("video", "video/x-matroska", 1, "sendDocument"),
    ("voice", "audio/ogg", 1, "sendVoice"),
    ("voice", "audio/mpeg", 1, "sendAudio"),
    ("voice", "audio/wav", 1, "sendDocument"),
    ("audio", "audio/mpeg", 1, "sendAudio"),
    ("audio", "audio/ogg", 1, "sendDocument"),
    ("sticker", "image/webp", 1, "sendSticker"),
    ("sticker", "image/png", 1, "sendPhoto"),
]


@pytest.mark.parametrize(("kind", "mime", "size", "method"), METHODS)
def test_a_file_is_shown_as_what_it_is(
    kind: str, mime: str | None, size: int | None, method: str
) -> None:
    content = Content(type=MessageType(kind), content_type=mime, file_size=size)
    assert method_for(content)[0].__api_method__ == method


@pytest.mark.parametrize(
    ("name", "method"),
    [("a.jpg", "sendPhoto"), ("a.webp", "sendPhoto"), ("a.tiff", "sendDocument")],
)
def test_a_file_nobody_looked_into_is_known_by_its_name(name: str, method: str) -> None:
    content = Content(type=MessageType.PICTURE, file_name=name)
    assert method_for(content)[0].__api_method__ == method


def media(kind: str, mime: str, words: str | None = None) -> Content:
    link = "https://bridge.example/media/1"
    return Content(type=MessageType(kind), content_type=mime, media_url=link, text=words)


def test_a_caption_stands_below_its_file_while_it_fits() -> None:
    (call,) = shown(message(media("picture", "image/png", "x" * 1024)), file=True)
    assert call["caption"] == "x" * 1024
    picture, words = shown(message(media("picture", "image/png", "x" * 1025)), file=True)
    assert (picture["method"], "caption" in picture) == ("sendPhoto", False)
    assert words == {"method": "sendMessage", "chat_id": 501, "text": "x" * 1025}


def test_a_sticker_has_no_caption() -> None:
    sticker, words = shown(message(media("sticker", "image/webp", "ha")), file=True)
    assert (sticker["method"], words["text"]) == ("sendSticker", "ha")


def test_what_is_answered_stands_at_the_first_part_and_buttons_at_the_last() -> None:
    markup = {"mode": "inline", "buttons": [[{"text": "Yes"}]]}
    said = message(text("x" * 5000), reply_to="501:7", extras={"markup": markup})
    first, last = shown(said)
    assert first["reply_parameters"]["message_id"] == 7
    assert "reply_markup" not in first
    assert last["reply_markup"]["inline_keyboard"][0][0]["text"] == "Yes"


@pytest.mark.parametrize("reply_to", [None, "9b4fa5a2-amo", "502:7", "501:"])
def test_what_is_not_of_this_chat_cannot_be_answered(reply_to: str | None) -> None:
    (call,) = shown(message(text("Hi"), reply_to=reply_to))
    assert "reply_parameters" not in call


@pytest.mark.parametrize("conversation", [None, "c-1", ""])
def test_a_bot_cannot_write_first(conversation: str | None) -> None:
    with pytest.raises(Rejected) as refused:
        build_message(message(text("Hi"), conversation_id=conversation), None)
    assert refused.value.reason == FailureReason.NO_CONVERSATION


def test_nothing_cannot_be_sent() -> None:
    with pytest.raises(Rejected):
        build_message(message(text("  ")), None)


@given(st.text(max_size=300), st.integers(min_value=2, max_value=40))
def test_a_long_text_loses_nothing_but_blanks(words: str, limit: int) -> None:
    parts = list(split(words, limit))
    assert all(0 < length(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(words.split())


def test_a_long_text_is_cut_between_lines_or_words() -> None:
    assert list(split("one two\nthree four", 12)) == ["one two", "three four"]
    assert list(split("one two three", 9)) == ["one two", "three"]
    assert list(split("🙂🙂🙂", 4)) == ["🙂🙂", "🙂"]


def test_a_reaction_and_its_end() -> None:
    by = Person(name="Kate")
    heart = build_reaction(Reaction(message_id="501:7", reacted_at=0, by=by, emoji="❤️"))
    assert heart is not None
    assert (heart.chat_id, heart.message_id) == (501, 7)
    assert [each.model_dump()["emoji"] for each in heart.reaction or ()] == ["❤"]
    end = build_reaction(Reaction(message_id="501:7", reacted_at=0, by=by, removed=True))
    assert end is not None
    assert end.reaction == []
    assert build_reaction(Reaction(amojo_message_id="a", reacted_at=0, by=by, emoji="👍")) is None


LIST = {
    "header": "Delivery",
    "body": "How?",
    "footer": "Free from 50",
    "button": "Choose",
    "sections": [
        {
            "title": "Fast",
            "rows": [
                {"title": "Express", "description": "today", "callback_data": "ship-2"},
                {"title": "Pickup", "callback_data": "x" * 64},
            ],
        }
    ],
}


def test_a_list_is_text_and_buttons() -> None:
    extras = {"markup": {"list_message": LIST}}
    assert list_text(extras) == "Delivery\nHow?\n▫ Express: today\nFree from 50"
    keyboard = build_keyboard(extras)
    assert keyboard is not None
    rows = [[(b.text, b.callback_data) for b in row] for row in keyboard.inline_keyboard]
    assert rows == [[("Express", "rship-2")], [("Pickup", "#1.0")]]


WILD: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["markup", "buttons", "text", "url", "list_message", "sections", "rows", "title"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(WILD)
def test_no_markup_makes_a_button_that_telegram_refuses(markup: Any) -> None:
    keyboard = build_keyboard({"markup": markup})
    for button in (
        (button for row in keyboard.inline_keyboard for button in row) if keyboard else ()
    ):
        assert button.text
        assert button.url or 1 <= len((button.callback_data or "").encode()) <= 64


CAPTIONS = st.lists(
    st.lists(st.text(min_size=1, max_size=70), min_size=1, max_size=3), min_size=1, max_size=3
)


@given(CAPTIONS)
def test_a_press_says_the_caption_of_its_button(captions: list[list[str]]) -> None:
    markup = {"buttons": [[{"text": caption} for caption in row] for row in captions]}
    keyboard = build_keyboard({"markup": markup})
    assert keyboard is not None
    shop = {"id": 7, "is_bot": True, "first_name": "Shop"}
    chat = {"id": 501, "type": "private"}
    for words, row in zip(captions, keyboard.inline_keyboard, strict=True):
        for caption, button in zip(words, row, strict=True):
            query = CallbackQuery.model_validate(
                {
                    "id": "1",
                    "from": {"id": 501, "is_bot": False, "first_name": "Anna"},
                    "chat_instance": "1",
                    "data": button.callback_data,
                    "message": {
                        "message_id": 1,
                        "from": shop,
                        "chat": chat,
                        "date": 1,
                        "text": "?",
                        "reply_markup": keyboard.model_dump(),
                    },
                }
            )
            assert read_press(query) == text(caption)
