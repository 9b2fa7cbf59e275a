"""What a scenario gives back: values with their spread over the rounds, bars, tables. Plain data, kept as JSON."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Median, least and most over several rounds."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of a value over the rounds."""
    return Spread(median=statistics.median(values), least=min(values), most=max(values))


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Something that has to hold."""

    what: str
    value: Spread
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Return whether the median is within the bar."""
        above = self.at_least is None or self.value.median >= self.at_least
        return above and (self.at_most is None or self.value.median <= self.at_most)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Figures beside the bars."""

    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One bar of the plot."""

    label: str
    value: Spread


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out of a scenario."""

    bars: list[Bar]
    table: Table
    plotted: list[Column] = field(default_factory=list)
    """Messages a second, for the plot."""
    skipped: list[str] = field(default_factory=list)
    """Who could not take part, and why."""
