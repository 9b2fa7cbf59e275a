"""Sources: the places in an account's pipelines where leads of an integration come from ("sources-api")."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from chatbridge import errors
from chatbridge.protocol.crm.account import bearer
from chatbridge.protocol.crm.replies import read_object
from chatbridge.protocol.http import Request, Response
from chatbridge.protocol.tame import identifier, members, text, whole

_EXTERNAL_ID: Final = re.compile(r"[!-~]{1,36}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDraft:
    """A source to make. `external_id` has up to 36 visible ASCII characters, is never changed, and is the integration's own."""

    name: str
    external_id: str
    pipeline_id: int | None = None
    origin_code: str | None = None
    """The code of the chat channel, `amo.ext.…`."""

    def __post_init__(self) -> None:
        """Refuse what amoCRM would refuse.

        Raises:
            Rejected: the external id cannot be one.

        """
        if not _EXTERNAL_ID.fullmatch(self.external_id):
            raise errors.Rejected("external_id must be 1 to 36 visible ASCII characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source of ours in an account."""

    id: int
    name: str
    external_id: str | None
    pipeline_id: int | None
    origin_code: str | None


def get_sources(base: str, token: str) -> Request:
    """Return the call for our sources; there are at most 100."""
    return Request(method="GET", url=f"{base}/api/v4/sources?limit=250", headers=bearer(token))


def create_sources(base: str, token: str, drafts: Sequence[SourceDraft]) -> Request:
    """Return the call that makes sources, up to 50: one that is refused takes all of them along."""
    return Request(
        method="POST",
        url=f"{base}/api/v4/sources",
        headers={**bearer(token), "Content-Type": "application/json"},
        body=orjson.dumps([_body(draft) for draft in drafts]),
    )


def read_sources(response: Response) -> list[Source]:
    """Return the sources of an answer, none if it is empty.

    Raises:
        DeliveryError: the account refused.

    """
    found = members(read_object(response), "_embedded").get("sources")
    sources = [_source(members(one)) for one in found] if isinstance(found, list) else []
    return [source for source in sources if source is not None]


def _body(draft: SourceDraft) -> dict[str, Any]:
    body = {
        "name": draft.name,
        "external_id": draft.external_id,
        "pipeline_id": draft.pipeline_id,
        "origin_code": draft.origin_code,
    }
    return {name: value for name, value in body.items() if value is not None}


def _source(source: dict[str, Any]) -> Source | None:
    source_id = whole(source.get("id"))
    if source_id is None:
        return None
    return Source(
        id=source_id,
        name=text(source.get("name")) or "",
        external_id=identifier(source.get("external_id")),
        pipeline_id=whole(source.get("pipeline_id")),
        origin_code=identifier(source.get("origin_code")),
    )
