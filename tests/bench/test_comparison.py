"""Who is compared, and what has to hold."""

from contextlib import AbstractContextManager
from dataclasses import replace

from bench.effort import QUICK
from bench.lineup import Contestant
from bench.load import Load
from bench.rounds import Sample
from bench.running import Place, Running
from bench.scenarios import SCENARIOS
from bench.scenarios.comparison import Comparison, all_of, faster, in_order, prompt

SAMPLE = Sample(
    rate=1_000.0,
    cpu_us=200.0,
    accept_p50_ms=1.0,
    accept_p99_ms=4.0,
    delivery_p50_ms=2.0,
    delivery_p99_ms=5.0,
    pss_mb=60.0,
    delivered=5_000,
    duplicates=0,
    inversions=0,
)


def never(_: Place) -> AbstractContextManager[Running]:
    raise AssertionError("it is not here")


def test_a_comparison_without_its_base_says_who_is_missing() -> None:
    absent = Contestant(name="absent", run=never, missing=lambda: "its database is not installed")
    bars = all_of(faster("absent", "absent", at_least=1), in_order("absent"))
    outcome = Comparison(contestants=(absent,), load=Load(seconds=1), bars=bars)(QUICK)
    assert outcome.skipped == ["absent: its database is not installed"]
    assert outcome.bars == []
    assert outcome.table.rows == []


def test_bars_are_medians_of_ratios_within_a_round() -> None:
    base = [replace(SAMPLE, rate=rate, accept_p99_ms=2.0) for rate in (500.0, 1_000.0, 2_000.0)]
    mine = [replace(SAMPLE, rate=rate, accept_p99_ms=3.0) for rate in (1_000.0, 3_000.0, 2_000.0)]
    make = all_of(
        faster("mine", "base", at_least=2, cpu_at_most=0.65),
        prompt("mine", "base", times=2.5),
        in_order("mine"),
    )
    rate, cpu, late, order = make({"base": base, "mine": mine})
    assert (rate.value.median, rate.value.least, rate.value.most) == (2.0, 1.0, 3.0)
    assert (cpu.value.median, cpu.met) == (1.0, False)
    assert (late.value.median, late.met) == (1.5, True)
    assert (order.value.median, order.met) == (0, True)


def test_who_is_left_out_has_no_bars() -> None:
    make = all_of(faster("peer", "base", at_least=2), in_order("peer"))
    assert make({"base": [SAMPLE]}) == []


def test_scenarios_have_names_of_their_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
