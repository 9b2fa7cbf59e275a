import pytest

from chatbridge.errors import InvalidFields
from chatbridge.web.pages import cut_page
from chatbridge.web.schemas import PageQuery

LETTERS = list("abcde")


@pytest.mark.parametrize(
    ("after", "limit", "page", "following"),
    [
        (None, 2, "ab", "b"),
        ("b", 2, "cd", "d"),
        ("d", 2, "e", None),
        ("e", 2, "", None),
        (None, 5, "abcde", None),
        (None, 200, "abcde", None),
        ("a", 4, "bcde", None),
    ],
)
def test_pages(after: str | None, limit: int, page: str, following: str | None) -> None:
    found = cut_page(LETTERS, str, PageQuery(after=after, limit=limit))
    assert found == (list(page), following)


def test_a_page_after_nothing_known() -> None:
    with pytest.raises(InvalidFields, match="not from this list"):
        cut_page(LETTERS, str, PageQuery(after="z"))
