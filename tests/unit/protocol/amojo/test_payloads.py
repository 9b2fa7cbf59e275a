from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.model import ContactCard, Content, HookVersion, Location, MessageType, Person
from chatbridge.protocol.amojo import payloads
from chatbridge.web.message_schemas import MessageDraft
from chatbridge.web.messages import to_message
from tests.unit.factories import ACCOUNT_ID, NOW, make_message
from tests.unit.protocol.amojo.message_rules import KINDS, check_new_message

Wire = dict[str, Any]


def content(**members: Any) -> Wire:
    return orjson.loads(orjson.dumps(payloads.content(Content(**members))))


def participant(**members: Any) -> Wire:
    return payloads.participant(Person(**members))


# --- connect and disconnect ---------------------------------------------------------------------


def test_connect() -> None:
    body = payloads.connect(ACCOUNT_ID, title="Shop chat", hook_version=HookVersion.V2)
    assert orjson.loads(body) == {
        "account_id": ACCOUNT_ID,
        "title": "Shop chat",
        "hook_api_version": "v2",
    }


def test_connect_without_a_title_leaves_it_out() -> None:
    body = payloads.connect(ACCOUNT_ID, title=None, hook_version=HookVersion.V1)
    assert orjson.loads(body) == {"account_id": ACCOUNT_ID, "hook_api_version": "v1"}


@pytest.mark.parametrize("make", [payloads.legacy_connect, payloads.disconnect])
def test_legacy_connect_and_disconnect_name_the_account_only(make: Any) -> None:
    assert orjson.loads(make(ACCOUNT_ID)) == {"account_id": ACCOUNT_ID}


# --- a message ----------------------------------------------------------------------------------


def test_the_least_message() -> None:
    assert orjson.loads(payloads.new_message(make_message())) == {
        "event_type": "new_message",
        "payload": {
            "timestamp": 1736847000,
            "msec_timestamp": 1736847000123,
            "msgid": "m-1",
            "conversation_id": "conv-1",
            "silent": False,
            "sender": {"id": "cust-1", "name": "Ann"},
            "message": {"type": "text", "text": "Is it in stock?"},
        },
    }


def test_a_message_with_everything() -> None:
    message = make_message(
        amojo_conversation_id="dddddddd-0000-4111-8222-eeeeeeeeeeee",
        sender=Person(
            id="cust-1",
            amojo_id="f0f0f0f0-0000-4111-8222-000000000001",
            name="Ann",
            avatar_url="https://files.example.org/a.png",
            phone="+79000000001",
            email="ann@example.org",
            profile_url="https://example.org/ann",
        ),
        reply_to="m-0",
        silent=True,
        source="line-1",
    )
    assert orjson.loads(payloads.new_message(message))["payload"] == {
        "timestamp": 1736847000,
        "msec_timestamp": 1736847000123,
        "msgid": "m-1",
        "conversation_id": "conv-1",
        "conversation_ref_id": "dddddddd-0000-4111-8222-eeeeeeeeeeee",
        "silent": True,
        "source": {"external_id": "line-1"},
        "sender": {
            "id": "cust-1",
            "ref_id": "f0f0f0f0-0000-4111-8222-000000000001",
            "name": "Ann",
            "avatar": "https://files.example.org/a.png",
            "profile": {"phone": "+79000000001", "email": "ann@example.org"},
            "profile_link": "https://example.org/ann",
        },
        "message": {"type": "text", "text": "Is it in stock?"},
        "reply_to": {"message": {"msgid": "m-0"}},
    }


P = "https://files.example.org/p.jpg"
NAMED = {"media": P, "file_name": "p.jpg", "file_size": 0}
CONTENTS: list[tuple[Wire, Wire]] = [
    ({"type": "text", "text": "hello"}, {"type": "text", "text": "hello"}),
    ({"type": "text"}, {"type": "text", "text": ""}),
    # name and size are demanded of pictures, files and videos: found where they are not given
    ({"type": "picture", "media_url": P}, {"type": "picture", **NAMED}),
    ({"type": "file", "media_url": P}, {"type": "file", **NAMED}),
    ({"type": "video", "media_url": P, "duration": 12}, {"type": "video", **NAMED, "media_duration": 12}),
    (
        {"type": "picture", "media_url": P, "text": "caption", "file_name": "mine.jpg", "file_size": 20480},
        {"type": "picture", "media": P, "text": "caption", "file_name": "mine.jpg", "file_size": 20480},
    ),
    ({"type": "voice", "media_url": P, "duration": 7}, {"type": "voice", "media": P, "media_duration": 7}),
    ({"type": "audio", "media_url": P, "duration": 0}, {"type": "audio", "media": P, "media_duration": 0}),
    ({"type": "audio", "media_url": P, "file_name": "s.mp3"}, {"type": "audio", "media": P, "file_name": "s.mp3"}),
    (
        {"type": "sticker", "media_url": P, "sticker_id": "pack1:17"},
        {"type": "sticker", "media": P, "sticker_id": "pack1:17"},
    ),
    (
        {"type": "location", "location": Location(lat=55.75, lon=37.62)},
        {"type": "location", "location": {"lon": 37.62, "lat": 55.75}},
    ),
    (
        {"type": "contact", "contact": ContactCard(name="Bob", phone="+7900")},
        {"type": "contact", "contact": {"name": "Bob", "phone": "+7900"}},
    ),
    # what does not belong to a type stays at home
    ({"type": "text", "text": "hi", "location": Location(lat=1, lon=2)}, {"type": "text", "text": "hi"}),
    ({"type": "picture", "media_url": P, "duration": 3, "sticker_id": "s"}, {"type": "picture", **NAMED}),
]  # fmt: skip


@pytest.mark.parametrize(("said", "wire"), CONTENTS)
def test_what_each_type_looks_like(said: Wire, wire: Wire) -> None:
    assert content(**said | {"type": MessageType(said["type"])}) == wire


def test_every_type_has_its_case() -> None:
    assert {said["type"] for said, _ in CONTENTS} == set(MessageType) == set(KINDS)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://files.example.org/a/p.jpg?sig=x#top", "p.jpg"),
        ("https://files.example.org/%D0%B6.png", "ж.png"),
        ("https://files.example.org/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://files.example.org/a/", "file"),
        ("https://files.example.org", "file"),
        ("https://[broken", "file"),
        ("", "file"),
        (None, "file"),
    ],
)
def test_a_file_without_a_name_gets_the_links(url: str | None, name: str) -> None:
    assert payloads.file_name_of(url) == name


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"name": "Ann", "phone": "+7900"}, "Ann"),
        ({"phone": "+7900", "email": "a@example.org"}, "+7900"),
        ({"email": "a@example.org"}, "a@example.org"),
        ({}, "cust-1"),
    ],
)
def test_a_person_without_a_name_gets_one(known: dict[str, str], name: str) -> None:
    assert participant(id="cust-1", **known).name == name


# --- any message that our API takes -------------------------------------------------------------

PRINTABLE = st.characters(exclude_categories=["C", "Z"])
IDS = st.text(PRINTABLE, min_size=1, max_size=255)
NAMES = st.text(min_size=1, max_size=64)
URLS = st.sampled_from(
    [P, "http://10.0.0.1", "https://[::1]:8443/%0a/%2e%2e%2f", "https://a/?x=/y"]
)
SENDERS = st.fixed_dictionaries(
    {"id": IDS},
    optional={
        "name": NAMES,
        "phone": NAMES,
        "email": NAMES,
        "avatar_url": URLS,
        "profile_url": URLS,
    },
)
ANYTHING = {
    "text": st.text(),
    "media_url": URLS,
    "file_name": NAMES,
    "file_size": st.integers(0, 2**53 - 1),
    "duration": st.integers(0, 2**31 - 1),
    "sticker_id": IDS,
    "location": st.fixed_dictionaries(
        {"lat": st.floats(-90, 90) | st.integers(-90, 90), "lon": st.floats(-180, 180)}
    ),
    "contact": st.fixed_dictionaries({"name": NAMES, "phone": NAMES}),
}


def contents(kind: str) -> st.SearchStrategy[Wire]:
    name = {"text": "text", "location": "location", "contact": "contact"}.get(kind, "media_url")
    needed = st.text(min_size=1) if name == "text" else ANYTHING[name]
    others = {"media_url", "location", "contact"}
    rest = {key: value for key, value in ANYTHING.items() if key not in others | {name}}
    return st.fixed_dictionaries({"type": st.just(kind), name: needed}, optional=rest)


DRAFTS = st.fixed_dictionaries(
    {
        "id": IDS,
        "conversation_id": IDS,
        "sender": SENDERS,
        "message": st.sampled_from([*KINDS, "image"]).flatmap(contents),
    },
    optional={
        "sent_at": st.sampled_from(
            ["1970-01-01T00:00:00Z", "2026-11-20T12:00:00.123456+03:00", "8999-12-31T23:59:59Z"]
        ),
        "reply_to": IDS,
        "silent": st.booleans(),
    },
)


@given(DRAFTS)
def test_whatever_our_api_takes_amojo_takes(draft: Wire) -> None:
    message = to_message(MessageDraft.model_validate_json(orjson.dumps(draft)), now=NOW)
    check_new_message(orjson.loads(payloads.new_message(message)))
