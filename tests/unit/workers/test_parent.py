"""The parent with real processes that do as they are told, without a server in them."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chatbridge.workers.parent import run
from chatbridge.workers.values import ValuesFolder
from chatbridge.workers.worker import Launcher
from tests.processes import ROOT, SECONDS
from tests.unit.workers.crew import Crew, Events, eventually, named, tiny
from tests.unit.workers.tiny_worker import (
    BAD_INPUT,
    CODE,
    DIES,
    HANGS,
    KILLED,
    LINGERS,
    SERVES,
    STUBBORN,
)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


@pytest.fixture
async def crew(tmp_path: Path, listening: socket.socket) -> Crew:
    values = tmp_path / "values"
    values.mkdir()
    lock = listening.fileno()  # any descriptor will do
    folder = ValuesFolder(path=str(values), lock=lock)
    return Crew(tmp_path, Launcher(command=tiny(tmp_path), sockets=[listening], values=folder))


@pytest.fixture
def events() -> Iterator[Events]:
    with capture_logs() as events:
        yield events


def descriptors() -> list[Path]:
    return sorted(Path("/proc/self/fd").iterdir())


async def test_numbers_are_used_again_and_nothing_stays_open(crew: Crew, events: Events) -> None:
    before = descriptors()
    async with crew.kept():
        for times in range(1, 5):
            crew.workers.replace()
            await eventually(lambda times=times: len(named(events, "replaced")) == times, "new")
            assert len(crew.serving) == 2
    assert len(crew.started) == 10
    assert {one.number for one in crew.started} == {1, 2, 3}
    assert {one.code for one in crew.started} == {0}
    await eventually(lambda: descriptors() == before, "all links are closed")


async def test_told_again_in_the_middle_it_replaces_all_once_more(
    crew: Crew, events: Events
) -> None:
    async with crew.kept():
        crew.workers.replace()
        await eventually(lambda: len(crew.started) == 3, "it has begun")
        for _ in range(3):
            crew.workers.replace()
        await eventually(lambda: len(named(events, "replaced")) == 2, "it is done twice")
        assert len(crew.serving) == 2
    assert len(crew.started) == 6


async def test_told_to_stop_in_the_middle_of_replacing_it_ends_all(crew: Crew) -> None:
    async with crew.kept():
        crew.behave(HANGS)
        crew.workers.replace()
        await eventually(lambda: len(crew.started) == 3, "it has begun")
    assert crew.started[2].code in {0, -signal.SIGTERM}


@pytest.mark.parametrize("how", [DIES, HANGS])
async def test_the_old_ones_stay_if_a_new_one_does_not_come_to_serve(
    crew: Crew, events: Events, how: str
) -> None:
    async with crew.kept():
        old = crew.serving
        crew.behave(how)
        crew.workers.replace()
        await eventually(lambda: named(events, "replacing_given_up"), "it is given up")
        assert crew.serving == old
        assert len(crew.started) == 3
    assert bool(named(events, "worker_too_slow")) == (how == HANGS)


async def test_one_that_ended_is_started_again(crew: Crew, events: Events) -> None:
    async with crew.kept():
        os.kill(crew.started[0].pid, signal.SIGKILL)
        await eventually(lambda: len(crew.started) == 3, "another is started")
        await eventually(lambda: len(crew.serving) == 2, "it serves")
    (ended,) = named(events, "worker_ended")
    assert (ended["worker"], ended["code"], ended["again_in"]) == (1, -signal.SIGKILL, 0.1)
    assert crew.started[2].number == 1


@pytest.mark.parametrize(
    ("how", "code", "started"), [(BAD_INPUT, 2, 2), (DIES, CODE, 6), (KILLED, 1, 6)]
)
async def test_workers_that_never_serve_are_given_up(
    crew: Crew, events: Events, how: str, code: int, started: int
) -> None:
    crew.behave(how)
    assert await crew.keep() == code
    assert len(crew.started) == started
    assert len(named(events, "given_up")) == 1


async def test_while_one_serves_the_others_are_not_given_up(crew: Crew, events: Events) -> None:
    async with crew.kept():
        crew.behave(DIES)
        os.kill(crew.started[0].pid, signal.SIGKILL)
        await eventually(lambda: len(named(events, "worker_ended")) == 4, "it ends many times")
        delays = [event["again_in"] for event in named(events, "worker_ended")]
        assert delays == [0.1, 0.2, 0.5, 1.0]
        crew.behave(SERVES)
        await eventually(lambda: len(crew.serving) == 2, "it serves again")
    assert named(events, "given_up") == []


async def test_a_program_that_is_not_there_is_given_up_and_leaves_nothing_open(
    crew: Crew, events: Events
) -> None:
    before = descriptors()
    crew.launcher = Launcher(command=["/nowhere"], sockets=[], values=crew.launcher.values)
    assert await crew.keep() == 1
    assert {event["reason"] for event in named(events, "worker_not_started")} == {
        "No such file or directory"
    }
    assert descriptors() == before


async def test_what_cannot_be_started_for_a_while_is_tried_again(
    crew: Crew, events: Events
) -> None:
    """The system may be short of memory or processes."""
    genuine = crew.launcher
    async with crew.kept():
        crew.launcher = Launcher(command=["/nowhere"], sockets=[], values=genuine.values)
        os.kill(crew.started[0].pid, signal.SIGKILL)
        await eventually(lambda: len(named(events, "worker_missing")) == 3, "it fails")
        assert [event["again_in"] for event in named(events, "worker_missing")] == [0.2, 0.5, 1.0]
        crew.launcher = genuine
        await eventually(lambda: len(crew.serving) == 2, "it serves again")
        crew.workers.replace()
        await eventually(lambda: named(events, "replaced"), "it can be replaced")


async def test_one_that_does_not_end_is_killed(crew: Crew, events: Events) -> None:
    crew.behave(STUBBORN)
    async with crew.kept():
        pass
    assert {one.code for one in crew.started} == {-signal.SIGKILL}
    assert len(named(events, "worker_killed")) == 2


async def test_nobody_waits_at_the_door_of_workers_that_take_no_more_callers(
    tmp_path: Path, listening: socket.socket
) -> None:
    (tmp_path / "behaviour").write_text(LINGERS)
    address = listening.getsockname()
    running = asyncio.create_task(run(tiny(tmp_path), count=2, sockets=[listening]))
    await eventually(lambda: len(list(tmp_path.glob("serves-*"))) == 2, "both serve")
    assert not refuses(address)
    os.kill(os.getpid(), signal.SIGTERM)
    await eventually(lambda: refuses(address), "nobody listens")
    assert not running.done()
    (tmp_path / "enough").touch()
    assert await running == 0


def refuses(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_signal_while_the_first_workers_are_being_started_is_one_like_any_other() -> None:
    """Each worker has the parent replace all, as soon as it is there."""
    parent = (
        "import asyncio; from chatbridge.workers.parent import run;"
        "asyncio.run(run(['sh', '-c', 'kill -HUP $PPID; exec sleep 60'], count=8, sockets=[]))"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    started = list(itertools.islice(process.stdout, 9))
    process.terminate()
    process.stdout.close()
    process.wait(SECONDS)
    assert len(started) == 9, "the eight, and one that is to replace the first"
