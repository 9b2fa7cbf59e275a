"""A PostgreSQL server of one's own that may crash, behind a network that may be cut."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import PostgresServer, running_server
from tests.processes import SECONDS, until


class Database:
    """A server on which each run gets a database; it can be ended on the spot and started again."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._process = server.process
        self._first = server.process

    @property
    def restartable(self) -> bool:
        """Whether it is a process of ours."""
        return self._first is not None

    def crash(self) -> None:
        """An immediate shutdown: PostgreSQL leaves everything as it is and recovers at its next start."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(SECONDS)

    def start(self) -> None:
        """Start it again as it was started first; return when it takes connections."""
        assert self._first is not None
        command = [str(part) for part in self._first.args]  # type: ignore[union-attr]
        data = Path(command[command.index("-D") + 1])
        owner = data.stat()
        account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        with (data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=data,
                **account if os.geteuid() == 0 else {},
            )
        port = command[command.index("-p") + 1]
        asking = [
            str(Path(command[0]).with_name("pg_isready")),
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            port,
        ]
        until(
            lambda: subprocess.run(asking, check=False, cwd="/").returncode == 0,
            "PostgreSQL takes connections again",
        )

    def stop(self) -> None:
        """End what was started again; the first process belongs to whoever started it."""
        process = self._process
        if process is not None and process is not self._first and process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(SECONDS)


@contextlib.contextmanager
def running_database() -> Iterator[Database]:
    """A server, running."""
    with running_server() as server:
        database = Database(server)
        try:
            yield database
        finally:
            database.stop()
