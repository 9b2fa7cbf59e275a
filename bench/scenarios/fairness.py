"""Two tenants on one server and one far side: how long the messages of one take, alone and beside a busy neighbour.

In each round the server is a new one, so that no round begins with what the neighbour left behind.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from bench.bridge import Bridge
from bench.effort import Effort
from bench.lineup import SQLITE
from bench.load import Answers, Load, Target, run_load
from bench.outcome import Bar, Outcome, Table, spread
from bench.processes import Failed, until
from bench.rounds import RUN_NUMBERS
from bench.running import NEIGHBOUR, TENANT, Place, place_for
from bench.sink import Arrivals

_RATE: Final = 10.0
"""Messages of the tenant in a second."""
_TIMES: Final = 100
"""So many more are the neighbour's."""
_CONNECTIONS: Final = 8
_CONVERSATIONS: Final = 100
_KNOWN: Final = 2 * _CONVERSATIONS
_LEAD: Final = 1 / 30
"""Of the tenant's time: so long before it the neighbour begins, and so long after it it ends."""
_WARM_UP_SECONDS: Final = 8.0
_DRAIN_SECONDS: Final = 180.0
_AT_MOST: Final = 1.2

# A stop does not wait long for deliveries that nobody answers.
_SETTINGS: Final = {"CHATBRIDGE_HTTP__SHUTDOWN_GRACE": "1"}


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """What the tenant's messages took."""

    answers: Answers
    arrivals: Arrivals
    neighbour: Answers | None


@dataclass(frozen=True, kw_only=True)
class _Round:
    alone: _Measured
    beside: _Measured


def run(effort: Effort) -> Outcome:
    """Measure beside a neighbour whose messages are delivered as well."""
    return _outcome([_round(effort, number, hangs=False) for number in range(effort.rounds)])


def run_hanging(effort: Effort) -> Outcome:
    """Measure beside a neighbour whose messages the far side never answers."""
    return _outcome([_round(effort, number, hangs=True) for number in range(effort.rounds)])


def _round(effort: Effort, number: int, *, hangs: bool) -> _Round:
    load = Load(
        seconds=effort.seconds * effort.longer,
        rate=_RATE,
        connections=_CONNECTIONS,
        conversations=_CONVERSATIONS,
    )
    with place_for(SQLITE.name) as place:
        store_url = f"sqlite:///{place.folder}/bridge.db"
        bridge = Bridge(place, store_url=store_url, environment=_SETTINGS)
        try:
            bridge.start()
            pair = _Pair(place, bridge.set_up(TENANT), bridge.set_up(NEIGHBOUR))
            pair.warm_up(effort.warm_up)
            # A neighbour that hangs leaves a backlog, so it comes last.
            if hangs or number % 2 == 0:
                alone = pair.alone(load)
                beside = pair.beside(load, hangs=hangs)
            else:
                beside = pair.beside(load, hangs=hangs)
                alone = pair.alone(load)
        finally:
            bridge.stop()
    measured = _Round(alone=alone, beside=beside)
    print(
        f"    round {number + 1}: delivery p99 {_p99(alone)} alone, {_p99(beside)} beside",
        flush=True,
    )
    return measured


class _Pair:
    """A tenant and its neighbour, who deliver to the same far side."""

    def __init__(self, place: Place, tenant: Target, neighbour: Target) -> None:
        self._sink = place.sink
        self._tenant, self._neighbour = tenant, neighbour

    def warm_up(self, messages: int) -> None:
        """Let both send for a while, so that their conversations are known."""
        self._send_all(self._neighbour, Load(seconds=_WARM_UP_SECONDS, messages=messages))
        known = Load(
            seconds=_WARM_UP_SECONDS,
            messages=_KNOWN,
            connections=_CONNECTIONS,
            conversations=_CONVERSATIONS,
        )
        self._send_all(self._tenant, known)

    def alone(self, load: Load) -> _Measured:
        """Return what the tenant's messages take while nobody else sends."""
        answers, arrivals = self._send_all(self._tenant, load)
        return _Measured(answers=answers, arrivals=arrivals, neighbour=None)

    def beside(self, load: Load, *, hangs: bool) -> _Measured:
        """Return what they take while the neighbour sends; `hangs` keeps its messages without an answer."""
        run, other = next(RUN_NUMBERS), next(RUN_NUMBERS)
        self._sink.begin(run)
        self._sink.hang(other if hangs else -1)
        lead = load.seconds * _LEAD
        much = Load(seconds=load.seconds + 2 * lead, rate=_RATE * _TIMES)
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(run_load, self._neighbour, much, run=other)
            time.sleep(lead)
            answers = run_load(self._tenant, load, run=run)
            arrivals = self._wait_for(answers)
            neighbour = sending.result()
        if not hangs:
            self._wait_for_neighbour(neighbour)
        return _Measured(answers=answers, arrivals=arrivals, neighbour=neighbour)

    def _send_all(self, target: Target, load: Load) -> tuple[Answers, Arrivals]:
        run = next(RUN_NUMBERS)
        self._sink.begin(run)
        answers = run_load(target, load, run=run)
        return answers, self._wait_for(answers)

    def _wait_for(self, answers: Answers) -> Arrivals:
        arrivals = self._sink.wait_for(answers.answered, seconds=_DRAIN_SECONDS)
        if arrivals.distinct < answers.answered:
            raise Failed(f"{answers.answered} messages were taken, {arrivals.distinct} delivered")
        return arrivals

    def _wait_for_neighbour(self, answers: Answers) -> None:
        """Return when all it sent has arrived: the far side sees messages of another run."""
        until(
            lambda: self._sink.arrivals().strays >= answers.answered,
            f"all {answers.answered} messages of the neighbour are delivered",
            seconds=_DRAIN_SECONDS,
        )


# --- what came of it ---


def _outcome(rounds: Sequence[_Round]) -> Outcome:
    ratio = spread([one.beside.arrivals.p99_ms / one.alone.arrivals.p99_ms for one in rounds])
    what = f"delivery p99 beside the neighbour : alone, {rounds[0].alone.answers.begun} messages a round"
    return Outcome(
        bars=[Bar(what=what, value=ratio, unit="x", at_most=_AT_MOST)],
        table=Table(
            columns=[
                "the tenant",
                "accept p50 / p99 ms",
                "delivery p50 / p99 ms",
                "delivery p99, least to most",
                "repeats",
                "inversions",
                "neighbour's messages/s",
            ],
            rows=[
                _row("alone", [one.alone for one in rounds]),
                _row("beside", [one.beside for one in rounds]),
            ],
        ),
    )


def _row(name: str, measured: Sequence[_Measured]) -> list[str]:
    answers, arrivals = [one.answers for one in measured], [one.arrivals for one in measured]
    accepted = [spread([getattr(one, p) for one in answers]) for p in ("p50_ms", "p99_ms")]
    delivered = [spread([getattr(one, p) for one in arrivals]) for p in ("p50_ms", "p99_ms")]
    neighbours = [one.neighbour.rate for one in measured if one.neighbour is not None]
    return [
        name,
        " / ".join(f"{value.median:.1f}" for value in accepted),
        " / ".join(f"{value.median:.1f}" for value in delivered),
        f"{delivered[1].least:.1f} to {delivered[1].most:.1f}",
        str(sum(one.duplicates for one in arrivals)),
        str(sum(one.inversions for one in arrivals)),
        f"{spread(neighbours).median:,.0f}" if neighbours else "0",
    ]


def _p99(measured: _Measured) -> str:
    return f"{measured.arrivals.p99_ms:.1f} ms"
