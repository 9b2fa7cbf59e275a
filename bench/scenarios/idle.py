"""Memory of contestants that were started, set up, and have nothing to do."""

import time
from typing import Final

from bench import lineup
from bench.effort import Effort
from bench.lineup import NAIVE, PEERS, POSTGRES, SQLITE
from bench.outcome import Bar, Outcome, Table, spread
from bench.rounds import started

_SETTLING_SECONDS: Final = 2.0
_MOST_MB: Final = 80.0


def run(effort: Effort) -> Outcome:
    """Measure proportional set size, of all processes of a contestant with its database."""
    contestants = (NAIVE, SQLITE, POSTGRES, *PEERS)
    present, skipped = lineup.present(contestants, peers=effort.peers)
    memory: dict[str, list[float]] = {contestant.name: [] for contestant in present}
    for _ in range(effort.rounds):
        with started(present, outbound=False, skipped=skipped) as running:
            time.sleep(_SETTLING_SECONDS)
            for name, contestant in running.items():
                memory[name].append(contestant.pss_mb())
    rows = [[name, f"{spread(values).median:.0f}"] for name, values in memory.items() if values]
    mine = spread(memory[SQLITE.name])
    return Outcome(
        bars=[Bar(what=f"{SQLITE.name}: idle PSS", value=mine, unit=" MB", at_most=_MOST_MB)],
        table=Table(columns=["contestant", "PSS MB"], rows=rows),
        skipped=list(dict.fromkeys(skipped)),
    )
