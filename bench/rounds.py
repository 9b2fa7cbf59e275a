"""Side by side: contestants take turns, round after round; what counts is the ratio within a round."""

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from bench.lineup import Contestant
from bench.load import Answers, Load, run_load
from bench.outcome import Spread, spread
from bench.processes import Failed
from bench.running import Running, place_for
from bench.sink import Arrivals

_DRAIN_SECONDS: Final = 180.0
_WARM_UP_SECONDS: Final = 8.0
RUN_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One contestant in one round."""

    rate: float
    """Messages delivered in a second, from the first one sent to the last one delivered."""
    cpu_us: float
    """Processor time for one message, of all its processes."""
    accept_p50_ms: float
    accept_p99_ms: float
    delivery_p50_ms: float
    delivery_p99_ms: float
    pss_mb: float
    delivered: int
    duplicates: int
    inversions: int


@contextmanager
def started(
    contestants: Sequence[Contestant],
    *,
    outbound: bool,
    skipped: list[str],
    all_cpus: bool = False,
) -> Iterator[dict[str, Running]]:
    """Run these contestants, all at the same time; those that are not measured have nothing to do.

    A peer that does not start is left out, with a sentence in `skipped`.
    """
    running = {}
    with ExitStack() as stack:
        for contestant in contestants:
            peer = contestant.install is not None
            place = stack.enter_context(
                place_for(contestant.name, outbound=outbound, peer=peer, all_cpus=all_cpus)
            )
            try:
                running[contestant.name] = stack.enter_context(contestant.run(place))
            except Failed as error:
                if not peer:
                    raise
                skipped.append(f"{contestant.name}: {error}")
        yield running


def measure(running: Running, load: Load) -> Sample:
    """Put a load on a contestant and wait until all that it took has been delivered.

    Raises:
        Failed: it refused messages, lost some, or delivered what nobody sent.

    """
    run = next(RUN_NUMBERS)
    running.place.sink.begin(run)
    before = running.cpu_seconds()
    answers = run_load(running.target, load, run=run, cpus=running.place.load_cpus)
    arrivals = running.place.sink.wait_for(answers.answered, seconds=_DRAIN_SECONDS)
    time.sleep(0.1)  # what is still being written down about the last deliveries
    used = running.cpu_seconds() - before
    _check(answers, arrivals)
    return _sample(answers, arrivals, used, running.pss_mb())


def _check(answers: Answers, arrivals: Arrivals) -> None:
    if arrivals.distinct < answers.answered:
        raise Failed(f"{answers.answered} messages were taken, {arrivals.distinct} delivered")
    if arrivals.unsigned or arrivals.strays:
        raise Failed(f"{arrivals.unsigned} deliveries unsigned, {arrivals.strays} of another run")


def _sample(answers: Answers, arrivals: Arrivals, used: float, pss_mb: float) -> Sample:
    seconds = (arrivals.last_ns - answers.start_ns) / 1e9
    return Sample(
        rate=arrivals.distinct / seconds,
        cpu_us=used * 1e6 / arrivals.distinct,
        accept_p50_ms=answers.p50_ms,
        accept_p99_ms=answers.p99_ms,
        delivery_p50_ms=arrivals.p50_ms,
        delivery_p99_ms=arrivals.p99_ms,
        pss_mb=pss_mb,
        delivered=arrivals.distinct,
        duplicates=arrivals.duplicates,
        inversions=arrivals.inversions,
    )


def ratios(samples: Sequence[Sample], base: Sequence[Sample], metric: str) -> Spread:
    """Return the spread of the round-wise ratios to another contestant."""
    pairs = zip(samples, base, strict=True)
    return spread([getattr(sample, metric) / getattr(other, metric) for sample, other in pairs])


def take_turns(
    running: dict[str, Running], load: Load, *, rounds: int, warm_up: int, skipped: list[str]
) -> dict[str, list[Sample]]:
    """Measure each contestant once a round, each time in another order, after a number of messages to warm up.

    A peer that fails is left out from then on, with a sentence in `skipped`.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in running}
    for number in range(rounds + 1):
        names = list(samples)
        turn = number % len(names)
        warming = Load(seconds=_WARM_UP_SECONDS, messages=warm_up)
        for name in names[turn:] + names[:turn]:
            sample = _turn(running[name], load if number else warming, skipped)
            if sample is None:
                del samples[name]
            elif number:
                samples[name].append(sample)
                print(f"    round {number} {name}: {sample.rate:,.0f}/s", flush=True)
    return samples


def _turn(running: Running, load: Load, skipped: list[str]) -> Sample | None:
    try:
        return measure(running, load)
    except Failed as error:
        if not running.place.peer:
            raise
        skipped.append(f"{running.place.name}: {error}")
        return None
