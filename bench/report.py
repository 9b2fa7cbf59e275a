"""Writes results for people: Markdown for the repository, plain lines for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.outcome import Bar, Outcome, Spread, Table

_ROUNDS: Final = (
    "Of contestants side by side: medians of round-wise ratios, least and most in brackets. `backlog` ran less often;"
    " `restart`, `restart-blocked` and `claim` ran once, so one unlucky minute is all it takes to move them."
)


def markdown(
    machine: Mapping[str, str], outcomes: Mapping[str, Outcome], shows: Mapping[str, str]
) -> str:
    """Return the page `RESULTS.md`: the machine, all bars, then each scenario."""
    parts = [
        "# Results",
        "Written by `make bench`; how to read it and how far to trust it is in [README.md](README.md).",
        _table(["", ""], [[name, fact] for name, fact in machine.items()]),
        _ROUNDS,
        _bars([(name, bar) for name, outcome in outcomes.items() for bar in outcome.bars]),
        "![Messages a second](results.svg)",
        *(_section(name, outcome, shows[name]) for name, outcome in outcomes.items()),
    ]
    return "\n\n".join(parts) + "\n"


def lines(outcome: Outcome, *, judged: bool) -> str:
    """Return a scenario's results for the terminal, with or without what was wanted."""
    bars = [
        f"  {bar.what}: {_value(bar.value, bar.unit)}"
        + (f", wanted {_wanted(bar)}: {_verdict(bar)}" if judged else "")
        for bar in outcome.bars
    ]
    skipped = [f"  skipped: {sentence}" for sentence in outcome.skipped]
    return "\n".join([*_aligned(outcome.table), *bars, *skipped])


def _section(name: str, outcome: Outcome, shows: str) -> str:
    skipped = [f"- not measured: {sentence}" for sentence in outcome.skipped]
    parts = [f"## {name}", f"{shows}.", _table(outcome.table.columns, outcome.table.rows)]
    return "\n\n".join([*parts, "\n".join(skipped)]).rstrip()


def _bars(bars: Sequence[tuple[str, Bar]]) -> str:
    rows = [
        [scenario, bar.what, _wanted(bar), _value(bar.value, bar.unit), _verdict(bar)]
        for scenario, bar in bars
    ]
    return _table(["scenario", "what", "wanted", "measured", ""], rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join(head + [f"| {' | '.join(row)} |" for row in rows])


def _aligned(table: Table) -> list[str]:
    rows = [table.columns, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _verdict(bar: Bar) -> str:
    return "met" if bar.met else "MISSED"


def _wanted(bar: Bar) -> str:
    if bar.at_least is not None:
        return f"≥ {bar.at_least:g}{bar.unit}"
    return f"≤ {bar.at_most:g}{bar.unit}"


def _value(value: Spread, unit: str) -> str:
    if value.least == value.most:
        return f"{_number(value.median)}{unit}"
    return f"{_number(value.median)}{unit} ({_number(value.least)} to {_number(value.most)})"


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
