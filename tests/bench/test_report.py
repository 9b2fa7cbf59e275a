"""Ratios, tables and the plot."""

from xml.etree import ElementTree as ET

from bench import plot, report
from bench.outcome import Bar, Column, Outcome, Spread, Table, spread


def test_a_spread_is_median_least_and_most() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(median=2.0, least=1.0, most=3.0)


def test_a_bar_is_met_by_its_median() -> None:
    value = Spread(median=2.0, least=1.0, most=3.0)
    assert Bar(what="w", value=value, unit="x", at_least=2).met
    assert not Bar(what="w", value=value, unit="x", at_least=2.1).met
    assert not Bar(what="w", value=value, unit="x", at_most=1.9).met


def test_the_page_names_machine_bars_and_who_is_missing() -> None:
    outcome = Outcome(
        bars=[Bar(what="speed", value=spread([1.0, 2.0, 3.0]), unit="x", at_least=2.5)],
        table=Table(columns=["a", "b"], rows=[["1", "2"]]),
        skipped=["node-red: node is not installed"],
    )
    page = report.markdown({"date": "2026-01-02"}, {"one": outcome}, {"one": "Shows it"})
    assert "| date | 2026-01-02 |" in page
    assert "| one | speed | ≥ 2.5x | 2.00x (1.00 to 3.00) | MISSED |" in page
    assert "| 1 | 2 |" in page
    assert "not measured: node-red: node is not installed" in page


def test_the_plot_is_well_formed_and_nothing_leaves_it() -> None:
    columns = [
        Column(label="chatbridge <&>", value=Spread(median=20, least=10, most=40)),
        Column(label="naive", value=Spread(median=10, least=10, most=10)),
    ]
    drawing = ET.fromstring(plot.draw({"inbound": columns}))
    width = float(drawing.get("viewBox", "").split()[2])
    bars = [node for node in drawing.iter() if node.tag.endswith("rect")]
    assert [float(bar.get("width", "")) for bar in bars] == [280.0, 140.0]
    assert all(float(bar.get("x", "")) + float(bar.get("width", "")) < width for bar in bars)
    assert "chatbridge <&>" in [node.text for node in drawing.iter()]
