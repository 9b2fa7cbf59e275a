"""Keeps what was done by whom, and what was refused, for the people of a workspace to see."""

import structlog

from chatbridge.clock import Clock
from chatbridge.errors import StoreUnavailable
from chatbridge.model import Principal
from chatbridge.store import audit
from chatbridge.store.audit import Deed, Noted
from chatbridge.store.engine import Store

log = structlog.get_logger()

_WORDS = 255


class Audit:
    """The audit of a server."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        """Keep deeds in `store`."""
        self._store, self._clock = store, clock

    async def note(
        self,
        workspace_id: str | None,
        actor: str,
        action: str,
        *,
        subject: str | None = None,
        outcome: str = "done",
        detail: str | None = None,
    ) -> None:
        """Keep a deed. It was done: a database that is away does not undo it, and the log has it in any case."""
        subject = None if subject is None else subject[:_WORDS]
        log.info("deed", actor=actor, action=action, subject=subject, outcome=outcome)
        deed = Deed(workspace_id, self._clock.now(), actor, action, subject, outcome, detail)
        try:
            await self._store.write(audit.note, deed)
        except StoreUnavailable as error:
            log.error("deed_not_kept", action=action, reason=str(error))  # noqa: TRY400 - the database's fault

    async def list_(self, principal: Principal, *, before: int | None, limit: int) -> list[Noted]:
        """Return deeds, newest first, of the caller's workspace; the server's operator sees all."""
        return await self._store.read(
            audit.list_deeds, principal.workspace_id, before=before, limit=limit
        )
