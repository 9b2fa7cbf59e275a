"""How the files in `bench/contestants` are started, and what each needs of the machine."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import installs
from bench.bridge import callback_target
from bench.load import Target
from bench.places import HERE, ROOT
from bench.processes import Failed, Process, Program, free_port
from bench.running import SCOPE, Place, Running
from bench.servers import postgres, redis

Command = Sequence[str | Path]


@contextmanager
def ours(place: Place, *, module: str) -> Iterator[Running]:
    """Run a contestant that needs nothing but chatbridge's own libraries."""
    with _served(place, [_module(Path(sys.executable), module)]) as running:
        yield running


@contextmanager
def fastapi(place: Place) -> Iterator[Running]:
    """Run the bridge on FastAPI and httpx: one uvicorn process."""
    with _served(place, [_module(installs.peers_python(), "fastapi_httpx")]) as running:
        yield running


@contextmanager
def flask(place: Place) -> Iterator[Running]:
    """Run the bridge on Flask and requests: gunicorn with two processes of 32 threads."""
    python, port = installs.peers_python(), free_port()
    gunicorn = (python, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "warning")
    workers = ("--workers", "2", "--threads", "32", "--keep-alive", "75")
    command = (*gunicorn, *workers, "bench.contestants.flask_requests:app")
    with _served(place, [command], port=port) as running:
        yield running


@contextmanager
def node_red(place: Place) -> Iterator[Running]:
    """Run the bridge as a flow of Node-RED."""
    source, home = HERE / "contestants" / "node_red", place.folder
    flow = json.loads((source / "flow.json").read_text(encoding="utf-8"))
    for node in flow:
        if "func" in node:
            node["func"] = (source / node["func"].strip("@")).read_text(encoding="utf-8")
    (home / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
    shutil.copy(source / "settings.js", home)
    command = ("node", installs.node_red(), "--userDir", home, "--settings", home / "settings.js")
    with _served(place, [command]) as running:
        yield running


@contextmanager
def arq(place: Place) -> Iterator[Running]:
    """Run the bridge on arq: Redis, a front, a worker."""
    python = installs.peers_python()
    worker = (python, "-m", "arq", "bench.contestants.arq_redis.WorkerSettings")
    with redis(place.folder) as server:
        store = {"BENCH_STORE": server.url}
        commands = [_module(python, "arq_redis"), worker]
        with _served(place, commands, settings=store, databases=[server.process]) as running:
            yield running


@contextmanager
def procrastinate(place: Place) -> Iterator[Running]:
    """Run the bridge on procrastinate: PostgreSQL, a front, a worker."""
    command = _module(installs.peers_python(), "procrastinate_postgres")
    with postgres(place.folder, cpus=place.server_cpus) as server:
        store = {"BENCH_STORE": server.url}
        _prepare([*command, "prepare"], store)
        commands = [command, (*command, "worker")]
        with _served(place, commands, settings=store, databases=[server.process]) as running:
            yield running


def _prepare(command: Command, settings: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        env=os.environ | dict(settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"procrastinate's tables were not made: {done.stderr.strip()}")


@contextmanager
def _served(
    place: Place,
    commands: Sequence[Command],
    *,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    databases: Sequence[Process] = (),
) -> Iterator[Running]:
    """Run these processes; the first one listens."""
    port = port or free_port()
    environment = _settings(place, port) | dict(settings or {})
    with ExitStack() as stack:
        processes = []
        for number, command in enumerate(commands):
            program = Program(
                name=f"{place.name}-{number}",
                command=command,
                folder=place.folder,
                environment=environment,
            )
            processes.append(Process(program, cpus=place.server_cpus))
            stack.callback(processes[-1].stop)
        processes[0].wait_for_port(port)
        target = _target(place, port)
        yield Running(processes=[*processes, *databases], target=target, place=place)


def _module(python: Path, name: str) -> Command:
    return (python, "-m", f"bench.contestants.{name}")


def _settings(place: Place, port: int) -> dict[str, str]:
    """Return what the files in `bench/contestants` read from their environment."""
    return {
        "BENCH_PORT": str(port),
        "BENCH_FAR_SIDE": place.sink.url,
        "BENCH_API_KEY": place.keys.api,
        "BENCH_SECRET": place.keys.channel,
        "BENCH_WEBHOOK_SECRET": f"whsec_{place.keys.channel}",
        "BENCH_SCOPE": SCOPE,
    }


def _target(place: Place, port: int) -> Target:
    if place.outbound:
        return callback_target(port, place)
    authorization = {"Authorization": f"Bearer {place.keys.api}"}
    return Target(port=port, path="/v1/messages", headers=authorization)


# --- what the machine lacks ---


def lacks_programs(*names: str) -> Callable[[], str | None]:
    """Return a check that names the first program that is not on PATH."""

    def missing() -> str | None:
        absent = next((name for name in names if shutil.which(name) is None), None)
        return f"{absent} is not installed" if absent else None

    return missing
