"""Runs the benchmarks: `python -m bench.run [--quick] [--only NAME] [--rounds N] [--size N]`.

Without `--only` and `--quick` it writes `bench/RESULTS.md` and `bench/results.svg`.
"""

import argparse
import dataclasses
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import machine, native, plot, report
from bench.effort import FULL, QUICK, Effort
from bench.outcome import Outcome
from bench.places import HERE, RUNS
from bench.processes import Failed
from bench.scenarios import SCENARIOS, Scenario

_SHOWS: Final = {scenario.name: scenario.shows for scenario in SCENARIOS}


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    options = _options()
    # Told to stop, it stops what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    effort = _effort(options)
    chosen = [s for s in SCENARIOS if _is_wanted(s, options)]
    _sweep()
    try:
        outcomes, failures = _run_all(chosen, effort, judged=not options.quick)
    except native.NoCompiler as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(RUNS, ignore_errors=True)
    if not options.only and not options.quick and not failures:
        _write(outcomes, effort)
    for name, failure in failures.items():
        print(f"{name} failed: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _sweep() -> None:
    """Remove what runs left behind that were killed."""
    for folder in RUNS.parent.glob("[0-9]*"):
        if not Path("/proc", folder.name).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _is_wanted(scenario: Scenario, options: argparse.Namespace) -> bool:
    if options.only:
        return scenario.name in options.only
    return not (scenario.full_only and options.quick)


def _run_all(
    scenarios: Sequence[Scenario], effort: Effort, *, judged: bool
) -> tuple[dict[str, Outcome], dict[str, str]]:
    outcomes, failures = {}, {}
    for scenario in scenarios:
        print(f"{scenario.name}: {scenario.shows}", flush=True)
        begun = time.monotonic()
        try:
            outcomes[scenario.name] = scenario.run(effort)
        except Failed as error:
            failures[scenario.name] = str(error)
            print(f"  failed: {error}", flush=True)
        else:
            print(report.lines(outcomes[scenario.name], judged=judged))
            print(f"  {time.monotonic() - begun:.0f} s", flush=True)
    return outcomes, failures


def _write(outcomes: dict[str, Outcome], effort: Effort) -> None:
    facts = machine.describe() | {"rounds of comparisons": str(effort.rounds)}
    page = report.markdown(facts, outcomes, _SHOWS)
    (HERE / "RESULTS.md").write_text(page, encoding="utf-8")
    drawn = {name: outcome.plotted for name, outcome in outcomes.items() if outcome.plotted}
    (HERE / "results.svg").write_text(plot.draw(drawn), encoding="utf-8")
    print("Written: bench/RESULTS.md and bench/results.svg")


def _effort(options: argparse.Namespace) -> Effort:
    effort = QUICK if options.quick else FULL
    changes = {name: getattr(options, name) for name in ("rounds", "seconds")}
    changes |= dict.fromkeys(("backlog", "restart", "claim"), options.size)
    given = {name: value for name, value in changes.items() if value is not None}
    return dataclasses.replace(effort, **given)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute or two: does it all work?")
    parser.add_argument(
        "--only", action="append", choices=list(_SHOWS), help="this scenario; may be repeated"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each comparison")
    parser.add_argument("--seconds", type=float, help="seconds of load in a round")
    parser.add_argument("--size", type=int, help="messages in a backlog")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
