"""`python -m tests.torture`: a campaign of kills and of mixed faults, and its report."""

import argparse
import asyncio
import contextlib
import itertools
import logging
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.processes import ROOT
from tests.torture import report
from tests.torture.database import Database, running_database
from tests.torture.faults import KINDS
from tests.torture.machine import compile_shim
from tests.torture.runs import Outcome, new_folder, play
from tests.torture.schedules import Place, Schedule, generate
from tests.torture.world import Ground

_KILLS_PER_RUN = 10
_STEPS = 6
_HISTORIES = ROOT / "var" / "torture"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 1 if anything was wrong."""
    options = _options(arguments)
    databases = ["sqlite", "postgresql"] if options.database == "both" else [options.database]
    places = [
        Place(database=name, nodes=options.nodes, lease=options.lease)
        for name in databases
        if options.nodes == 1 or name == "postgresql"
    ]
    if not places:
        _say("SQLite serves one node: use --database postgresql.")
        return 2
    places = [one for one in places if not options.faults or set(options.faults) & set(one.kinds)]
    if not places:
        _say("None of these faults happens there: add another --database, or --nodes 2.")
        return 2
    if shutil.which("cc") is None:
        _say("Faults of the clock and the disk need a C compiler: apt-get install gcc libc6-dev")
        return 2
    # A far side's server logs each request that is cut off, which is what happens here all the time.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    _say(f"seed {options.seed}; a violation's history is kept in {options.keep}")
    outcomes = _campaign(options, places)
    _say("")
    for line in report.summary(outcomes):
        _say(line)
    return 1 if any(outcome.verdict.violations for outcome in outcomes) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how often a server is killed; 100")
    parser.add_argument("--runs", type=int, help="mixed runs; as many as fit in the minutes")
    parser.add_argument("--minutes", type=float, default=10, help="begin no run after that; 10")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--nodes", type=int, default=1, help="servers on one database; 1")
    parser.add_argument("--lease", type=float, default=15, help="seconds of the nodes' lease; 15")
    parser.add_argument("--faults", default="", help="kinds of faults for mixed runs, with commas")
    parser.add_argument(
        "--only", metavar="NAME", help="one run again; name its database and nodes as well"
    )
    parser.add_argument("--keep", type=Path, default=_HISTORIES, help="where histories are kept")
    options = parser.parse_args(arguments)
    options.faults = tuple(filter(None, options.faults.split(",")))
    unknown = sorted(set(options.faults) - set(KINDS))
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)}; there are {', '.join(sorted(KINDS))}")
    if options.nodes < 1:
        parser.error("--nodes must be 1 or more")
    return options


def _names(options: argparse.Namespace) -> Iterable[str]:
    """First the kills, then the mixed runs."""
    if options.only:
        return [options.only]
    mixed = itertools.count() if options.runs is None else range(options.runs)
    return itertools.chain(
        (f"{options.seed}-kills-{n}" for n in range(-(-options.kills // _KILLS_PER_RUN))),
        (f"{options.seed}-mixed-{n}" for n in mixed),
    )


def _schedule(name: str, place: Place, options: argparse.Namespace) -> Schedule:
    if "-kills-" in name:
        return generate(name, place, steps=_KILLS_PER_RUN, kinds=("kill",))
    chosen = tuple(kind for kind in options.faults if kind in place.kinds)
    return generate(name, place, steps=_STEPS, kinds=chosen)


def _campaign(options: argparse.Namespace, places: Sequence[Place]) -> list[Outcome]:
    """Make the runs on each database in turn, until the minutes are over."""
    deadline = time.monotonic() + options.minutes * 60
    outcomes: list[Outcome] = []
    with _ground(places) as ground:
        for name, place in zip(_names(options), itertools.cycle(places), strict=False):
            if time.monotonic() > deadline:
                break
            schedule = _schedule(name, place, options)
            folder = new_folder(options.keep, name)
            if folder.name != name:
                _say(f"{options.keep / name} is kept from an earlier run; this one is in {folder}")
            outcomes.append(asyncio.run(play(schedule, name, folder, ground)))
            _say(report.line(name, outcomes[-1]))
            for line in report.violations(outcomes[-1]):
                _say(line)
    return outcomes


@contextlib.contextmanager
def _ground(places: Iterable[Place]) -> Iterator[Ground]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-")))
        database: Database | None = None
        if any(place.database == "postgresql" for place in places):
            database = stack.enter_context(running_database())
        yield Ground(shim=compile_shim(folder), database=database)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
