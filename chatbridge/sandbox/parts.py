"""What one running sandbox consists of."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from chatbridge.sandbox.crm.limits import Limits
from chatbridge.sandbox.crm.notices import Notices
from chatbridge.sandbox.crm.state import Crm
from chatbridge.sandbox.events import Events
from chatbridge.sandbox.faults import Faults
from chatbridge.sandbox.hooks import Hooks
from chatbridge.sandbox.journal import Journal
from chatbridge.sandbox.media import Media
from chatbridge.sandbox.settings import SandboxSettings
from chatbridge.sandbox.state import State
from chatbridge.sandbox.switches import Switches


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """All parts; `now` gives seconds since the epoch, `new_id` a fresh UUID as text."""

    settings: SandboxSettings
    switches: Switches
    events: Events
    state: State
    journal: Journal
    hooks: Hooks
    media: Media
    faults: Faults
    crm: Crm
    crm_faults: Faults
    limits: Limits
    notices: Notices
    now: Callable[[], float]
    new_id: Callable[[], str]

    def reset(self) -> None:
        """Forget everything but the seed."""
        self.state.reset()
        self.switches.reset()
        self.journal.clear()
        self.hooks.clear()
        self.media.clear()
        self.crm.reset()
        self.limits.clear()
        self.notices.clear()
        self.events.publish("reset", dict)

    def note_crm(
        self,
        request: web.Request,
        at: float,
        *,
        status: int,
        error: str | None = None,
        body: bytes = b"",
    ) -> None:
        """Write a request to an account into the log."""
        self.journal.add(
            kind="crm",
            at=at,
            method=request.method,
            path=request.raw_path,
            status=status,
            error=error,
            scope_id=None,
            body=body,
        )


SANDBOX: web.AppKey[Sandbox] = web.AppKey("sandbox", Sandbox)
