"""Several workers as one server: real processes on PostgreSQL."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Shop, bridge_process, draft, eventually, faults_in
from tests.acceptance.test_cli import GOOD, refused, taken_port
from tests.callers import Caller, Said
from tests.plain_amojo import PlainAmojo
from tests.postgres import PostgresServer
from tests.processes import SECONDS, Process, stopped_afterwards, until

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: bridge\r\n\r\n"
CONFIG = "settings.toml"


def crew_process(folder: Path, url: str, **settings: str) -> Process:
    """A server of two workers, not started yet."""
    process = bridge_process(folder, url, **settings)
    (folder / CONFIG).touch()
    process.log_file.touch()
    process.options = ["--workers", "2", "--config", CONFIG]
    # Their metrics' folder is made here.
    process.settings["TMPDIR"] = str(folder)
    return process


def lines(process: Process, event: str, *, after: int = 0) -> list[dict[str, object]]:
    """What was logged under this name; what is no event is passed over."""
    written = process.log[after:].splitlines()
    events = [json.loads(line) for line in written if line[:1] == "{" and line[-1:] == "}"]
    return [one for one in events if one["event"] == event]


def begin(process: Process) -> None:
    """Start it; return when both workers serve."""
    before = len(process.log)
    process.start()
    until(lambda: len(lines(process, "serving", after=before)) == 2, "both workers serve")


def signalled(process: Process, number: signal.Signals) -> None:
    assert process.process is not None
    process.process.send_signal(number)


def there(pid: object) -> bool:
    try:
        os.kill(int(str(pid)), 0)
    except ProcessLookupError:
        return False
    return True


def pids(process: Process) -> list[object]:
    return [line["pid"] for line in lines(process, "worker_started")]


def leftovers(folder: Path) -> list[Path]:
    """Folders for metrics that were not taken away."""
    return list(folder.glob("chatbridge-metrics-*"))


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Process]:
    """Two workers, for tests that leave two workers."""
    folder = tmp_path_factory.mktemp("crew")
    with postgres.database() as url, stopped_afterwards(crew_process(folder, url)) as process:
        begin(process)
        yield process
        assert faults_in(process.log) == []


async def fetch(process: Process, path: str) -> Said:
    caller = await Caller.arriving(process.port)
    said = await caller.ask(f"GET {path} HTTP/1.1\r\nHost: bridge\r\n\r\n".encode())
    caller.writer.close()
    return said


async def ask_both(process: Process) -> int:
    """Ask until both workers have answered; how often was asked."""
    before, asked = len(process.log), 0
    while len({one["worker"] for one in lines(process, "request", after=before)}) < 2:
        # Side by side: one worker alone may be quick enough for callers who come one after another.
        await asyncio.gather(*(fetch(process, "/healthz") for _ in range(8)))
        asked += 8
    return asked


async def health_requests(process: Process) -> float:
    for line in (await fetch(process, "/metrics")).body.decode().splitlines():
        if line.startswith("chatbridge_http_request_seconds_count") and "/healthz" in line:
            return float(line.split()[-1])
    return 0


async def test_both_serve_and_answer_for_both(crew: Process) -> None:
    before = await health_requests(crew)
    asked = await ask_both(crew)
    assert await health_requests(crew) == before + asked
    assert b"\nchatbridge_pending_in_memory 0.0\n" in (await fetch(crew, "/metrics")).body
    assert (await fetch(crew, "/readyz")).status == 200


async def test_both_know_at_once_who_was_made_by_one(
    crew: Process, http: aiohttp.ClientSession
) -> None:
    """The other may not have heard of it yet, and looks before it refuses."""
    bridge = Bridge(crew, http)
    for _ in range(3):
        key = (await bridge.add_messenger())["api_key"]
        before = len(crew.log)
        while len({one["worker"] for one in lines(crew, "request", after=before)}) < 2:
            asked = (bridge.call("GET", "/v1/messages/m-1", key=key) for _ in range(8))
            assert {reply.status for reply in await asyncio.gather(*asked)} == {404}


async def test_a_killed_worker_is_replaced_and_the_other_goes_on(crew: Process) -> None:
    begun, served = pids(crew), len(lines(crew, "serving"))
    before = await health_requests(crew)
    victim = next(pid for pid in begun if there(pid))
    os.kill(int(str(victim)), signal.SIGKILL)
    until(lambda: len(pids(crew)) > len(begun), "another worker is started")
    assert lines(crew, "worker_ended")[-1]["code"] == -signal.SIGKILL
    assert (await fetch(crew, "/healthz")).status == 200
    until(lambda: len(lines(crew, "serving")) > served, "the new worker serves")
    await ask_both(crew)
    assert await health_requests(crew) > before, "what the killed one counted stays counted"


async def test_the_old_workers_stay_if_new_ones_cannot_start(crew: Process) -> None:
    given_up = len(lines(crew, "replacing_given_up"))
    old = [pid for pid in pids(crew) if there(pid)]
    file = crew.folder / CONFIG
    file.write_text("[log]\nshape = 'round'\n")
    try:
        signalled(crew, signal.SIGHUP)
        until(lambda: len(lines(crew, "replacing_given_up")) > given_up, "it is given up")
    finally:
        file.write_text("")
    assert "CHATBRIDGE_LOG__SHAPE: is not a setting" in crew.log
    assert [pid for pid in pids(crew) if there(pid)] == old
    assert (await fetch(crew, "/readyz")).status == 200


async def test_however_often_all_are_replaced_counters_go_on_and_files_stay_few(
    crew: Process,
) -> None:
    await ask_both(crew)
    counted = await health_requests(crew)
    numbers = set()
    for _ in range(2):
        replaced = len(lines(crew, "replaced"))
        signalled(crew, signal.SIGHUP)
        until(lambda replaced=replaced: len(lines(crew, "replaced")) > replaced, "all are replaced")
        counted += await ask_both(crew)
        assert await health_requests(crew) == counted
        numbers |= {line["worker"] for line in lines(crew, "worker_started")}
    assert numbers == {1, 2, 3}
    (folder,) = leftovers(crew.folder)
    assert {file.name.rpartition("_")[2] for file in folder.iterdir()} <= {"1.db", "2.db", "3.db"}


async def load(
    process: Process, shop: Shop, stop: asyncio.Event, answers: Counter[int], name: str
) -> int:
    """One client until it is told to leave; how often it asked. A refused or broken request raises."""
    caller = await Caller.arriving(process.port)
    number = 0
    while not stop.is_set():
        number += 1
        body = json.dumps(draft(f"{name}-{number}", name)).encode()
        message = (
            f"POST /v1/messages HTTP/1.1\r\nHost: bridge\r\nAuthorization: Bearer {shop.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        said = await caller.ask(message + body if name.startswith("m") else HEALTH)
        answers[said.status] += 1
        if said.is_last or name.startswith("new"):
            caller.writer.close()
            caller = await Caller.arriving(process.port)
        await asyncio.sleep(0.005)  # a steady load, not one as high as it gets
    caller.writer.close()
    return number


async def test_replacing_all_under_load_refuses_nobody(
    tmp_path: Path, postgres: PostgresServer, http: aiohttp.ClientSession, plain: PlainAmojo
) -> None:
    with postgres.database() as url, stopped_afterwards(crew_process(tmp_path, url)) as process:
        shop = await shop_made_before(process, Bridge(process, http), plain)
        await asyncio.to_thread(begin, process)
        old = pids(process)[-2:]
        stop, answers = asyncio.Event(), Counter[int]()
        names = ["h1", "h2", "m1", "m2", "m3", "new1", "new2"]
        async with asyncio.TaskGroup() as clients:
            loads = {
                name: clients.create_task(load(process, shop, stop, answers, name))
                for name in names
            }
            try:
                signalled(process, signal.SIGHUP)
                replaced = partial(lines, process, "replaced")
                await asyncio.to_thread(until, replaced, "both are replaced")
            finally:
                stop.set()
        assert set(answers) == {200, 202}
        assert not any(map(there, old))
        wanted = {
            name: [f"{name}-{number}" for number in range(1, loads[name].result() + 1)]
            for name in names
            if name.startswith("m")
        }

        async def everything() -> bool:
            return sum(map(len, (await plain.arrived(shop.account)).values())) == answers[202]

        await eventually(everything, "all that was taken arrives")
        assert await plain.arrived(shop.account) == wanted
        assert faults_in(process.log) == []

        new = [pid for pid in pids(process) if there(pid)]
        assert len(new) == 2
        assert await asyncio.to_thread(process.terminate) == 0
        assert not any(map(there, new))
        assert leftovers(tmp_path) == []


async def shop_made_before(process: Process, bridge: Bridge, plain: PlainAmojo) -> Shop:
    """A shop that all workers know when they start."""
    options, process.options = process.options, []
    await asyncio.to_thread(process.start, "/readyz")
    shop = await bridge.open_shop(plain)
    await asyncio.to_thread(process.terminate)
    process.options = options
    return shop


def test_workers_end_when_their_parent_is_killed(tmp_path: Path, postgres: PostgresServer) -> None:
    with postgres.database() as url, stopped_afterwards(crew_process(tmp_path, url)) as process:
        begin(process)
        orphans = pids(process)
        process.kill()
        until(lambda: not any(map(there, orphans)), "the workers are gone")
        assert len(lines(process, "parent_gone")) == 2


async def test_a_stopping_server_says_so_and_a_second_signal_changes_nothing(
    tmp_path: Path,
) -> None:
    process = bridge_process(tmp_path, HTTP__DRAIN_DELAY="5")
    with stopped_afterwards(process):
        await asyncio.to_thread(process.start, "/readyz")
        for _ in range(2):
            signalled(process, signal.SIGTERM)
            while (said := await fetch(process, "/readyz")).status == 200:
                pass
            assert (said.status, json.loads(said.body)["status"]) == (503, "stopping")
            assert (await fetch(process, "/healthz")).status == 200
        assert process.process is not None
        assert await asyncio.to_thread(process.process.wait, SECONDS) == 0
        assert process.events()[-1]["event"] == "stopped"


def test_sqlite_serves_one_process(tmp_path: Path) -> None:
    said = refused("serve", "--workers", "2", settings=GOOD, folder=tmp_path)
    assert "SQLite serves one process" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_of_workers_that_is_none(number: str) -> None:
    assert "--workers" in refused("serve", "--workers", number, settings=GOOD)


NOWHERE = GOOD | {"CHATBRIDGE_STORE__URL": "postgresql://nobody@127.0.0.1:1/none"}


def test_a_taken_port_is_named_once(tmp_path: Path) -> None:
    with taken_port() as port:
        settings = NOWHERE | {"CHATBRIDGE_HTTP__PORT": port}
        said = refused("serve", "--workers", "2", settings=settings, folder=tmp_path)
    assert port in said
    assert len(said.splitlines()) == 1


def test_workers_that_cannot_start_are_given_up(tmp_path: Path) -> None:
    settings = NOWHERE | {"CHATBRIDGE_HTTP__PORT": "0", "TMPDIR": str(tmp_path)}
    said = refused("serve", "--workers", "2", settings=settings, folder=tmp_path)
    assert "the database did not take it" in said
    assert leftovers(tmp_path) == []
