"""Short runs of what `python -m tests.torture` does at length. See docs/reference/torture.md."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.torture.checker import Verdict
from tests.torture.database import Database, running_database
from tests.torture.machine import compile_shim
from tests.torture.report import violations
from tests.torture.runs import new_folder, play
from tests.torture.schedules import Fault, Place, Schedule, Step, generate
from tests.torture.world import Ground

_KILLS = 5


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The faults of a machine. Without a C compiler: a failure in CI, a skip with its reason elsewhere."""
    if shutil.which("cc") is None:
        reason = "faults of the clock and the disk need a C compiler: apt-get install gcc libc6-dev"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return compile_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def ground(shim: Path) -> Ground:
    """What runs on SQLite need."""
    return Ground(shim=shim)


@pytest.fixture
def postgres_ground(shim: Path, postgres: PostgresServer) -> Ground:
    """What runs on PostgreSQL need that leave the server itself alone."""
    return Ground(shim=shim, database=Database(postgres))


@pytest.fixture
def own_ground(shim: Path) -> Iterator[Ground]:
    """A PostgreSQL server that may be crashed."""
    with running_database() as database:
        yield Ground(shim=shim, database=database)


async def endure(
    schedule: Schedule, folder: Path, ground: Ground, *, patience: float = 45
) -> Verdict:
    """Make a run in which nothing may be wrong."""
    run = new_folder(folder, "run")
    outcome = await play(schedule, "torture", run, ground, patience=patience)
    assert not outcome.verdict.violations, "\n".join(violations(outcome))
    return outcome.verdict


def one_after_the_other(place: Place, *faults: Fault) -> Schedule:
    steps = tuple(Step(after=30, instant=0, faults=(fault,)) for fault in faults)
    return Schedule(place=place, steps=steps)


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize(
    ("database", "where"), [("sqlite", "ground"), ("postgresql", "postgres_ground")]
)
async def test_kill_9_at_any_instant(
    database: str, where: str, part: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kills = generate(f"ci-{part}", Place(database=database), steps=_KILLS, kinds=("kill",))
    verdict = await endure(kills, tmp_path, request.getfixturevalue(where))
    assert verdict.faults == {"kill": _KILLS}


async def test_a_network_that_is_cut_and_a_server_that_stands_still(
    tmp_path: Path, ground: Ground
) -> None:
    schedule = one_after_the_other(
        Place(database="sqlite"),
        Fault(kind="cut_answer", side="to_messenger", seconds=0.6, amount=20),
        Fault(kind="pause", seconds=0.6),
    )
    verdict = await endure(schedule, tmp_path, ground)
    assert verdict.most_repeats_per("cut_answer"), "answers were cut"


async def test_a_full_disk(tmp_path: Path, ground: Ground) -> None:
    schedule = one_after_the_other(Place(database="sqlite"), Fault(kind="full_disk", seconds=0.6))
    verdict = await endure(schedule, tmp_path, ground)
    assert verdict.statuses["503"], "what did not fit was refused"


async def test_a_database_that_crashes_and_comes_back(tmp_path: Path, own_ground: Ground) -> None:
    schedule = one_after_the_other(
        Place(database="postgresql"), Fault(kind="database_crash", seconds=0.4)
    )
    verdict = await endure(schedule, tmp_path, own_ground)
    assert verdict.statuses["503"], "what could not be stored was refused"


async def test_a_database_that_commits_and_does_not_say_so(
    tmp_path: Path, postgres_ground: Ground
) -> None:
    schedule = one_after_the_other(
        Place(database="postgresql"), Fault(kind="database_lost_commit", seconds=0.4)
    )
    verdict = await endure(schedule, tmp_path, postgres_ground, patience=10)
    assert verdict.statuses["503"], "what may not be stored was refused"


@pytest.mark.parametrize("seconds", [pytest.param(-3600, id="slow"), pytest.param(3600, id="fast")])
async def test_a_clock_that_is_an_hour_wrong_for_a_while(
    seconds: int, tmp_path: Path, ground: Ground
) -> None:
    schedule = one_after_the_other(
        Place(database="sqlite"), Fault(kind="clock_step", seconds=0.5, amount=seconds)
    )
    verdict = await endure(schedule, tmp_path, ground, patience=10)
    assert verdict.turned_away, "the far sides saw signatures of another time"
