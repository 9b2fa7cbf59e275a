"""Draws the messages a second of every contestant as horizontal bars, with a whisker from least to most. SVG by hand."""

from collections.abc import Mapping
from html import escape
from typing import Final

from bench.outcome import Column

_WIDTH: Final = 860
_LABEL: Final = 210
"""Pixels for names on the left."""
_FIGURE: Final = 90
"""Pixels for numbers on the right."""
_ROW: Final = 24
_HEAD: Final = 40

_STYLE: Final = """
  text { font: 13px system-ui, sans-serif; fill: #1f2933; }
  .head { font-weight: 600; }
  .figure { font-variant-numeric: tabular-nums; }
  .bar { fill: #9aa5b1; }
  .ours { fill: #2b6cb0; }
  .whisker { stroke: #1f2933; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb; }
    .bar { fill: #616e7c; }
    .ours { fill: #63a4e8; }
    .whisker { stroke: #e4e7eb; }
  }
"""


def draw(groups: Mapping[str, list[Column]]) -> str:
    """Return an SVG with one group of bars for each scenario; each group has its own scale."""
    parts, top = [], 0
    for name, columns in groups.items():
        parts.append(f'<text class="head" x="0" y="{top + 24}">{escape(name)}</text>')
        longest = max(column.value.most for column in columns)
        for number, column in enumerate(columns):
            parts.append(_bar(column, top + _HEAD + number * _ROW, longest))
        top += _HEAD + len(columns) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top + 8}" role="img"'
        f' aria-label="Messages delivered in a second">\n<style>{_STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _bar(column: Column, top: int, longest: float) -> str:
    scale = (_WIDTH - _LABEL - _FIGURE) / longest
    value, middle = column.value, top + _ROW // 2 - 3
    kind = "bar ours" if column.label.startswith("chatbridge") else "bar"
    least, most = (_LABEL + end * scale for end in (value.least, value.most))
    return (
        f'<text x="0" y="{top + 13}">{escape(column.label)}</text>'
        f'<rect class="{kind}" x="{_LABEL}" y="{top}" width="{value.median * scale:.1f}" height="{_ROW - 6}" rx="3"/>'
        f'<line class="whisker" x1="{least:.1f}" x2="{most:.1f}" y1="{middle}" y2="{middle}"/>'
        f'<text class="figure" x="{most + 8:.1f}" y="{top + 13}">{value.median:,.0f}/s</text>'
    )
