"""What a source may look like (page "sources-api")."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from chatbridge.sandbox.crm.door import Caller
from chatbridge.sandbox.crm.problems import Wrong
from chatbridge.sandbox.crm.records import Source
from chatbridge.sandbox.crm.state import PIPELINES
from chatbridge.sandbox.records import Json

EXTERNAL_ID = re.compile(r"[ -~]{1,36}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One source of a body; `source` is what it would become."""

    request_id: str
    given: Json
    source: Source


def wrongs(caller: Caller, item: Item) -> Iterator[Wrong]:
    """Name what is wrong with an item, new or changed."""
    given = item.given
    name = given.get("name", item.source.name)
    if not isinstance(name, str) or not name:
        yield _invalid(item, "name", "A name is required")
    if not known(given.get("pipeline_id", min(PIPELINES)), PIPELINES):
        yield unsupported(item, "pipeline_id", "There is no such pipeline")
    if not isinstance(given.get("default", False), bool):
        yield _invalid(item, "default", "true or false is expected")
    if given.get("origin_code") not in (None, origin_code(caller)):
        yield unsupported(item, "origin_code", "The integration has no such channel")
    services = given.get("services", [])
    if not isinstance(services, list) or not all(
        isinstance(one, dict) and one.get("type") == "whatsapp" for one in services
    ):
        yield unsupported(item, "services", "Services are of the type whatsapp")


def new_wrongs(items: list[Item], taken: set[str]) -> Iterator[Wrong]:
    """Name what is wrong with the ids of new items; `taken` grows by those that are not."""
    for item in items:
        external_id = item.given.get("external_id")
        if not isinstance(external_id, str) or not EXTERNAL_ID.fullmatch(external_id):
            yield _invalid(item, "external_id", "1 to 36 printable ASCII characters are expected")
        elif external_id in taken:
            yield unsupported(item, "external_id", "external_id is not unique")
        else:
            taken.add(external_id)


def second_default(caller: Caller, items: list[Item], own: list[Source]) -> list[Wrong]:
    """Refuse a second default source: one batch has one, and a switch says whether an older one gives way."""
    marked = [item for item in items if item.source.is_default is True]
    named = {item.source.number for item in items}
    before = [one for one in own if one.is_default and one.number not in named]
    refused = marked[1:]
    if before and caller.sandbox.switches.is_("source_default", "refused"):
        refused = marked
    return [unsupported(item, "default", "There is a default source already") for item in refused]


def known(number: object, numbers: Container[int]) -> bool:
    """Whether a value of a body is one of these numbers."""
    return type(number) is int and number in numbers


def origin_code(caller: Caller) -> str | None:
    """Return the code of the chat channel that belongs to the integration."""
    channel = caller.sandbox.state.channels.get(caller.integration.channel_id or "")
    return channel.code if channel is not None else None


def unsupported(item: Item, path: str, detail: str) -> Wrong:
    """Refuse a value that is not among the allowed ones."""
    return Wrong(request_id=item.request_id, code="NotSupportedChoice", path=path, detail=detail)


def _invalid(item: Item, path: str, detail: str) -> Wrong:
    return Wrong(request_id=item.request_id, code="InvalidType", path=path, detail=detail)
