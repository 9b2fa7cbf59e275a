"""The command, as CI runs it."""

import os
import subprocess
import sys

import pytest

from bench.places import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.run", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


@pytest.mark.usefixtures("compiler")
def test_a_quick_run_measures_both_contestants_and_writes_nothing() -> None:
    done = run("--quick", "--only", "inbound-8", "--seconds", "0.3")
    assert done.returncode == 0, done.stderr
    assert "naive" in done.stdout
    assert "chatbridge-sqlite" in done.stdout
    assert "Written" not in done.stdout


@pytest.mark.usefixtures("compiler")
def test_a_tenant_is_measured_alone_and_beside_its_neighbour() -> None:
    done = run("--quick", "--only", "fairness")
    assert done.returncode == 0, done.stderr
    assert "delivery p99 beside the neighbour : alone" in done.stdout


@pytest.mark.usefixtures("compiler")
def test_visitors_of_a_website_are_answered() -> None:
    done = run("--quick", "--only", "website")
    assert done.returncode == 0, done.stderr
    assert "p99 from callback to socket, 20 visitors" in done.stdout


def test_an_unknown_scenario_is_refused() -> None:
    done = run("--only", "nonsense")
    assert done.returncode == 2
    assert "inbound-64" in done.stderr
