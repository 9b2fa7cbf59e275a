import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.model import (
    AmojoIdentity,
    ContactCard,
    Content,
    Kind,
    Location,
    Message,
    MessageType,
    Person,
    decode_event,
    encode_event,
)
from tests.unit.factories import SECRET, make_channel, make_message, make_messenger

MAYBE = st.none() | st.text()
COUNTS = st.none() | st.integers(0, 2**53)
DEGREES = st.floats(allow_nan=False, allow_infinity=False)
PEOPLE = st.builds(Person, **dict.fromkeys(Person.__struct_fields__, MAYBE))
CONTENTS = st.builds(
    Content,
    type=st.sampled_from(MessageType),
    text=MAYBE,
    media_url=MAYBE,
    thumbnail_url=MAYBE,
    file_name=MAYBE,
    file_size=COUNTS,
    duration=COUNTS,
    sticker_id=MAYBE,
    media_group_id=MAYBE,
    location=st.none() | st.builds(Location, lat=DEGREES, lon=DEGREES),
    contact=st.none() | st.builds(ContactCard, name=st.text(), phone=st.text()),
)
MESSAGES = st.builds(
    Message,
    id=st.text(),
    conversation_id=MAYBE,
    amojo_conversation_id=MAYBE,
    sent_at=st.integers(0, 2**62),
    sender=PEOPLE,
    receiver=st.none() | PEOPLE,
    content=CONTENTS,
    reply_to=MAYBE,
    silent=st.booleans(),
    source=MAYBE,
    extras=st.dictionaries(st.text(), st.none() | st.text() | st.lists(st.integers(0, 9))),
)


@given(MESSAGES)
def test_a_message_comes_back_from_the_journal_as_it_went_in(message: Message) -> None:
    assert decode_event(Kind.MESSAGE, encode_event(message)) == message


def test_a_message_of_a_later_version_is_not_read_by_halves() -> None:
    later = encode_event(make_message()).removesuffix(b"}") + b',"mood":1}'
    with pytest.raises(msgspec.ValidationError, match="mood"):
        decode_event(Kind.MESSAGE, later)


def test_a_scope_is_channel_and_account() -> None:
    identity = AmojoIdentity(channel_id="channel", secret=SECRET, account_id="account")
    assert identity.scope_id == "channel_account"


@pytest.mark.parametrize("value", [make_channel(), make_messenger(), make_messenger().amojo])
def test_secrets_are_not_printed(value: object) -> None:
    assert SECRET not in repr(value)
    assert "whsec_" not in repr(value)
