"""Each sample of an update becomes what an operator should see, and no bytes make the reader fall."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chatbridge.connectors import telegram
from chatbridge.connectors.telegram.updates import (
    Edited,
    Ignored,
    Pressed,
    Reacted,
    Told,
    chat_of,
    parse_update,
    read_update,
)
from chatbridge.errors import UnreadablePayload
from chatbridge.model import ContactCard, Content, Location, Message, MessageType, Person

SAMPLES = Path(telegram.__file__).parent / "samples"
SECOND = 1_000_000
SENT = 1_736_847_000 * SECOND
NOW = SENT + 500 * SECOND
CLOUD = 20 * 1_048_576
ANNA = Person(id="501", name="Anna Ivanova", profile_url="https://t.me/anna_i")
PLACE = Location(lat=55.751, lon=37.618)


def read(name: str, *, max_bytes: int = CLOUD) -> tuple[Told, ...]:
    update = parse_update((SAMPLES / f"{name}.json").read_bytes())
    return read_update(update, now=NOW, max_bytes=max_bytes)


def said(number: int, content: Content, **members: Any) -> Message:
    """A message of Anna's."""
    values = {"id": f"501:{number}", "conversation_id": "501", "sent_at": SENT, "sender": ANNA}
    return Message(**values | {"content": content} | members)


def text(words: str, **members: Any) -> Content:
    return Content(type=MessageType.TEXT, text=words, **members)


def file(kind: MessageType, ref: str, size: int, **members: Any) -> Content:
    return Content(type=kind, media_ref=f"FILE-{ref}", file_size=size, **members)


MESSAGES = {
    "text": said(1, text("Hello, *world*")),
    "start": said(2, text("/start campaign-7"), source="campaign-7"),
    "photo": said(3, file(MessageType.PICTURE, "l", 150_000, text="This one?")),
    "album_part": said(4, file(MessageType.PICTURE, "l", 150_000, media_group_id="13790451338297")),
    "document": said(5, file(MessageType.FILE, "d", 48_000, file_name="offer.pdf")),
    "document_too_large": said(6, text("Look\n📎 film.mkv (34 MB > 20 MB)")),
    "video": said(7, file(MessageType.VIDEO, "v", 900_000, file_name="v.mp4", duration=12)),
    "animation": said(8, file(MessageType.VIDEO, "a", 70_000, file_name="cat.mp4", duration=3)),
    "video_note": said(9, file(MessageType.VIDEO, "n", 300_000, duration=5)),
    "voice": said(10, file(MessageType.VOICE, "o", 15_000, duration=4)),
    "audio": said(11, file(MessageType.AUDIO, "m", 4_000_000, file_name="song.mp3", duration=180)),
    "sticker": said(12, file(MessageType.STICKER, "w", 20_000)),
    "sticker_animated": said(13, file(MessageType.STICKER, "thumb", 4_000)),
    "sticker_video_bare": said(14, text("👍")),
    "location": said(15, Content(type=MessageType.LOCATION, location=PLACE)),
    "venue": said(16, Content(type=MessageType.LOCATION, location=PLACE, text="Cafe, Street 1")),
    "contact": said(
        17,
        Content(
            type=MessageType.CONTACT,
            contact=ContactCard(name="Kate Petrova", phone="+79990000002"),
        ),
    ),
    "contact_own": said(
        18,
        Content(type=MessageType.CONTACT, contact=ContactCard(name="Anna", phone="+79990000001")),
        sender=replace(ANNA, phone="+79990000001"),
        reply_to="501:17",
    ),
    "reply": said(19, text("Yes"), reply_to="501:16"),
    "reply_with_quote": said(20, text("> Well\nThis part"), reply_to="501:16"),
    "external_reply": said(21, text("> News: Sale on Friday\nWhat of this?")),
    "forward_user": said(22, text("↪ Oleg\nSaid so")),
    "forward_hidden_photo": said(23, file(MessageType.PICTURE, "l", 150_000, text="↪ Somebody")),
    "poll": said(24, text("[poll] When?\n▫ Today\n▫ Tomorrow")),
    "dice": said(25, text("🎲 4")),
    "story": said(26, text("[story]")),
    "unheard_of": said(27, text("[hologram]")),
}

REACTED_AT = SENT + 70 * SECOND


def reacted(number: int, emoji: str, *, removed: bool) -> Reacted:
    return Reacted("501:16", ANNA, emoji, removed, f"{REACTED_AT}:9032:{number}", REACTED_AT)


def pressed(update: int, content: Content) -> Pressed:
    query = f"21517{update}"
    message = said(31, content, id=f"501:press-{query}", sent_at=NOW, reply_to="501:31")
    return Pressed(message, query)


LONG = "A caption that is far longer than what a button of Telegram's can carry back"
OTHERS: dict[str, tuple[Told, ...]] = {
    "pinned": (Ignored("pinned_message"),),
    "group": (Ignored("supergroup chat"),),
    "my_chat_member": (Ignored("my_chat_member"),),
    "edited": (Edited("501:1", text("Hello!"), "1736847060:9030", SENT + 60 * SECOND),),
    "edited_live_location": (Ignored("live location"),),
    "reaction": (
        reacted(0, "👎", removed=True),
        reacted(1, "❤", removed=False),
        reacted(2, "⭐", removed=False),
    ),
    "press": (pressed(33, text("Yes")),),
    "press_long": (pressed(34, text(LONG)),),
    "press_list_row": (pressed(35, text("Express", callback_data="ship-2")),),
    "press_of_old_message": (pressed(36, text("…")),),
}
EXPECTED: dict[str, tuple[Told, ...]] = {n: (m,) for n, m in MESSAGES.items()} | OTHERS


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_update_says(name: str) -> None:
    assert read(name) == EXPECTED[name]


def test_every_sample_is_looked_at() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(EXPECTED)


def test_a_server_of_ones_own_has_larger_files() -> None:
    (told,) = read("document_too_large", max_bytes=2000 * 1_048_576)
    assert isinstance(told, Message)
    assert told.content == file(
        MessageType.FILE, "d", 35_651_584, file_name="film.mkv", text="Look"
    )


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"group"}))
def test_order_counts_within_the_private_chat(name: str) -> None:
    chat = chat_of(parse_update((SAMPLES / f"{name}.json").read_bytes()))
    assert chat == (0 if name == "my_chat_member" else 501)


@given(st.binary() | st.sampled_from([b"{}", b"[]", b'{"update_id":1,"message":{"text":1}}']))
def test_no_bytes_make_the_reader_fall(body: bytes) -> None:
    with pytest.raises(UnreadablePayload):
        parse_update(body)


def test_what_cannot_be_read_is_not_repeated_in_the_error() -> None:
    with pytest.raises(UnreadablePayload) as refused:
        parse_update(b'{"update_id":1,"message":{"text":"+79990000000"}}')
    assert "+7999" not in f"{refused.value!r} {refused.value.__cause__!r}"
