"""Ids in the place of amoCRM's: they look like amoCRM's, stay the same, lead back, and tell nobody anything."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.bridge import ingress_ids
from chatbridge.model import Person, Reaction
from tests.unit.factories import NOW, SECRET, make_channel, make_message, make_messenger

CHANNEL, MESSENGER = make_channel(), make_messenger()
NUMBERS = st.integers(1, 2**63 - 1)


@given(NUMBERS)
def test_a_conversations_id_leads_back_to_its_number_with_the_same_secret_alone(
    number: int,
) -> None:
    name = ingress_ids.conversation_uuid(CHANNEL, number)
    assert str(UUID(name)) == name
    assert ingress_ids.conversation_number(CHANNEL, name) == number
    other = make_channel(secret=SECRET[::-1])
    assert ingress_ids.conversation_number(other, name) is None


@given(NUMBERS, st.integers(0, 127))
def test_a_conversations_id_cannot_be_changed_into_anothers(number: int, bit: int) -> None:
    name = UUID(ingress_ids.conversation_uuid(CHANNEL, number))
    assert ingress_ids.conversation_number(CHANNEL, str(UUID(int=name.int ^ (1 << bit)))) is None


@given(st.text() | st.uuids().map(str))
def test_what_is_no_id_of_ours_is_none(name: str) -> None:
    assert ingress_ids.conversation_number(CHANNEL, name) is None


def test_neighbours_have_nothing_in_common() -> None:
    names = [ingress_ids.conversation_uuid(CHANNEL, number) for number in range(1, 1001)]
    for part in (slice(0, 8), slice(-8, None)):
        assert len({name[part] for name in names}) == 1000


def test_messages_and_people_are_different_for_every_messenger() -> None:
    other = make_messenger(id="msgr_2")
    for make in (ingress_ids.message_uuid, ingress_ids.person_uuid):
        names = [make(MESSENGER, "x-1"), make(MESSENGER, "x-2"), make(other, "x-1")]
        assert len(set(names)) == 3
        assert make(MESSENGER, "x-1") == names[0]
    assert ingress_ids.message_uuid(MESSENGER, "x") != ingress_ids.person_uuid(MESSENGER, "x")


@pytest.mark.parametrize("name", ["", "m-1", "0" * 31, "é" * 32])
def test_what_is_no_uuid_has_no_bytes(name: str) -> None:
    assert ingress_ids.bytes_of(name) is None


def test_an_answered_id_of_a_person_is_left_out_and_amocrms_is_kept() -> None:
    answered = ingress_ids.person_uuid(MESSENGER, "u-1")
    given_back = Person(id="u-1", amojo_id=answered, name="Anna")
    assert ingress_ids.without_answered_id(MESSENGER, given_back) == Person(id="u-1", name="Anna")
    for kept in (Person(id="u-1", amojo_id="r-1"), Person(id="u-1"), Person(amojo_id=answered)):
        assert ingress_ids.without_answered_id(MESSENGER, kept) is kept


def test_own_messages_are_named_as_they_were_answered() -> None:
    named = ingress_ids.message_uuid(MESSENGER, "m-1")
    by = Person(amojo_id="o-1")
    own = Reaction(message_id="m-1", amojo_message_id="a-1", reacted_at=NOW, by=by)
    told = ingress_ids.with_answered_ids(MESSENGER, own)
    assert isinstance(told, Reaction)
    assert (told.message_id, told.amojo_message_id) == ("m-1", named)
    foreign = Reaction(amojo_message_id="a-1", reacted_at=NOW, by=by)
    assert ingress_ids.with_answered_ids(MESSENGER, foreign) is foreign
    quote = {"message": {"id": "a-1", "msgid": "m-1", "text": "x"}, "more": 1}
    message = make_message(extras={"reply_to": quote, "markup": None})
    quoted = ingress_ids.with_answered_ids(MESSENGER, message)
    assert quoted.extras == {  # type: ignore[union-attr]
        "reply_to": {"message": {"id": named, "msgid": "m-1", "text": "x"}, "more": 1},
        "markup": None,
    }


@pytest.mark.parametrize("quote", [None, [], {}, {"message": None}, {"message": {"msgid": 5}}])
def test_a_quote_of_any_other_shape_stays_as_it_is(quote: object) -> None:
    message = make_message(extras={"reply_to": quote})
    assert ingress_ids.with_answered_ids(MESSENGER, message) is message
