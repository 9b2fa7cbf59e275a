import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from chatbridge.connectors.website.seals import Seals, Session, Ticket

OLD, NEW = b"o" * 32, b"n" * 32
SESSION = Session("v-1", 1_790_000_000_000_000)
TICKET = Ticket("v-1", "f" * 32, "https://bridge/media/x", "image/png", 7, "a.png")
SEALS = Seals([NEW], "msgr_1")


def test_what_is_sealed_comes_back() -> None:
    assert SEALS.open(SEALS.seal(SESSION), Session) == SESSION
    assert SEALS.open(SEALS.seal(TICKET), Ticket) == TICKET


def test_a_session_outlives_a_change_of_keys_and_no_more() -> None:
    kept = Seals([OLD], "msgr_1").seal(SESSION)
    assert Seals([NEW, OLD], "msgr_1").open(kept, Session) == SESSION
    assert SEALS.open(kept, Session) is None
    assert Seals([OLD], "msgr_1").open(Seals([NEW, OLD], "msgr_1").seal(SESSION), Session) is None


def test_a_text_is_for_one_messenger_and_one_purpose() -> None:
    assert Seals([NEW], "msgr_2").open(SEALS.seal(SESSION), Session) is None
    assert SEALS.open(SEALS.seal(SESSION), Ticket) is None
    assert SEALS.open(SEALS.seal(TICKET), Session) is None


def test_nobody_becomes_another_visitor_by_changing_the_text() -> None:
    tag = SEALS.seal(SESSION).partition(".")[2]
    said = base64.urlsafe_b64encode(json.dumps(["v-2", SESSION.at]).encode()).decode()
    assert SEALS.open(f"{said.rstrip('=')}.{tag}", Session) is None


@given(st.integers(0, len(SEALS.seal(SESSION)) - 1), st.characters(max_codepoint=0x7F))
def test_a_text_with_another_letter_is_nobodys(place: int, letter: str) -> None:
    sealed = SEALS.seal(SESSION)
    changed = sealed[:place] + letter + sealed[place + 1 :]
    # The last letters carry bits that mean nothing: then it says the same.
    assert SEALS.open(changed, Session) in (None, SESSION)


@given(st.text())
def test_any_other_text_is_nobodys(text: str) -> None:
    assert SEALS.open(text, Session) is None
