"""Who can take part: one table."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench import bridge, installs, programs, servers
from bench.running import Place, Running


def _nothing() -> str | None:
    return None


def _no_postgres() -> str | None:
    return None if servers.postgres_binaries() else "PostgreSQL's binaries are not installed"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One bridge."""

    name: str
    run: Callable[[Place], AbstractContextManager[Running]]
    missing: Callable[[], str | None] = _nothing
    """Says what the machine lacks for it."""
    install: Callable[[], object] | None = None
    """Installs what is not ours; those that have this take part in full runs only."""


NAIVE: Final = Contestant(name="naive", run=partial(programs.ours, module="naive"))
NAIVE_OUTBOUND: Final = Contestant(
    name="naive-outbound", run=partial(programs.ours, module="naive_outbound")
)
SQLITE: Final = Contestant(name="chatbridge-sqlite", run=bridge.on_sqlite)
SLOW_DISK: Final = Contestant(
    name="chatbridge-sqlite-slow-disk", run=partial(bridge.on_sqlite, slow_disk=True)
)
POSTGRES: Final = Contestant(
    name="chatbridge-postgres", run=bridge.on_postgres, missing=_no_postgres
)
WORKERS: Final = Contestant(
    name="chatbridge-postgres-2-workers",
    run=partial(bridge.on_postgres, workers=2),
    missing=_no_postgres,
)
FASTAPI: Final = Contestant(
    name="fastapi-httpx", run=programs.fastapi, install=installs.peers_python
)
FLASK: Final = Contestant(name="flask-requests", run=programs.flask, install=installs.peers_python)
NODE_RED: Final = Contestant(
    name="node-red",
    run=programs.node_red,
    missing=programs.lacks_programs("node", "npm"),
    install=installs.node_red,
)
ARQ: Final = Contestant(
    name="arq-redis",
    run=programs.arq,
    missing=programs.lacks_programs("redis-server"),
    install=installs.peers_python,
)
PROCRASTINATE: Final = Contestant(
    name="procrastinate-postgres",
    run=programs.procrastinate,
    missing=_no_postgres,
    install=installs.peers_python,
)

PEERS: Final = (NODE_RED, ARQ, PROCRASTINATE, FASTAPI, FLASK)
"""What is not ours."""


def present(
    contestants: Sequence[Contestant], *, peers: bool
) -> tuple[list[Contestant], list[str]]:
    """Return who can take part, and a sentence for each who cannot."""
    found, skipped = [], []
    for contestant in contestants:
        reason = _absence(contestant, peers=peers)
        if reason is None:
            found.append(contestant)
        else:
            skipped.append(f"{contestant.name}: {reason}")
    return found, skipped


def _absence(contestant: Contestant, *, peers: bool) -> str | None:
    if contestant.install and not peers:
        return "takes part in full runs only"
    reason = contestant.missing()
    if reason or contestant.install is None:
        return reason
    try:
        contestant.install()
    except installs.NotInstalled as error:
        return f"could not be installed ({error})"
    return None
