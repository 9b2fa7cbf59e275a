"""How long a run may take."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Rounds, seconds and sizes of one run of the benchmarks."""

    rounds: int
    seconds: float
    """Of load in a round."""
    longer: int
    """How many times that, where the slowest of few messages are what is measured."""
    warm_up: int
    """Messages before the first round. Twice the conversations: then all are known, and code and caches are warm."""
    backlog: int
    """Messages queued while amoCRM is down."""
    restart: int
    """Messages pending when the server is started."""
    claim: int
    """Messages pending when loading is timed; the tenth of it is what it is compared with."""
    visitors: int
    """Who are connected to the website chat."""
    peers: bool
    """Whether to install and run what is not ours."""


FULL = Effort(
    rounds=5,
    seconds=5,
    longer=6,
    warm_up=4_000,
    backlog=300_000,
    restart=1_000_000,
    claim=1_000_000,
    visitors=1_000,
    peers=True,
)
QUICK = Effort(
    rounds=1,
    seconds=0.5,
    longer=2,
    warm_up=200,
    backlog=3_000,
    restart=2_000,
    claim=5_000,
    visitors=20,
    peers=False,
)
"""Shows that everything works; the figures mean nothing."""
