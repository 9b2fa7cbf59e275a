"""Every metric, in one table. Labels have few values by construction: never ids, never text from outside."""

import os
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from chatbridge.model import Direction

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The environment's name for the folder in which workers keep their values; prometheus_client gives it."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_DELIVERY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600, 86400)

# A name, a meaning, and labels.
_ACCEPTED: Final = (
    "chatbridge_accepted_total",
    "Messages taken, by direction and verdict (new, repeated, reused)",
    ("direction", "verdict"),
)
_ATTEMPTS: Final = (
    "chatbridge_delivery_attempts_total",
    "Attempts to deliver, by direction, outcome and error code",
    ("direction", "outcome", "code"),
)
_DELIVERED: Final = ("chatbridge_delivery_seconds", "From acceptance to delivery", ("direction",))
_UNKNOWN: Final = (
    "chatbridge_unknown_events_total",
    "Signed callbacks that were kept but not relayed, by kind",
    ("kind",),
)
_REFUSED: Final = (
    "chatbridge_callbacks_refused_total",
    "Callbacks with a wrong address or signature",
)
_SPOOLED: Final = (
    "chatbridge_callbacks_spooled_total",
    "Callbacks that the database did not take when they came, and that were kept in a file",
)
_RECOVERED: Final = (
    "chatbridge_replies_recovered_total",
    "Operators' messages whose callbacks were lost, found in amoCRM's history",
)
_PAUSED: Final = (
    "chatbridge_webhooks_paused_total",
    "Webhooks of messengers that were paused, as they failed for too long",
)
_REFRESHED: Final = (
    "chatbridge_crm_refreshes_total",
    "Times that tokens of accounts were to be renewed, by outcome (renewed, or an error code)",
    ("outcome",),
)
_SIGNED_OUT: Final = (
    "chatbridge_crm_signed_out_total",
    "Accounts that do not let us in any more until somebody does something, by reason",
    ("why",),
)
_IN_MEMORY: Final = ("chatbridge_pending_in_memory", "Undelivered messages in memory")
_COPIED: Final = (
    "chatbridge_files_total",
    "Files that messages link to, by what became of them (kept, or an error code)",
    ("outcome",),
)
_ANSWERED: Final = (
    "chatbridge_http_request_seconds",
    "Requests answered, by route, method and status",
    ("route", "method", "status"),
)

_WAYS = {direction: direction.name.lower() for direction in Direction}


class _Series(dict[tuple[object, ...], Any]):
    """The series of a metric by the values of its labels."""

    def __init__(self, metric: Any) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[object, ...]) -> Any:
        series = self[labels] = self._metric.labels(*labels)
        return series


class Metrics:
    """The metrics of one server, or of one of the workers that make up a server."""

    def __init__(self, worker: int | None = None) -> None:
        """Make every metric, in a registry of its own.

        Args:
            worker: the number of this process among the workers of a server, None if there is one process. What a worker counted
                stays in its files; another one that gets its number later goes on with them.

        """
        self.shared = worker is not None
        self.registry = self._shown = CollectorRegistry()
        if worker is None:
            # Whatever FOLDER says: it may be meant for somebody else.
            values.ValueClass = values.MutexValue
            ProcessCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        else:
            values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]  # theirs
            self._shown = CollectorRegistry()
            multiprocess.MultiProcessCollector(self._shown, os.environ[FOLDER])  # type: ignore[no-untyped-call]  # theirs
        self._make(self.registry)

    def _make(self, registry: CollectorRegistry) -> None:
        self.accepted = Counter(*_ACCEPTED, registry=registry)
        self.attempts = Counter(*_ATTEMPTS, registry=registry)
        self.delivery_seconds = Histogram(*_DELIVERED, registry=registry, buckets=_DELIVERY_SECONDS)
        self.unknown_events = Counter(*_UNKNOWN, registry=registry)
        self.callbacks_refused = Counter(*_REFUSED, registry=registry)
        self.files = Counter(*_COPIED, registry=registry)
        self.callbacks_spooled = Counter(*_SPOOLED, registry=registry)
        self.replies_recovered = Counter(*_RECOVERED, registry=registry)
        self.webhooks_paused = Counter(*_PAUSED, registry=registry)
        self.crm_refreshes = Counter(*_REFRESHED, registry=registry)
        self.crm_signed_out = Counter(*_SIGNED_OUT, registry=registry)
        self.in_memory = Gauge(*_IN_MEMORY, registry=registry, multiprocess_mode="livesum")
        self.request_seconds = Histogram(*_ANSWERED, registry=registry, buckets=_SECONDS)

        # Series by their labels: the library's own way to them costs microseconds.
        self._taken = _Series(self.accepted)
        self._attempted = _Series(self.attempts)
        self._delivered = _Series(self.delivery_seconds)
        self._answered = _Series(self.request_seconds)

    def taken(self, direction: Direction, verdict: str) -> None:
        """Count an accepted draft."""
        self._taken[_WAYS[direction], verdict].inc()

    def attempted(
        self, direction: Direction, outcome: str, code: str | None, seconds: float
    ) -> None:
        """Count the end of an attempt, `seconds` after acceptance."""
        way = _WAYS[direction]
        self._attempted[way, outcome, code or ""].inc()
        if code is None:
            self._delivered[way,].observe(seconds)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._answered[route, method, status].observe(seconds)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format, of all workers together."""
        return generate_latest(self._shown)
