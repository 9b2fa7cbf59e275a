"""Visitors of a website chat who are answered: how long a reply takes from amoCRM's callback to the visitor's socket."""

import asyncio
from typing import Final, NamedTuple

import aiohttp

from bench.bridge import Bridge
from bench.effort import Effort
from bench.lineup import SQLITE
from bench.outcome import Bar, Outcome, Table, spread
from bench.processes import LOAD_CPUS, Process, pinned
from bench.running import SCOPE, place_for
from bench.visitors import SITE, Chat, Crowd, percentile

_RATE: Final = 200.0
"""Replies in a second."""
_SETTLING_SECONDS: Final = 2.0
_AT_MOST_MS: Final = 250.0


class _Round(NamedTuple):
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """Processor time for one reply, with its mark."""
    pss_kb: float
    """Memory for one visitor."""


def run(effort: Effort) -> Outcome:
    """Connect the visitors, then answer them."""
    rounds = [_round(effort) for _ in range(effort.rounds)]
    columns = ("p50 ms", "p99 ms", "CPU µs/reply", "PSS KB/visitor")
    shown = [spread([one[place] for one in rounds]) for place in range(len(columns))]
    p99 = shown[1]
    return Outcome(
        bars=[
            Bar(
                what=f"p99 from callback to socket, {effort.visitors:,} visitors",
                value=p99,
                unit=" ms",
                at_most=_AT_MOST_MS,
            )
        ],
        table=Table(
            columns=["visitors", *columns],
            rows=[[f"{effort.visitors:,}", *(f"{value.median:,.1f}" for value in shown)]],
        ),
    )


def _round(effort: Effort) -> _Round:
    with place_for(SQLITE.name, outbound=True) as place:
        bridge = Bridge(place, store_url=f"sqlite:///{place.folder}/bridge.db")
        try:
            process = bridge.start()
            chat = Chat(
                url=f"http://127.0.0.1:{bridge.port}",
                messenger=bridge.open_chat(SITE),
                scope=SCOPE,
                secret=place.keys.channel,
            )
            with pinned(LOAD_CPUS):
                return asyncio.run(_measure(process, chat, effort))
        finally:
            bridge.stop()


async def _measure(process: Process, chat: Chat, effort: Effort) -> _Round:
    empty = process.pss_mb()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        crowd = Crowd(chat, http)
        await crowd.arrive(effort.visitors)
        await asyncio.sleep(_SETTLING_SECONDS)
        full = process.pss_mb()
        await crowd.be_answered(rate=_RATE, seconds=effort.seconds)
        before, seconds = process.cpu_seconds(), effort.seconds * effort.longer
        took = await crowd.be_answered(rate=_RATE, seconds=seconds)
        used = process.cpu_seconds() - before
        await crowd.leave()
    return _Round(
        p50_ms=percentile(took, 0.5) * 1_000,
        p99_ms=percentile(took, 0.99) * 1_000,
        cpu_us=used / len(took) * 1_000_000,
        pss_kb=(full - empty) * 1_024 / effort.visitors,
    )
