"""Pages of a list that is held in memory."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from chatbridge.errors import InvalidFields
from chatbridge.web.schemas import PageQuery

Item = TypeVar("Item")


def cut_page(
    items: Sequence[Item], name: Callable[[Item], str], query: PageQuery
) -> tuple[Sequence[Item], str | None]:
    """Return the wanted page of a list and the name to pass as `after` for the next one.

    Raises:
        InvalidFields: `after` is not the name of an item.

    """
    start = 0
    if query.after is not None:
        places = [place for place, item in enumerate(items) if name(item) == query.after]
        if not places:
            raise InvalidFields("`after` is not from this list.", fields={"?after": "unknown"})
        start = places[0] + 1
    page = items[start : start + query.limit]
    more = start + query.limit < len(items)
    return page, name(page[-1]) if more and page else None
