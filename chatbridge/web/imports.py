"""Endpoints of imports: a messenger uploads history, and looks how far it has come."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from chatbridge import ids
from chatbridge.bridge.importing import Importing, SaidLine, reason_of
from chatbridge.errors import BodyTooLarge, InvalidFields, NotFound, RequestRefused
from chatbridge.model import Messenger
from chatbridge.store.imports import BadLine, Import
from chatbridge.web.answers import Answer
from chatbridge.web.bodies import parse_json
from chatbridge.web.endpoint import Call
from chatbridge.web.import_schemas import (
    BadLineOut,
    ImportDetails,
    ImportOut,
    ImportPage,
    ImportQuery,
)
from chatbridge.web.line_splitter import LineSplitter, RawLine
from chatbridge.web.message_schemas import MessageDraft
from chatbridge.web.messages import to_message
from chatbridge.web.times import to_datetime

_AT_ONCE: Final = 100
"""Lines that are read and stored together: a few milliseconds, in which nobody else is answered."""


async def create_import(call: Call[AsyncIterator[bytes]]) -> ImportOut:
    """Take lines of history. What has come of an upload that breaks off is kept."""
    importing = call.services.importing
    query: ImportQuery = call.query
    name = query.id or ids.new_uuid()
    limit = call.services.body_limit
    receiving = await importing.begin(call.messenger, name, query.scope_id)
    upload = _Upload(importing, call.messenger, receiving, query.scope_id, limit)
    splitter = LineSplitter(limit=limit)
    try:
        async for piece in call.body:
            for line in splitter.feed(piece):
                await upload.add(line)
        for line in splitter.end():
            await upload.add(line)
    finally:
        await upload.flush()
    return _to_out(await importing.complete(receiving))


async def list_imports(call: Call[None]) -> ImportPage:
    """List the messenger's imports."""
    importing, messenger, query = call.services.importing, call.messenger, call.query
    try:
        after = (await importing.find(messenger, query.after)).id if query.after else 0
    except NotFound:
        raise InvalidFields(
            "`after` is not from this list.", fields={"?after": "unknown"}
        ) from None
    found = await importing.list_(messenger, after=after, limit=query.limit)
    following = found[-1].name if len(found) == query.limit else None
    return ImportPage(items=[_to_out(one) for one in found], next=following)


async def get_import(call: Call[None]) -> ImportDetails:
    """Show how far an import has come."""
    importing = call.services.importing
    found = await importing.find(call.messenger, call.path["import_id"])
    bad = [
        BadLineOut(number=line.number, code=line.code, reason=line.reason)
        for line in await importing.list_bad(found)
    ]
    return ImportDetails(**_members(found), bad_lines=bad)


async def cancel_import(call: Call[None]) -> Answer:
    """Drop what is not in the journal yet."""
    await call.services.importing.cancel(call.messenger, call.path["import_id"])
    return Answer(status=204)


@dataclass(slots=True)
class _Upload:
    """Lines of one request, read and kept in batches."""

    importing: Importing
    messenger: Messenger
    receiving: Import
    scope_id: str | None
    limit: int
    said: list[SaidLine] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    size: int = 0

    async def add(self, line: RawLine) -> None:
        """Take a line; it is on disk after the next flush."""
        read = read_line(line)
        if isinstance(read, SaidLine):
            self.said.append(read)
        else:
            self.bad.append(read)
        self.size += len(line.data or b"")
        if len(self.said) + len(self.bad) >= _AT_ONCE or self.size >= self.limit:
            await self.flush()

    async def flush(self) -> None:
        """Keep what was taken."""
        said, bad = self.said, self.bad
        self.said, self.bad, self.size = [], [], 0
        if said or bad:
            await self.importing.take(
                self.receiving, self.messenger, said, bad, scope_id=self.scope_id
            )


def read_line(line: RawLine) -> SaidLine | BadLine:
    """Return what a line says, or why it says nothing."""
    try:
        if line.data is None:
            raise BodyTooLarge("The line is too long. Send media as links.")
        draft: MessageDraft = parse_json(MessageDraft, "application/json", line.data)
        if draft.sent_at is None:
            raise InvalidFields(fields={"/sent_at": "needed: history has its own times"})
    except RequestRefused as error:
        return BadLine(line.number, error.code, reason_of(error), line.data or b"")
    return SaidLine(line.number, to_message(draft, now=0), draft.scope_id)


def _to_out(found: Import) -> ImportOut:
    return ImportOut(**_members(found))


def _members(found: Import) -> dict[str, Any]:
    counts = ("lines", "bad", "repeated", "imported", "delivered", "failed", "cancelled", "left")
    times = ("started_at", "uploaded_at", "ended_at")
    moments = {name: getattr(found, name) for name in times}
    return {
        "id": found.name,
        "state": found.state,
        **{name: getattr(found, name) for name in counts},
        **{name: at if at is None else to_datetime(at) for name, at in moments.items()},
    }
