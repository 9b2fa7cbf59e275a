"""Takes history: kept as it is uploaded, then put into the journal, in order and in portions.

A line goes the way of any client's message (`intake`), so what is there already is known by its id, and a crash costs nothing but
asking again. All are silent but the newest of each conversation: history neither rings nor makes leads.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Final, NamedTuple

import structlog
from msgspec.structs import replace

from chatbridge.bridge import import_plan as plan
from chatbridge.bridge.accepting import entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.intake import Intake
from chatbridge.bridge.periodic import FIRST
from chatbridge.clock import Clock
from chatbridge.errors import (
    LinkAmbiguous,
    NotFound,
    NotLinked,
    RequestRefused,
    StoreUnavailable,
)
from chatbridge.ids import fingerprint
from chatbridge.model import Direction, Kind, Message, Messenger, decode_message, encode_event
from chatbridge.store import import_lines, imports
from chatbridge.store.engine import Store
from chatbridge.store.import_lines import ReadyLine
from chatbridge.store.imports import BadLine, GoodLine, Import, ImportState

log = structlog.get_logger()

_SHOWN: Final = 100
"""Bad lines that are shown."""
_DROPPED: Final = 1_000
"""Lines of a cancelled import that are dropped at once."""


class SaidLine(NamedTuple):
    """A line of an upload that is a message."""

    number: int
    message: Message
    scope_id: str | None
    """The link it is for, if the line says so."""


class Importing:
    """Imports of all messengers."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        intake: Intake,
        partitions: Callable[[], frozenset[int]],
    ) -> None:
        """Take lines through `intake`; `partitions` are delivered here."""
        self._store, self._clock, self._directory = store, clock, directory
        self._intake, self._partitions = intake, partitions
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to move what was uploaded into the journal."""
        self._task = asyncio.create_task(self._work(), name="importing")

    async def stop(self) -> None:
        """Move no more. The next start goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- uploads ---

    async def begin(self, messenger: Messenger, name: str, scope_id: str | None) -> Import:
        """Return the import of this name, which takes lines. `scope_id` is the link for lines that name none.

        Raises:
            NotLinked: the messenger has no link, or not this one.
            ImportClosed: its upload is complete, or it is cancelled.
            StoreUnavailable: it was not stored.

        """
        with suppress(LinkAmbiguous):  # each line may say for which it is
            try:
                self._intake.link_for(messenger, scope_id)
            except NotLinked:
                await self._intake.link_made_lately(messenger, scope_id)
        return await self._store.write(imports.begin, messenger.id, name, self._clock.now())

    async def take(
        self,
        receiving: Import,
        messenger: Messenger,
        said: Sequence[SaidLine],
        bad: Sequence[BadLine],
        *,
        scope_id: str | None,
    ) -> None:
        """Keep lines of an upload; when this returns they are on disk.

        Raises:
            ImportClosed: the upload was completed by somebody else, or the import was cancelled.
            StoreUnavailable: they were not stored.

        """
        good, refused = [], list(bad)
        for line in said:
            try:
                good.append(self._good(messenger, line, scope_id))
            except RequestRefused as error:
                body = encode_event(line.message)
                refused.append(BadLine(line.number, error.code, reason_of(error), body))
        await self._store.write(imports.stage, receiving.id, good, refused)

    async def complete(self, receiving: Import) -> Import:
        """Let an import run whose upload has come to its end."""
        return await self._store.write(imports.complete, receiving.id, self._clock.now())

    # --- looking on ---

    async def find(self, messenger: Messenger, name: str) -> Import:
        """Return an import of this messenger.

        Raises:
            NotFound: it has none of this name.

        """
        found = await self._store.read(imports.find, messenger.id, name)
        if found is None:
            raise NotFound(f"This messenger has no import {name!r}.")
        return found

    async def list_(self, messenger: Messenger, *, after: int, limit: int) -> list[Import]:
        """Return imports of this messenger beyond one, oldest first."""
        return await self._store.read(imports.list_imports, messenger.id, after=after, limit=limit)

    async def list_bad(self, found: Import) -> list[BadLine]:
        """Return the bad lines of an import that were found first."""
        return await self._store.read(imports.list_bad, found.id, _SHOWN)

    async def cancel(self, messenger: Messenger, name: str) -> None:
        """Drop what is not in the journal yet.

        Raises:
            NotFound: this messenger has no import of this name.

        """
        if not await self._store.write(imports.cancel, messenger.id, name):
            raise NotFound(f"This messenger has no import {name!r}.")

    # --- into the journal ---

    async def _work(self) -> None:
        pause = 0.0
        while True:
            moved = 0
            try:
                if FIRST in self._partitions():
                    moved = await self.move_on()
            except (StoreUnavailable, NotFound) as error:
                log.warning("imports_not_moved", reason=str(error))
            except Exception:
                log.exception("import_fault")
            pause = plan.pause(pause, moved=moved)
            await self._clock.sleep(pause)

    async def move_on(self) -> int:
        """Move every running import on by a portion; return how many lines moved.

        Raises:
            StoreUnavailable: the database is away.
            NotFound: a messenger was made on another node, a moment ago.

        """
        running = await self._store.read(imports.list_running)
        return sum([await self._move(one, len(running)) for one in running])

    async def _move(self, one: Import, imports_: int) -> int:
        progress = await self._store.read(import_lines.look, one.id)
        if progress.delivered or progress.failed:
            ends = progress.delivered, progress.failed
            await self._store.write(import_lines.count_ends, one.id, *ends)
        if one.state is ImportState.CANCELLED and one.left and not progress.claimed:
            return await self._store.write(import_lines.drop, one.id, _DROPPED)
        if not one.left and not progress.waiting:
            await self._store.write(import_lines.end, one.id, self._clock.now())
            return 0
        room = plan.portion(progress.waiting, imports_)
        lines, settled = progress.claimed, 0
        if not lines and room:
            lines, settled = await self._claim(one, room)
        return settled + (await self._take_lines(one, lines) if lines else 0)

    async def _claim(self, one: Import, room: int) -> tuple[list[ReadyLine], int]:
        """Return the lines to take next, and how many need not be taken."""
        portion = await self._store.read(import_lines.next_portion, one.id, room)
        if not portion.size or not await self._store.write(import_lines.claim, one.id, portion):
            return [], 0
        return portion.fresh, portion.size - len(portion.fresh)

    async def _take_lines(self, one: Import, lines: Sequence[ReadyLine]) -> int:
        """Put claimed lines into the journal; return how many are settled."""
        messenger = self._directory.messenger(one.messenger_id)
        taking = (self._take_talk(messenger, talk) for talk in plan.talks(lines))
        answers = list(chain.from_iterable(await asyncio.gather(*taking)))
        taken = [line.id for line, fault in answers if fault is None]
        bad = {line.id: fault for line, fault in answers if fault is not None}
        await self._store.write(import_lines.settle, one.id, taken, bad)
        return len(answers)

    async def _take_talk(
        self, messenger: Messenger, lines: Sequence[ReadyLine]
    ) -> list[tuple[ReadyLine, BadLine | None]]:
        """Take lines of one conversation, one after another: none may be stored without those before it."""
        answers: list[tuple[ReadyLine, BadLine | None]] = []
        for line in lines:
            try:
                answers.append((line, await self._take_line(messenger, line)))
            except StoreUnavailable as error:
                log.warning("import_interrupted", reason=str(error))
                break
        return answers

    async def _take_line(self, messenger: Messenger, line: ReadyLine) -> BadLine | None:
        message = decode_message(line.body)
        try:
            link = self._directory.link_by_id(line.link_id)
        except KeyError:
            link = await self._directory.link_made_lately(line.link_id)
        try:
            await self._intake.client_message(
                messenger,
                replace(message, silent=message.silent or not line.is_newest),
                scope_id=link.scope_id,
                said=_said(line.body, line.scope_id),
            )
        except RequestRefused as error:
            return BadLine(line.number, error.code, reason_of(error))
        return None

    def _good(self, messenger: Messenger, line: SaidLine, scope_id: str | None) -> GoodLine:
        message, body = line.message, encode_event(line.message)
        return GoodLine(
            number=line.number,
            key=entry_key(messenger, Direction.TO_AMOJO, Kind.MESSAGE, message.id),
            digest=fingerprint(_said(body, line.scope_id)),
            link_id=self._intake.link_for(messenger, line.scope_id or scope_id).id,
            conversation_id=message.conversation_id or "",
            sent_at=message.sent_at,
            scope_id=line.scope_id,
            body=body,
        )


def _said(body: bytes, scope_id: str | None) -> bytes:
    """Return what tells a repeat from another message under the same id: the same as where it is sent alone."""
    return body + (scope_id or "").encode()


def reason_of(error: RequestRefused) -> str:
    """Return what is wrong with a line, in one line. It names members, and quotes nothing of them."""
    faults = [
        f"{pointer or 'the whole line'}: {detail}" for pointer, detail in error.fields.items()
    ]
    words = "; ".join(faults) or str(error)
    return "".join(letter for letter in words if letter.isprintable())[:500]
