"""Contestants side by side under the same load; one of them is the base of all ratios."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from bench import disk, lineup
from bench.effort import Effort
from bench.lineup import Contestant
from bench.load import Load
from bench.outcome import Bar, Column, Outcome, Spread, Table, spread
from bench.rounds import Sample, ratios, started, take_turns

Samples = dict[str, list[Sample]]
MakeBars = Callable[[Samples], list[Bar]]

_COLUMNS: Final = (
    "contestant",
    "delivered/s",
    "CPU µs/message",
    "accept p50 / p99 ms",
    "delivery p50 / p99 ms",
    "PSS MB",
    "repeats",
    "inversions",
    "rate : base",
    "CPU : base",
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Who is compared, under which load, and what has to hold. The first contestant is the base."""

    contestants: Sequence[Contestant]
    load: Load
    bars: MakeBars
    outbound: bool = False
    all_cpus: bool = False
    """Whether servers and load share all CPUs; otherwise each has one."""

    def __call__(self, effort: Effort) -> Outcome:
        """Run it."""
        present, skipped = lineup.present(self.contestants, peers=effort.peers)
        base = self.contestants[0].name
        if base not in [contestant.name for contestant in present]:
            return Outcome(bars=[], table=Table(columns=list(_COLUMNS), rows=[]), skipped=skipped)
        load = replace(self.load, seconds=effort.seconds * self.load.seconds)
        with started(
            present, outbound=self.outbound, skipped=skipped, all_cpus=self.all_cpus
        ) as running:
            samples = take_turns(
                running, load, rounds=effort.rounds, warm_up=effort.warm_up, skipped=skipped
            )
        return Outcome(
            bars=self.bars(samples),
            table=Table(
                columns=list(_COLUMNS),
                rows=[_row(name, taken, samples[base]) for name, taken in samples.items()],
            ),
            plotted=[
                Column(label=name, value=spread([sample.rate for sample in taken]))
                for name, taken in samples.items()
                if load.rate is None
            ],
            skipped=skipped,
        )


def _row(name: str, samples: list[Sample], base: list[Sample]) -> list[str]:
    def of(metric: str) -> Spread:
        return spread([getattr(sample, metric) for sample in samples])

    rate, relative, cpu = of("rate"), ratios(samples, base, "rate"), ratios(samples, base, "cpu_us")
    return [
        name,
        f"{rate.median:,.0f} ({rate.least:,.0f} to {rate.most:,.0f})",
        f"{of('cpu_us').median:,.0f}",
        f"{of('accept_p50_ms').median:.1f} / {of('accept_p99_ms').median:.1f}",
        f"{of('delivery_p50_ms').median:.1f} / {of('delivery_p99_ms').median:.1f}",
        f"{of('pss_mb').median:.0f}",
        str(sum(sample.duplicates for sample in samples)),
        str(sum(sample.inversions for sample in samples)),
        f"{relative.median:.2f} ({relative.least:.2f} to {relative.most:.2f})",
        f"{cpu.median:.2f} ({cpu.least:.2f} to {cpu.most:.2f})",
    ]


# --- what has to hold ---


def faster(name: str, base: str, *, at_least: float, cpu_at_most: float | None = None) -> MakeBars:
    """Want so many times the base's deliveries, and at most this share of its processor time for each."""
    return partial(_faster, name=name, base=base, at_least=at_least, cpu_at_most=cpu_at_most)


def _faster(
    samples: Samples, *, name: str, base: str, at_least: float, cpu_at_most: float | None
) -> list[Bar]:
    if name not in samples or base not in samples:
        return []
    mine, theirs = samples[name], samples[base]
    rate = ratios(mine, theirs, "rate")
    bars = [Bar(what=f"{name}: deliveries/s : {base}", value=rate, unit="x", at_least=at_least)]
    if cpu_at_most is not None:
        cpu = ratios(mine, theirs, "cpu_us")
        what = f"{name}: CPU per message : {base}"
        bars.append(Bar(what=what, value=cpu, unit="x", at_most=cpu_at_most))
    return bars


def prompt(name: str, base: str, *, times: float) -> MakeBars:
    """Want the 99th percentile of accept times within a multiple of the base's."""

    def make(samples: Samples) -> list[Bar]:
        ratio = ratios(samples[name], samples[base], "accept_p99_ms")
        return [Bar(what=f"{name}: accept p99 : {base}", value=ratio, unit="x", at_most=times)]

    return make


def prompt_on_slow_disk(name: str, *, syncs: float) -> MakeBars:
    """Want the 99th percentile of accept times within so many syncs of the slow disk, as long as one takes here and now."""

    def make(samples: Samples) -> list[Bar]:
        sync = disk.slow_sync_ms()
        late = spread([sample.accept_p99_ms / sync for sample in samples[name]])
        what = f"{name}: accept p99 : a sync, {sync:.1f} ms"
        return [Bar(what=what, value=late, unit="x", at_most=syncs)]

    return make


def all_of(*makers: MakeBars) -> MakeBars:
    """Want all of these."""

    def make(samples: Samples) -> list[Bar]:
        return [bar for maker in makers for bar in maker(samples)]

    return make


def in_order(name: str) -> MakeBars:
    """Want that no message overtook another one of its conversation."""

    def make(samples: Samples) -> list[Bar]:
        if name not in samples:
            return []
        inversions = spread([sample.inversions for sample in samples[name]])
        return [Bar(what=f"{name}: messages out of order", value=inversions, unit="", at_most=0)]

    return make
