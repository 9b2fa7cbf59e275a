"""What nodes tell each other of feeds fits into notifications, and says the same on the other side."""

from hypothesis import given
from hypothesis import strategies as st

from chatbridge.bridge.feed_news import MOST, News, read_news, words_of, words_of_whisper

PLACES = st.sets(
    st.tuples(st.text(min_size=1, max_size=64), st.text(max_size=255)), min_size=1, max_size=40
)


@given(places=PLACES)
def test_every_place_is_told_once_and_no_notification_is_too_long(
    places: set[tuple[str, str]],
) -> None:
    words = words_of("node-1", places)
    assert all(len(each.encode()) <= MOST for each in words)
    assert all("\0" not in each for each in words), "PostgreSQL takes none"
    told = [read_news(each) for each in words]
    assert {news.node for news in told} == {"node-1"}
    found = [place for news in told for place in news.places]
    assert len(found) == len(places)
    assert set(found) == places


def test_few_places_are_one_notification() -> None:
    assert len(words_of("node-1", {(f"msgr_{n}", f"c-{n}") for n in range(100)})) == 1


def test_a_whisper_is_told_whole_or_not_at_all() -> None:
    place = ("msgr_1", "c-1")
    body = '{"text":"ж\\u0000\\""}'.encode()
    words = words_of_whisper("node-1", place, body)
    assert words is not None
    assert read_news(words) == News("node-1", [place], body.decode())
    assert words_of_whisper("node-1", place, b'"' + b"x" * 7_000 + b'"') is not None
    assert words_of_whisper("node-1", place, b'"' + b"x" * MOST + b'"') is None
