"""The sandbox as an aiohttp application: the only place that puts its parts together."""

import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
from aiohttp import web

from chatbridge.sandbox import amojo, control, guards, operators
from chatbridge.sandbox.crm import routing
from chatbridge.sandbox.crm.limits import Limits
from chatbridge.sandbox.crm.notices import Notices
from chatbridge.sandbox.crm.state import Crm
from chatbridge.sandbox.events import Events
from chatbridge.sandbox.faults import Faults
from chatbridge.sandbox.hooks import Hooks
from chatbridge.sandbox.journal import Journal
from chatbridge.sandbox.media import Media
from chatbridge.sandbox.parts import SANDBOX, Sandbox
from chatbridge.sandbox.settings import SandboxSettings
from chatbridge.sandbox.state import State
from chatbridge.sandbox.switches import Switches

PAGES = Path(__file__).parent / "pages"
LOOK = Path(__file__).parent.parent / "look"


def random_id() -> str:
    """Return a fresh UUID, as amojo's ids are."""
    return str(uuid.uuid4())


def create_app(
    settings: SandboxSettings,
    *,
    now: Callable[[], float] = time.time,
    new_id: Callable[[], str] = random_id,
) -> web.Application:
    """Put one sandbox together. Nothing runs before the application starts."""
    app = web.Application(
        client_max_size=amojo.BODY_BYTES,
        middlewares=[guards.note_request, guards.errors, guards.refuse_strangers(settings)],
    )
    app[SANDBOX] = _parts(settings, now, new_id)
    app[guards.UNHEARD] = set()
    protection = guards.protection(settings)

    async def protect(_: web.Request, response: web.StreamResponse) -> None:
        for name, value in protection.items():
            response.headers.setdefault(name, value)

    async def end_streams(_: web.Application) -> None:
        app[SANDBOX].events.close()

    app.on_response_prepare.append(protect)
    app.on_shutdown.append(end_streams)
    app.cleanup_ctx.append(_run)
    app.add_routes([*amojo.routes(), *control.routes(), *operators.routes(), *routing.routes()])
    _add_pages(app)
    return app


def _parts(
    settings: SandboxSettings, now: Callable[[], float], new_id: Callable[[], str]
) -> Sandbox:
    switches, events = Switches(), Events()
    journal, state = Journal(events.publish), State(settings, events.publish)
    return Sandbox(
        settings=settings,
        switches=switches,
        events=events,
        state=state,
        journal=journal,
        hooks=Hooks(switches, events.publish, now),
        media=Media(settings.public_url, switches, journal, now=now, new_id=new_id),
        faults=Faults(switches, events.publish, "fault", "fault_conversation"),
        crm=Crm(settings, state, switches, now=now, new_id=new_id),
        crm_faults=Faults(switches, events.publish, "crm_fault", "crm_fault_call"),
        limits=Limits(switches, now),
        notices=Notices(switches, events.publish, now),
        now=now,
        new_id=new_id,
    )


async def _run(app: web.Application) -> AsyncIterator[None]:
    sandbox = app[SANDBOX]
    with tempfile.TemporaryDirectory(prefix="chatbridge-sandbox-") as folder:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            sandbox.hooks.open(http)
            sandbox.notices.open(http)
            sandbox.media.open(http, Path(folder))
            yield
            await sandbox.notices.close()
            await sandbox.media.close()


def _add_pages(app: web.Application) -> None:
    async def inbox(_: web.Request) -> web.StreamResponse:
        page = PAGES / "inbox.html"
        if not page.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(page)

    app.router.add_get("/", inbox)
    for prefix, folder in (("/pages", PAGES), ("/look", LOOK)):
        if folder.is_dir():
            app.router.add_static(prefix, folder)
