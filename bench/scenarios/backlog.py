"""amoCRM is down and messages keep coming: speed and memory while the queue grows."""

from dataclasses import dataclass
from typing import Final

from bench.bridge import on_sqlite
from bench.effort import Effort
from bench.load import Load, run_load
from bench.outcome import Bar, Outcome, Table, spread
from bench.rounds import RUN_NUMBERS
from bench.running import Running, place_for

_DOWN: Final = 503
_SECONDS: Final = 1800.0
_CONVERSATIONS: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class _Growth:
    short_rate: float
    """Messages taken in a second around a sixth of the backlog."""
    long_rate: float
    """The same at its end."""
    bytes_each: float
    """Memory that grew with each message queued, from a third to all of the backlog."""
    rss_mb: float


def run(effort: Effort) -> Outcome:
    """Queue messages; compare the rate at a sixth of the backlog with that at its end."""
    size, rounds = effort.backlog, max(1, effort.rounds // 2)
    grown = [_grow(size) for _ in range(rounds)]
    share = spread([one.long_rate / one.short_rate for one in grown])
    weight = spread([one.bytes_each for one in grown])
    memory = spread([one.rss_mb for one in grown])
    queued, short = f"{size:,}", f"{size // 6:,}"
    what = f"accepted/s with {queued} queued : {short} queued"
    return Outcome(
        bars=[
            Bar(what=what, value=share, unit="x", at_least=0.8),
            Bar(what="memory for each queued message", value=weight, unit=" B", at_most=50),
            Bar(what=f"RSS with {queued} queued", value=memory, unit=" MB", at_most=300),
        ],
        table=Table(
            columns=[f"accepted/s at {short}", f"at {queued}", "B/message", "RSS MB"],
            rows=[
                [
                    f"{one.short_rate:,.0f}",
                    f"{one.long_rate:,.0f}",
                    f"{one.bytes_each:.0f}",
                    f"{one.rss_mb:.0f}",
                ]
                for one in grown
            ],
        ),
    )


def _grow(size: int) -> _Growth:
    window = size // 15
    with place_for("chatbridge-sqlite") as place, on_sqlite(place) as running:
        place.sink.answer(_DOWN)
        _queue(running, size // 6 - window // 2)
        short = _queue(running, window)
        _queue(running, size // 3 - size // 6 - window // 2)
        third = running.processes[0].rss_mb()
        _queue(running, size - size // 3 - window)
        long = _queue(running, window)
        rss = running.processes[0].rss_mb()
    return _Growth(
        short_rate=short,
        long_rate=long,
        bytes_each=(rss - third) * 2**20 / (size - size // 3),
        rss_mb=rss,
    )


def _queue(running: Running, messages: int) -> float:
    load = Load(seconds=_SECONDS, messages=messages, conversations=_CONVERSATIONS)
    return run_load(running.target, load, run=next(RUN_NUMBERS)).rate
